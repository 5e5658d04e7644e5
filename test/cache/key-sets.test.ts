import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { startTestCache } from '../setup/cache.ts';
import { type FakeOrigin, repository, startFakeOrigin } from '../setup/fake-origin.ts';
import { eventually } from '../setup/processes.ts';

const bytes = randomBytes(1000);
const digest = digestOf(bytes);

async function origins(): Promise<FakeOrigin> {
  const origin = await startFakeOrigin();
  origin.add(bytes);
  return origin;
}

async function status(cacheUrl: string, token: string, of: Digest = digest): Promise<number> {
  const response = await fetch(`${cacheUrl}/v2/${repository}/blobs/${of}?token=${token}`);
  await response.arrayBuffer();
  return response.status;
}

it('a new key of the origin is learnt without a restart, and asked for once in two seconds at most', async () => {
  let now = Date.now();
  const origin = await origins();
  const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock: () => now });
  assert.equal(await status(cache.url, origin.token(digest, { now })), 200);
  const { keyId } = origin.signingKey;
  origin.rotate();
  origin.withdraw(keyId);
  now += 11_000;
  assert.equal(await status(cache.url, origin.token(digest, { now })), 200);
  const asked = origin.keyRequests.length;
  const unknown = origin.token(digest, { now });
  const [, payload, signature] = unknown.split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'blob-url+jwt', kid: 'other' })).toString(
    'base64url',
  );
  for (let round = 0; round < 20; round += 1) {
    assert.equal(await status(cache.url, `${header}.${payload}.${signature}`), 403);
  }
  assert.equal(origin.keyRequests.length, asked);
});

it('a restart while the origin is away works with the keys on disk', async () => {
  const origin = await origins();
  const first = await startTestCache({ origin: origin.url, cas: [origin.ca] });
  const token = origin.token(digest);
  assert.equal(await status(first.url, token), 200);
  await first.close();
  await origin.stop();
  const second = await startTestCache({
    origin: origin.url,
    cas: [origin.ca],
    rootDirectory: first.rootDirectory,
  });
  assert.equal(await status(second.url, token), 200);
});

it('keys that cannot be fetched are no fault of the client: 503, and it heals by itself', async () => {
  let now = Date.now();
  const origin = await origins();
  const token = origin.token(digest, { now });
  await origin.stop();
  const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock: () => now });
  const response = await fetch(`${cache.url}/v2/${repository}/blobs/${digest}?token=${token}`);
  assert.equal(response.status, 503);
  assert.ok(Number(response.headers.get('retry-after')) > 0);
  assert.match(await response.text(), /the keys of https:\S+ cannot be fetched: .*refuses connections/);
  await origin.start();
  assert.equal(await status(cache.url, token), 503);
  now += 11_000;
  assert.equal(await status(cache.url, token), 200);
});

const untrusted: [what: string, certificate: { hosts?: string[]; now?: number }, reason: RegExp][] = [
  ['of a CA that is not in cas', {}, /not trusted: add the CA/],
  ['for another name', { hosts: ['dtr.example'] }, /for another host name/],
  ['that has expired', { now: Date.now() - 400 * 86_400_000 }, /has expired/],
];
for (const [what, certificate, reason] of untrusted) {
  it(`nothing is believed of an origin with a certificate ${what}`, async () => {
    const origin = await startFakeOrigin({ certificate });
    const cas = reason.source.startsWith('not trusted') ? [] : [origin.ca];
    const cache = await startTestCache({ origin: origin.url, cas });
    const response = await fetch(cache.url + origin.signedPath(origin.add(bytes)));
    assert.equal(response.status, 503);
    assert.match(await response.text(), reason);
    assert.match(String(cache.logs.find(({ level }) => level === 'warn')?.reason), reason);
    assert.deepEqual([...origin.keyRequests, ...origin.blobRequests], []);
  });
}

it('a cache that reaches only the next cache gets keys and blobs through it, three levels deep', async () => {
  const origin = await origins();
  const top = await startTestCache({ origin: origin.url, cas: [origin.ca] });
  const middle = await startTestCache({
    origin: origin.url,
    cas: [origin.ca],
    upstreams: [{ originHost: origin.url, hosts: [top.url] }],
  });
  // In the flat form the next hop alone is named.
  const bottom = await startTestCache({
    origin: origin.url,
    cas: [origin.ca],
    upstreams: [{ originHost: undefined, hosts: [middle.url] }],
  });
  await eventually(
    'the middle cache knows the keys',
    async () => (await fetch(`${middle.url}/.well-known/jwks.json`)).ok,
  );
  assert.equal(await status(bottom.url, origin.token(digest)), 200);
  for (const cache of [top, middle, bottom]) {
    assert.equal(cache.logs.filter((line) => line.msg === 'pull' && line.cache === 'miss').length, 1);
  }
  assert.equal(origin.blobRequests.length, 1);
  assert.equal(await status(bottom.url, origin.token(digest)), 200);
  assert.equal(origin.blobRequests.length, 1);
});

it('upstream hosts are asked in turn, a dead one is passed over, the origin is the last resort', async () => {
  const origin = await origins();
  const one = await startTestCache({ origin: origin.url, cas: [origin.ca] });
  const other = await startTestCache({ origin: origin.url, cas: [origin.ca] });
  const cache = await startTestCache({
    origin: origin.url,
    cas: [origin.ca],
    upstreams: [{ originHost: origin.url, hosts: [one.url, other.url, 'http://127.0.0.1:1'] }],
  });
  for (let round = 0; round < 6; round += 1) {
    const blob = randomBytes(100);
    origin.add(blob);
    assert.equal(await status(cache.url, origin.token(digestOf(blob)), digestOf(blob)), 200);
  }
  const pulls = (logs: typeof one.logs) => logs.filter((line) => line.msg === 'pull').length;
  assert.equal(pulls(one.logs) + pulls(other.logs), 6);
  assert.ok(pulls(one.logs) >= 2 && pulls(other.logs) >= 2);
  await one.close();
  await other.close();
  const blob = randomBytes(100);
  origin.add(blob);
  assert.equal(await status(cache.url, origin.token(digestOf(blob)), digestOf(blob)), 200);
});
