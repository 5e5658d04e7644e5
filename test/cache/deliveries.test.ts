import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { Deliveries } from '../../src/cache/deliveries.ts';
import type { Digest } from '../../src/shared/distribution/digest.ts';
import { startTestCache } from '../setup/cache.ts';
import { commanderOf } from '../setup/cache-commands.ts';
import { answerWell, startFakeOrigin } from '../setup/fake-origin.ts';
import { eventually } from '../setup/processes.ts';

const origin = await startFakeOrigin();
const other = await startFakeOrigin();
other.issuer = 'https://other.example';
const cache = await startTestCache({
  origin: origin.url,
  cas: [origin.ca, other.ca],
  upstreams: [
    { originHost: origin.url, hosts: [] },
    { originHost: other.url, hosts: [] },
  ],
});
const ask = commanderOf(cache.url, origin);
// Larger than what sockets between us hold: it is not handed over before the client reads.
const large = origin.add(randomBytes(64 * 1024 * 1024));
await (await fetch(cache.url + origin.signedPath(large))).arrayBuffer();

const pathOf = (digest: Digest, id: string) => `${cache.url}${origin.signedPath(digest)}&request=${id}`;

async function pull(digest: Digest, id: string, options: RequestInit = {}): Promise<number> {
  const response = await fetch(pathOf(digest, id), options);
  await response.arrayBuffer();
  return response.status;
}

async function becomes(id: string, state: string): Promise<void> {
  await eventually(`${id} is ${state}`, async () => (await ask.deliveries([id]))[id] === state);
}

/** A client that has the head of the answer and reads no further. */
async function begin(digest: Digest, id: string): Promise<IncomingMessage> {
  const request = get(pathOf(digest, id), { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  return response;
}

describe('a delivery', () => {
  it('is unknown, then running, then completed', async () => {
    assert.deepEqual(await ask.deliveries(['slow']), { slow: 'unknown' });
    const response = await begin(large, 'slow');
    await becomes('slow', 'running');
    response.resume();
    await once(response, 'end');
    await becomes('slow', 'completed');
  });

  it('is aborted when the client leaves before its end', async () => {
    const response = await begin(large, 'left');
    response.destroy();
    await becomes('left', 'aborted');
  });

  it('is aborted when nothing was to be had, and completed by a later request of the same redirect', async () => {
    const digest = origin.add(randomBytes(100));
    origin.answer = (_request, response) => response.writeHead(403).end();
    assert.equal(await pull(digest, 'again'), 502);
    await becomes('again', 'aborted');
    origin.answer = answerWell;
    assert.equal(await pull(digest, 'again'), 200);
    await becomes('again', 'completed');
    const response = await begin(large, 'again');
    response.destroy();
    await eventually('it is logged', () =>
      cache.logs.some(({ request, status }) => request === 'again' && status === 499),
    );
    assert.deepEqual(await ask.deliveries(['again']), { again: 'completed' });
  });

  it('is completed by a range, and by the answer that the client has the blob already', async () => {
    assert.equal(await pull(large, 'range', { headers: { Range: 'bytes=0-9' } }), 206);
    await becomes('range', 'completed');
    assert.equal(await pull(large, 'same', { headers: { 'If-None-Match': `"${large}"` } }), 304);
    await becomes('same', 'completed');
  });

  it('of a small blob from memory is completed, too', async () => {
    const small = origin.add(Buffer.from('small'));
    for (const id of ['cold', 'warm']) {
      assert.equal(await pull(small, id), 200);
      await becomes(id, 'completed');
    }
  });

  it('is not known of a HEAD, nor of a request without a good signed URL', async () => {
    assert.equal(await pull(large, 'head', { method: 'HEAD' }), 200);
    const forged = pathOf(large, 'forged').replace('&request', 'AAAA&request');
    assert.equal((await fetch(forged)).status, 403);
    assert.deepEqual(await ask.deliveries(['head', 'forged']), { head: 'unknown', forged: 'unknown' });
  });

  it('is told to the origin alone whose redirect it was', async () => {
    assert.equal(await pull(large, 'mine', { headers: { Range: 'bytes=0-0' } }), 206);
    await becomes('mine', 'completed');
    assert.deepEqual(await commanderOf(cache.url, other).deliveries(['mine']), { mine: 'unknown' });
  });

  it('may have any id', async () => {
    for (const id of ['constructor', '-', '_'.repeat(32)]) {
      assert.deepEqual(await ask.deliveries([id]), { [id]: 'unknown' });
      assert.equal(await pull(large, id, { headers: { Range: 'bytes=0-0' } }), 206);
      await becomes(id, 'completed');
    }
  });
});

describe('of very many deliveries', () => {
  let now = 1_700_000_000_000;
  const clock = () => now;

  it('is told since when none is missing: the start, then the first that made room', () => {
    const deliveries = new Deliveries({ clock, maximum: 2 });
    now += 1_000;
    deliveries.begin('o', 'one')('completed');
    assert.equal(deliveries.rememberedMs, 1_000);
    now += 1_000;
    deliveries.begin('o', 'two')('completed');
    assert.equal(deliveries.rememberedMs, 2_000);
    now += 1_000;
    deliveries.begin('o', 'three')('completed');
    assert.equal(deliveries.rememberedMs, 2_000, 'since the first came');
  });

  it('the latest are known', () => {
    const deliveries = new Deliveries({ clock, maximum: 1000 });
    for (let id = 0; id < 5000; id += 1) deliveries.begin('o', `id-${id}`)('completed');
    assert.equal(deliveries.find('o', 'id-3999'), undefined);
    for (let id = 4000; id < 5000; id += 1) assert.equal(deliveries.find('o', `id-${id}`), 'completed');
  });

  it('one that is forgotten while it runs ends all the same', () => {
    const deliveries = new Deliveries({ clock, maximum: 1 });
    const end = deliveries.begin('o', 'one');
    deliveries.begin('o', 'two')('aborted');
    end('completed');
    assert.equal(deliveries.find('o', 'one'), undefined);
    assert.equal(deliveries.find('o', 'two'), 'aborted');
  });

  it('one that is asked for again stays among the latest', () => {
    const deliveries = new Deliveries({ clock, maximum: 2 });
    deliveries.begin('o', 'one')('aborted');
    deliveries.begin('o', 'two')('aborted');
    const end = deliveries.begin('o', 'one');
    deliveries.begin('o', 'three')('completed');
    assert.equal(deliveries.find('o', 'one'), 'running');
    end('aborted');
    assert.equal(deliveries.find('o', 'one'), 'aborted');
    assert.equal(deliveries.find('o', 'two'), undefined);
  });
});
