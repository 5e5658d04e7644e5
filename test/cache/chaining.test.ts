/** Caches that ask other caches: circles, versions, keys that are passed on. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { after, it } from 'node:test';
import type { Digest } from '../../src/shared/distribution/digest.ts';
import { listen } from '../../src/shared/http/shutdown.ts';
import { startTestCache, type TestCache } from '../setup/cache.ts';
import { type FakeOrigin, startFakeOrigin } from '../setup/fake-origin.ts';
import { freePort } from '../setup/free-port.ts';

async function status(cache: TestCache, origin: FakeOrigin, digest: Digest): Promise<number> {
  const response = await fetch(cache.url + origin.signedPath(digest));
  await response.arrayBuffer();
  return response.status;
}

/** Each asks the next, the last asks the first. */
async function circle(origin: FakeOrigin, size: number): Promise<TestCache[]> {
  const ports = await Promise.all(Array.from({ length: size }, () => freePort()));
  return Promise.all(
    ports.map((port, index) =>
      startTestCache({
        origin: origin.url,
        cas: [origin.ca],
        listen: { host: '127.0.0.1', port },
        upstreams: [{ originHost: origin.url, hosts: [`http://127.0.0.1:${ports[(index + 1) % size]}`] }],
      }),
    ),
  );
}

const pulls = (cache: TestCache) => cache.logs.filter(({ msg }) => msg === 'pull');

for (const size of [1, 2, 3]) {
  it(`${size} cache(s) in a circle find out, and the origin is asked once`, async () => {
    const origin = await startFakeOrigin();
    const caches = await circle(origin, size);
    const digest = origin.add(randomBytes(10_000));
    assert.equal(await status(caches[0] as TestCache, origin, digest), 200);
    assert.equal(origin.blobRequests.length, 1);
    assert.ok(pulls(caches[0] as TestCache).filter(({ status }) => status === 508).length <= 1);
    for (const cache of caches) assert.equal(await status(cache, origin, digest), 200);
    assert.equal(origin.blobRequests.length, 1);
  });
}

it('two caches that ask each other for the same blob at the same time do not wait for each other', async () => {
  const origin = await startFakeOrigin();
  const [one, other] = (await circle(origin, 2)) as [TestCache, TestCache];
  for (let round = 0; round < 5; round += 1) {
    const digest = origin.add(randomBytes(10_000));
    const startedAt = performance.now();
    const statuses = await Promise.all([status(one, origin, digest), status(other, origin, digest)]);
    assert.deepEqual(statuses, [200, 200]);
    assert.ok(performance.now() - startedAt < 10_000);
  }
});

it('a hop of another version is named in the log, and what it gives is taken if it is right', async () => {
  const origin = await startFakeOrigin();
  const bytes = randomBytes(1000);
  const digest = origin.add(bytes);
  origin.answer = (_request, response) =>
    void response.writeHead(200, { 'Content-Length': 1000, 'DTR-Protocol': '7' }).end(bytes);
  const cache = await startTestCache({ origin: origin.url, cas: [origin.ca] });
  assert.equal(await status(cache, origin, digest), 200);
  assert.equal(origin.blobRequests[0]?.headers['dtr-protocol'], '1');
  const line = cache.logs.find(({ msg }) => msg === 'an upstream of another version');
  assert.equal(line?.upstream, origin.url);
  assert.match(String(line?.reason), /speaks version 7 .* this cache version 1/);
});

it('a new key of the origin is known to a cache that reaches it through another one, at the first pull', async () => {
  const origin = await startFakeOrigin();
  let now = Date.now();
  const clock = () => now;
  const top = await startTestCache({ origin: origin.url, cas: [origin.ca], clock });
  const bottom = await startTestCache({
    origin: origin.url,
    clock,
    upstreams: [{ originHost: undefined, hosts: [top.url] }],
  });
  assert.equal(await status(bottom, origin, origin.add(randomBytes(10))), 200);
  now += 3_000;
  origin.rotate();
  assert.equal(await status(bottom, origin, origin.add(randomBytes(10))), 200);
});

it('a key of a type that is not known yet does not spoil those beside it, and is passed on', async () => {
  const origin = await startFakeOrigin();
  const strange = { kty: 'AKP', alg: 'ML-DSA-44', kid: 'of-tomorrow', pub: 'AAAA' };
  origin.otherKeys.push(strange);
  const cache = await startTestCache({ origin: origin.url, cas: [origin.ca] });
  assert.equal(await status(cache, origin, origin.add(randomBytes(10))), 200);
  const relayed = await (await fetch(`${cache.url}/.well-known/jwks.json`)).json();
  assert.deepEqual((relayed as { keys: unknown[] }).keys[0], strange);
});

it('an origin that takes the name of another one signs nothing for it', async () => {
  const [honest, liar] = [await startFakeOrigin(), await startFakeOrigin()];
  honest.issuer = honest.url;
  liar.issuer = honest.url;
  liar.rotate();
  liar.rotate();
  for (const upstreams of [
    [liar, honest],
    [honest, liar],
  ]) {
    const cache = await startTestCache({
      origin: honest.url,
      cas: [honest.ca, liar.ca],
      upstreams: upstreams.map(({ url }) => ({ originHost: url, hosts: [] })),
    });
    const digest = honest.add(randomBytes(10));
    assert.equal(await status(cache, honest, digest), 200);
    assert.equal(await status(cache, liar, digest), 403);
  }
});

it('upstream hosts that are down or answer wrongly are left alone after the first time', async () => {
  const origin = await startFakeOrigin();
  let wrong = 0;
  const liar = createServer((_request, response) => {
    wrong += 1;
    response.writeHead(500).end();
  });
  const port = await listen(liar, { host: '127.0.0.1', port: 0 });
  after(() => {
    liar.closeAllConnections();
    liar.close();
  });
  const good = await startTestCache({ origin: origin.url, cas: [origin.ca] });
  const cache = await startTestCache({
    origin: origin.url,
    cas: [origin.ca],
    upstreams: [
      { originHost: origin.url, hosts: [`http://127.0.0.1:${port}`, good.url, 'http://127.0.0.1:1'] },
    ],
  });
  for (let round = 0; round < 20; round += 1) {
    assert.equal(await status(cache, origin, origin.add(randomBytes(10))), 200);
  }
  assert.ok(wrong <= 5, `asked ${wrong} times`);
  assert.ok(pulls(good).length >= 15, `${pulls(good).length} of 20`);
});
