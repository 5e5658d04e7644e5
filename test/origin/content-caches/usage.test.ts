import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CacheClient } from '../../../src/origin/content-caches/cache-client.ts';
import { Usage } from '../../../src/origin/content-caches/usage.ts';
import {
  listUsageBy,
  listUsageOverTime,
  nothingUsed,
  removeOldUsage,
  sumUsage,
  type UsageSums,
} from '../../../src/origin/content-caches/usage-records.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import type { UsageRecord } from '../../../src/shared/cache-command-bodies.ts';
import { issuer, originKeys, startFakeContentCache } from '../../setup/fake-content-cache.ts';
import { keepingLogger } from '../../setup/logger.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** A noon. */
const noon = Date.UTC(2026, 10, 25, 12);

async function world() {
  const database = await openDatabase(await tempDirectory());
  const time = { now: noon };
  const clock = () => time.now;
  const policy = { privateNetworks: true };
  const client = new CacheClient({ keys: originKeys, issuer, ownCa: undefined, policy, clock });
  const kept: UsageSums[] = [];
  const usage = new Usage({
    database,
    client,
    logger: keepingLogger().logger,
    clock,
    onKept: (_cacheId, sums) => kept.push(sums),
  });
  after(async () => {
    await usage.stop();
    await client.close();
    await database.close();
  });
  const cache = await startFakeContentCache();
  const cacheId = cache.address.id;
  return {
    database,
    cache,
    cacheId,
    usage,
    time,
    kept,
    /** As a probe does. */
    collect: async () => {
      cache.status.now = time.now;
      await usage.collect(cache.address, cache.status, AbortSignal.timeout(5_000));
    },
    total: (period: 'minute' | 'hour' | 'day' = 'day', from = noon - 10 * dayMs, to = noon + 10 * dayMs) =>
      sumUsage(database.queries, { cacheId, from, to }, period),
  };
}

function record(sequence: number, changes: Partial<UsageRecord> = {}): UsageRecord {
  return {
    sequence,
    minute: noon,
    repository: 'acme/web',
    user: 'ann',
    cache: 'cache-1',
    hits: 3,
    misses: 1,
    bytesServed: 4_000,
    bytesFetched: 1_000,
    errors: 0,
    ...changes,
  };
}

const one: UsageSums = { ...nothingUsed, hits: 3, misses: 1, bytesServed: 4_000, bytesFetched: 1_000 };

describe('usage that caches tell', () => {
  it('is kept by minute, hour and day', async () => {
    const { cache, collect, total, kept } = await world();
    cache.status.usage = { records: [record(1)], next: 1, more: false };
    await collect();
    for (const period of ['minute', 'hour', 'day'] as const) assert.deepEqual(await total(period), one);
    assert.deepEqual(kept, [one]);
  });

  it('counts once, however often it is told', async () => {
    const { cache, collect, total, kept } = await world();
    cache.status.usage = { records: [record(1)], next: 1, more: false };
    await collect();
    await collect();
    cache.status.usage = { records: [record(1), record(2, { hits: 1 })], next: 2, more: false };
    await collect();
    assert.equal((await total()).hits, 4);
    assert.equal(kept.length, 2);
  });

  it('counts once when two origins collect it in the same moment', async () => {
    const { cache, collect, total } = await world();
    cache.status.usage = { records: [record(1)], next: 1, more: false };
    await Promise.all([collect(), collect(), collect()]);
    assert.deepEqual(await total(), one);
  });

  it('goes on after a restart of the cache, whose numbers begin again', async () => {
    const { cache, collect, total, usage, cacheId } = await world();
    cache.status.usage = { records: [record(1), record(2)], next: 2, more: false };
    await collect();
    assert.deepEqual(await usage.positionOf(cacheId), { processId: 'process-1', sequence: 2 });
    cache.status.processId = 'process-2';
    cache.status.usage = { records: [record(1)], next: 1, more: false };
    await collect();
    assert.equal((await total()).hits, 9);
    assert.deepEqual(await usage.positionOf(cacheId), { processId: 'process-2', sequence: 1 });
  });

  it('is asked for until there is no more', async () => {
    const { cache, collect, total } = await world();
    const asked: string[] = [];
    cache.status.usage = { records: [record(1)], next: 1, more: true };
    cache.instead = (request) => {
      asked.push(request.url?.split('?')[1] ?? '');
      const next = asked.length + 1;
      cache.status.usage = { records: [record(next)], next, more: next < 4 };
      return false;
    };
    await collect();
    assert.deepEqual(
      asked,
      [1, 2, 3].map((after) => `after=${after}&process=process-1`),
    );
    assert.equal((await total()).hits, 12);
  });

  it('of a clock that is wrong counts now, and nothing makes a sum overflow', async () => {
    const { cache, collect, total } = await world();
    const huge = Number.MAX_SAFE_INTEGER;
    const records = [
      record(1, { minute: noon + 365 * dayMs, bytesServed: huge }),
      record(2, { repository: '', hits: huge }),
    ];
    cache.status.usage = { records, next: 2, more: false };
    await collect();
    const sums = await total('minute', noon, noon + minuteMs);
    assert.equal(sums.bytesServed, 2 ** 44 + 4_000);
    assert.equal(sums.hits, 1e9 + 3);
  });
});

describe('redirects', () => {
  it('are counted in memory and written down with the rest', async () => {
    const { usage, cacheId, cache, collect, total } = await world();
    for (let pull = 0; pull < 5; pull += 1) usage.countRedirect(cacheId, 'acme/web', 'ann');
    usage.countRedirect(cacheId, 'acme/web', 'bob');
    assert.deepEqual(await total(), nothingUsed);
    await usage.flush();
    cache.status.usage = { records: [record(1)], next: 1, more: false };
    await collect();
    assert.deepEqual(await total(), { ...one, redirects: 6 });
    await usage.flush();
    assert.equal((await total()).redirects, 6);
  });
});

describe('the history', () => {
  it('by hour and by day, the oldest first', async () => {
    const { cache, cacheId, collect, database } = await world();
    const records = [
      record(1, { minute: noon - dayMs }),
      record(2, { minute: noon - hourMs }),
      record(3, { minute: noon }),
      record(4, { minute: noon + minuteMs, hits: 0 }),
    ];
    cache.status.usage = { records, next: 4, more: false };
    await collect();
    const range = { cacheId, from: noon - 2 * dayMs, to: noon + hourMs };
    const hours = await listUsageOverTime(database.queries, range, 'hour');
    assert.deepEqual(
      hours.map(({ key, hits }) => [key, hits]),
      [
        [noon - dayMs, 3],
        [noon - hourMs, 3],
        [noon, 3],
      ],
    );
    const days = await listUsageOverTime(database.queries, range, 'day');
    assert.deepEqual(
      days.map(({ key, hits }) => [key, hits]),
      [
        [noon - 36 * hourMs, 3],
        [noon - 12 * hourMs, 6],
      ],
    );
  });

  it('by repository and by user, those that most bytes went to first', async () => {
    const { cache, cacheId, collect, database } = await world();
    const records = [
      record(1, { user: 'bob', bytesServed: 10 }),
      record(2),
      record(3, { repository: 'acme/api', bytesServed: 7_000 }),
      record(4, { user: '', bytesServed: 20 }),
    ];
    cache.status.usage = { records, next: 4, more: false };
    await collect();
    for (const from of [noon - hourMs, noon - 20 * dayMs, noon - 50 * dayMs]) {
      const range = { cacheId, from, to: noon + hourMs };
      const repositories = await listUsageBy(database.queries, range, 'repository', 10);
      assert.deepEqual(
        repositories.map(({ key, bytesServed }) => [key, bytesServed]),
        [
          ['acme/api', 7_000],
          ['acme/web', 4_030],
        ],
      );
      const users = await listUsageBy(database.queries, range, 'user', 2);
      assert.deepEqual(
        users.map(({ key, bytesServed }) => [key, bytesServed]),
        [
          ['ann', 11_000],
          ['', 20],
        ],
      );
    }
  });

  it('is bounded: minutes for two days, hours for sixty, days for three years', async () => {
    const { cache, collect, total, time, database } = await world();
    cache.status.usage = { records: [record(1)], next: 1, more: false };
    await collect();
    const everything = () => [noon - dayMs, noon + dayMs] as const;
    for (const [days, minute, hour, day] of [
      [1, 3, 3, 3],
      [3, 0, 3, 3],
      [61, 0, 0, 3],
      [1_100, 0, 0, 0],
    ] as const) {
      time.now = noon + days * dayMs;
      await removeOldUsage(database.queries, time.now);
      const hits = [];
      for (const period of ['minute', 'hour', 'day'] as const) {
        hits.push((await total(period, ...everything())).hits);
      }
      assert.deepEqual(hits, [minute, hour, day], `after ${days} days`);
    }
    assert.equal((await database.queries('content_cache_usage_positions')).length, 0);
  });
});
