import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { UsageRecord } from '../../src/shared/cache-command-bodies.ts';
import type { Digest } from '../../src/shared/distribution/digest.ts';
import { startTestCache, type TestCache } from '../setup/cache.ts';
import { commanderOf } from '../setup/cache-commands.ts';
import { answerWell, repository, startFakeOrigin } from '../setup/fake-origin.ts';
import { eventually } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const oneMiB = 1024 * 1024;
const origin = await startFakeOrigin();

/** A clock that the test moves: minutes end when it says so. */
function movingClock(): { clock: () => number; nextMinute: () => void } {
  let ahead = 0;
  return {
    clock: () => Date.now() + ahead,
    nextMinute: () => {
      ahead += 60_000;
    },
  };
}

/** Everything that was counted, added up. */
function sum(records: readonly UsageRecord[]) {
  const total = { hits: 0, misses: 0, bytesServed: 0, bytesFetched: 0, errors: 0 };
  for (const record of records)
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += record[key];
  return total;
}

/** The lines of the log about pulls, for the user and repository of a record. */
const pullLines = (cache: TestCache) => cache.logs.filter(({ msg }) => msg === 'pull');

function loggedBytes(cache: TestCache): number {
  return pullLines(cache).reduce((bytes, line) => bytes + (line.bytes as number), 0);
}

async function lines(cache: TestCache, count: number): Promise<void> {
  await eventually(`${count} pulls are logged`, () => pullLines(cache).length >= count);
}

async function pull(
  cache: TestCache,
  digest: Digest,
  options: { headers?: Record<string, string>; method?: string } = {},
): Promise<number> {
  const response = await fetch(cache.url + origin.signedPath(digest), options);
  return (await response.arrayBuffer()).byteLength;
}

describe('usage', () => {
  it('agrees to the byte with the log, through hits, misses, ranges, HEAD and clients that leave', async () => {
    const { clock, nextMinute } = movingClock();
    const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock });
    const ask = commanderOf(cache.url, origin, clock);
    const small = origin.add(randomBytes(1000));
    const large = origin.add(randomBytes(8 * oneMiB));
    assert.equal(await pull(cache, small), 1000);
    assert.equal(await pull(cache, small), 1000);
    assert.equal(await pull(cache, large), 8 * oneMiB);
    assert.equal(await pull(cache, large), 8 * oneMiB);
    assert.equal(await pull(cache, large, { headers: { Range: 'bytes=5-104' } }), 100);
    assert.equal(await pull(cache, small, { headers: { Range: 'bytes=990-' } }), 10);
    assert.equal(await pull(cache, large, { headers: { 'If-None-Match': `"${large}"` } }), 0);
    await pull(cache, large, { headers: { Range: `bytes=${8 * oneMiB}-` } });
    assert.equal(await pull(cache, large, { method: 'HEAD' }), 0);
    await lines(cache, 9);
    // Two that leave: one in the middle of a hit, one before anything came.
    const leaving = get(cache.url + origin.signedPath(large), { agent: false });
    const [answer] = (await once(leaving, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    answer.destroy();
    await lines(cache, 10);
    origin.answer = () => {};
    const early = get(cache.url + origin.signedPath(origin.add(randomBytes(50))), { agent: false });
    early.on('error', () => {});
    await eventually('it waits', () => origin.blobRequests.length === 3);
    early.destroy();
    await lines(cache, 11);
    origin.answer = answerWell;

    nextMinute();
    const { records, more } = (await ask.status()).usage;
    assert.equal(more, false);
    assert.ok(records.every((record) => record.minute % 60_000 === 0));
    for (const { repository: of, user, cache: chosen } of records)
      assert.deepEqual([of, user, chosen], [repository, 'alice', 'cache-1']);
    const total = sum(records);
    assert.equal(total.bytesServed, loggedBytes(cache));
    const [aborted] = pullLines(cache).slice(9);
    assert.equal(aborted?.status, 499);
    assert.equal(
      total.bytesServed,
      2 * 1000 + 2 * 8 * oneMiB + 100 + 10 + (aborted?.bytes as number),
      'every byte that went out',
    );
    assert.equal(total.bytesFetched, 1000 + 8 * oneMiB);
    // Hits: small, large, two ranges, the 304, and the one that left. The 416 was refused, and HEAD is neither.
    assert.deepEqual(
      { hits: total.hits, misses: total.misses, errors: total.errors },
      { hits: 6, misses: 3, errors: 0 },
    );
    const logged = (hitOrMiss: string) =>
      pullLines(cache).filter(
        ({ method, status, cache: how }) => method === 'GET' && status !== 416 && how === hitOrMiss,
      ).length;
    assert.deepEqual([logged('hit'), logged('miss')], [6, 3]);
  });

  it('counts what went wrong on this side: answers of 5xx, and bodies that end too early', async () => {
    const { clock, nextMinute } = movingClock();
    const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock });
    const ask = commanderOf(cache.url, origin, clock);
    origin.answer = (_request, response) => response.writeHead(403).end();
    assert.equal((await fetch(cache.url + origin.signedPath(origin.add(randomBytes(10))))).status, 502);
    // The right length and other bytes: it is cut off before its end.
    origin.answer = (_request, response, bytes) => {
      response.writeHead(200, { 'Content-Length': bytes.byteLength });
      response.end(randomBytes(bytes.byteLength));
    };
    await assert.rejects(pull(cache, origin.add(randomBytes(100_000))));
    origin.answer = answerWell;
    await lines(cache, 2);
    nextMinute();
    const total = sum((await ask.status()).usage.records);
    assert.deepEqual(
      { hits: total.hits, misses: total.misses, errors: total.errors },
      { hits: 0, misses: 0, errors: 2 },
    );
    assert.equal(total.bytesServed, loggedBytes(cache));
    assert.equal(total.bytesFetched, 100_000);
  });

  it('counts no request without a good signed URL', async () => {
    const { clock, nextMinute } = movingClock();
    const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock });
    const path = origin.signedPath(origin.add(randomBytes(10)));
    await fetch(cache.url + path.split('?')[0]);
    await fetch(`${cache.url}${path.slice(0, -8)}AAAAAAAA`);
    nextMinute();
    assert.deepEqual((await commanderOf(cache.url, origin, clock).status()).usage.records, []);
  });

  it('counts what a cache below is served, and charges what it fetched to who was the first', async () => {
    const { clock, nextMinute } = movingClock();
    const above = await startTestCache({ origin: origin.url, cas: [origin.ca], clock });
    const below = await startTestCache({
      origin: origin.url,
      cas: [origin.ca],
      clock,
      upstreams: [{ originHost: origin.url, hosts: [above.url] }],
    });
    const digest = origin.add(randomBytes(5000));
    await Promise.all([pull(below, digest), pull(below, digest)]);
    await lines(below, 2);
    await lines(above, 1);
    nextMinute();
    const served = sum((await commanderOf(above.url, origin, clock).status()).usage.records);
    assert.deepEqual(served, { hits: 0, misses: 1, bytesServed: 5000, bytesFetched: 5000, errors: 0 });
    const [record, ...others] = (await commanderOf(below.url, origin, clock).status()).usage.records;
    assert.deepEqual(others, []);
    assert.equal(record?.bytesFetched, 5000);
    assert.equal(record?.bytesServed, 10_000);
  });

  it('is told of a quiet cache at once, else when the minute is over, and only to the origin that it is about', async () => {
    const other = await startFakeOrigin();
    other.issuer = 'https://other.example';
    const { clock, nextMinute } = movingClock();
    const cache = await startTestCache({
      origin: origin.url,
      cas: [origin.ca, other.ca],
      upstreams: [
        { originHost: origin.url, hosts: [] },
        { originHost: other.url, hosts: [] },
      ],
      clock,
    });
    const ask = commanderOf(cache.url, origin, clock);
    assert.deepEqual((await ask.status()).usage, { records: [], next: 0, more: false });
    await pull(cache, origin.add(randomBytes(10)));
    await lines(cache, 1);
    assert.equal((await ask.status()).usage.records.length, 1);
    await pull(cache, origin.add(randomBytes(10)));
    await lines(cache, 2);
    nextMinute();
    assert.equal((await ask.status()).usage.records.length, 2);
    const status = await commanderOf(cache.url, other, clock).status();
    assert.deepEqual(status.usage.records, []);
    assert.deepEqual(status.origins, [origin.issuer, other.issuer]);
  });
});

describe('collecting', () => {
  it('repeats what was not kept, and forgets what was', async () => {
    const { clock, nextMinute } = movingClock();
    const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock });
    const ask = commanderOf(cache.url, origin, clock);
    const digest = origin.add(randomBytes(10));
    await pull(cache, digest);
    await lines(cache, 1);
    nextMinute();
    const first = await ask.status();
    assert.deepEqual(await ask.status().then(({ usage }) => usage), first.usage);
    const kept = { processId: first.processId, sequence: first.usage.next };
    assert.deepEqual((await ask.status(kept)).usage, { records: [], next: kept.sequence, more: false });
    await pull(cache, digest);
    await lines(cache, 2);
    nextMinute();
    const { usage } = await ask.status(kept);
    assert.deepEqual(
      usage.records.map(({ sequence, hits }) => [sequence, hits]),
      [[kept.sequence + 1, 1]],
    );
  });

  it('forgets nothing for what another process said, or what it never said', async () => {
    const { clock, nextMinute } = movingClock();
    const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock });
    const ask = commanderOf(cache.url, origin, clock);
    await pull(cache, origin.add(randomBytes(10)));
    await lines(cache, 1);
    nextMinute();
    const { processId } = await ask.status({ processId: 'ffff', sequence: 500 });
    assert.equal((await ask.status({ processId: 'ffff', sequence: 1 })).usage.records.length, 1);
    assert.equal((await ask.status({ processId, sequence: 500 })).usage.records.length, 1);
    assert.equal((await ask.status()).usage.records.length, 1);
  });

  it('goes on over a restart under the same numbers: nothing is lost or counted twice', async () => {
    const { clock, nextMinute } = movingClock();
    const rootDirectory = await tempDirectory();
    const start = () => startTestCache({ origin: origin.url, cas: [origin.ca], clock, rootDirectory });
    const digest = origin.add(randomBytes(10));
    const first = await start();
    await pull(first, digest);
    await lines(first, 1);
    nextMinute();
    // Told, but not known to be kept.
    const told = await commanderOf(first.url, origin, clock).status();
    await pull(first, digest);
    await first.close();
    assert.ok((await readdir(rootDirectory)).includes('usage.json'));

    const second = await start();
    assert.ok(!(await readdir(rootDirectory)).includes('usage.json'), 'after a crash it would be old');
    const ask = commanderOf(second.url, origin, clock);
    const again = await ask.status();
    assert.equal(again.processId, told.processId);
    assert.deepEqual(again.usage.records[0], told.usage.records[0]);
    // What there was of the minute in which it stopped.
    assert.deepEqual(
      again.usage.records.slice(1).map(({ hits, bytesServed }) => [hits, bytesServed]),
      [[1, 10]],
    );
    const rest = await ask.status({ processId: told.processId, sequence: told.usage.next });
    assert.deepEqual(rest.usage.records, again.usage.records.slice(1));
  });

  it('begins as another process when what the last one wrote is not there or not readable', async () => {
    const rootDirectory = await tempDirectory();
    const start = () => startTestCache({ origin: origin.url, cas: [origin.ca], rootDirectory });
    const ids = new Set<string>();
    for (const text of ['', '{"processId":"../x","ledgers":[]}']) {
      await writeFile(join(rootDirectory, 'usage.json'), text);
      const cache = await start();
      ids.add((await commanderOf(cache.url, origin).status()).processId);
      await cache.close();
    }
    assert.equal(ids.size, 2);
  });
});
