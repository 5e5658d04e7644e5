import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CacheClient } from '../../../src/origin/content-caches/cache-client.ts';
import { createContentCache, deleteContentCache } from '../../../src/origin/content-caches/content-caches.ts';
import { CacheHealth, type UsageCollector } from '../../../src/origin/content-caches/health.ts';
import { type Database, openDatabase } from '../../../src/origin/database.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { issuer, originKeys, startFakeContentCache } from '../../setup/fake-content-cache.ts';
import { keepingLogger } from '../../setup/logger.ts';
import { eventually } from '../../setup/processes.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const noUsage: UsageCollector = { positionOf: async () => undefined, collect: async () => {} };

/** What was opened last is closed first. */
const opened: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of opened.reverse()) await close();
});

async function newDatabase(): Promise<Database> {
  const database = await openDatabase(await tempDirectory());
  opened.push(() => database.close());
  return database;
}

/** One origin's watch. With the interval of a test a second of the real one takes 10 ms. */
function watch(database: Database, options: { intervalMs?: number; usage?: UsageCollector } = {}) {
  const { logger, lines } = keepingLogger();
  const client = new CacheClient({
    keys: originKeys,
    issuer,
    ownCa: undefined,
    policy: { privateNetworks: true },
    clock: systemClock,
  });
  const health = new CacheHealth({
    database,
    client,
    usage: options.usage ?? noUsage,
    logger,
    clock: systemClock,
    random: () => 0.5,
    intervalMs: options.intervalMs ?? 100,
  });
  let open = true;
  const stop = async () => {
    if (!open) return;
    open = false;
    await health.stop();
    await client.close();
  };
  opened.push(stop);
  return { health, logs: lines, stop };
}

async function register(database: Database, host: string, name = host.replace(/\W+/g, '-')): Promise<string> {
  return (await createContentCache(database.queries, { name, host }, Date.now())).id;
}

const refusing = (_request: unknown, response: { destroy(): void }) => {
  response.destroy();
  return true;
};

describe('the health of content caches', () => {
  it('a cache is unknown until it is looked at, and then healthy with what it tells', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    const { health } = watch(database);
    assert.equal(health.stateOf(id), 'unknown');
    const before = Date.now();
    const record = await health.changed(id);
    assert.equal(health.stateOf(id), 'healthy');
    assert.deepEqual(
      { ...record, since: 0, probedAt: 0, latencyMs: 0, clockSkewMs: 0 },
      {
        state: 'healthy',
        since: 0,
        lastError: undefined,
        probedAt: 0,
        latencyMs: 0,
        clockSkewMs: 0,
        version: '0.1.0',
        protocol: '1',
        disk: { sizeBytes: 1_000_000, freeBytes: 500_000 },
        stored: { blobs: 3, bytes: 4_000 },
      },
    );
    assert.ok((record?.since as number) >= before);
  });

  it('one that cannot be reached is kept, down, with why', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    await cache.close();
    const id = await register(database, cache.url);
    const { health } = watch(database);
    const record = await health.changed(id);
    assert.equal(record?.state, 'down');
    assert.equal(record?.lastError?.message, 'it refuses connections: is it running, and is the port right?');
  });

  it('a cache that dies is down within seconds, and healthy again after it came back', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    const { health, logs } = watch(database);
    await health.start();
    await eventually('it is healthy', () => health.stateOf(id) === 'healthy');
    cache.instead = refusing as never;
    await eventually('it is down', () => health.stateOf(id) === 'down');
    cache.instead = () => false;
    await eventually('it is healthy again', () => health.stateOf(id) === 'healthy');
    const changes = logs.filter(({ msg }) => msg.startsWith('a content cache is'));
    assert.deepEqual(
      changes.map(({ level, msg }) => [level, msg]),
      [
        ['info', 'a content cache is healthy'],
        ['warn', 'a content cache is down'],
        ['info', 'a content cache is healthy'],
      ],
    );
    assert.equal(changes[1]?.host, cache.url);
    assert.match(String(changes[1]?.reason), /^it closed the connection/);
    assert.match(
      String(health.find(id)?.lastError?.message),
      /^it closed the connection/,
      'and is remembered',
    );
  });

  it('a cache at which a pull failed is looked at at once, and one failed probe is enough', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    // Its turn would come in an hour.
    const { health } = watch(database, { intervalMs: 3_600_000 });
    await health.start();
    await health.changed(id);
    await cache.close();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    health.suspect(id);
    await eventually('it is down', () => health.stateOf(id) === 'down');
  });

  it('a suspicion alone changes nothing, and many of them are one probe', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    const { health } = watch(database, { intervalMs: 3_600_000 });
    await health.changed(id);
    for (let pull = 0; pull < 1_000; pull += 1) health.suspect(id);
    await health.probe(id);
    assert.equal(health.stateOf(id), 'healthy');
    assert.ok(cache.requests.length <= 6, `${cache.requests.length} requests`);
  });

  it('a cache whose address was changed is unknown until the probe of the new one', async () => {
    const database = await newDatabase();
    const [old, other] = [await startFakeContentCache(), await startFakeContentCache()];
    await other.close();
    const id = await register(database, old.url);
    const { health } = watch(database);
    await health.start();
    assert.equal((await health.changed(id))?.state, 'healthy');
    await database.queries('content_caches').where({ id }).update({ host: other.url });
    assert.equal((await health.changed(id))?.state, 'down');
    const asked = old.requests.length;
    await eventually('it is looked at again', () => (health.find(id)?.probedAt as number) > Date.now() - 50);
    assert.equal(old.requests.length, asked, 'and the old address is left alone');
  });

  it('a cache that has another name is shown by it, and is as it was', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url, 'before');
    const origins = [watch(database), watch(database)];
    for (const { health } of origins) await health.start();
    const [one] = origins;
    await one?.health.changed(id);
    await database.queries('content_caches').where({ id }).update({ name: 'after' });
    await one?.health.renamed(id);
    for (const { health } of origins) {
      await eventually('it has its name', () => health.list()[0]?.cache.name === 'after');
      assert.equal(health.stateOf(id), 'healthy');
    }
  });

  it('leaves no connection, no timer and no lease behind when it stops, in the middle of a probe', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    const { health, logs, stop } = watch(database);
    await health.start();
    await eventually('it is healthy', () => health.stateOf(id) === 'healthy');
    let isProbed = false;
    cache.instead = () => {
      isProbed = true;
      return true;
    };
    await eventually('a probe hangs', () => isProbed);
    const began = performance.now();
    await stop();
    assert.ok(performance.now() - began < 1_000, 'it does not wait for the probe');
    const asked = cache.requests.length;
    await eventually('its connections end', async () => (await cache.connections()) === 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(cache.requests.length, asked);
    assert.deepEqual(await database.queries('content_cache_health').pluck('lease_until'), [0]);
    assert.deepEqual(
      logs.filter(({ level }) => level === 'error'),
      [],
    );
  });

  it('a cache that was deleted is not looked at any more', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    const { health } = watch(database);
    await health.start();
    await eventually('it is healthy', () => health.stateOf(id) === 'healthy');
    await deleteContentCache(database.queries, id);
    health.forget(id);
    const asked = cache.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(cache.requests.length, asked);
    assert.equal(health.stateOf(id), 'unknown');
    assert.equal(await health.probe(id), undefined);
  });

  it('what a cache was is known after a restart, before it is looked at', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    const first = watch(database);
    await first.health.changed(id);
    await first.stop();
    const { health } = watch(database, { intervalMs: 3_600_000 });
    await health.start();
    assert.equal(health.stateOf(id), 'healthy');
    assert.deepEqual(health.find(id), first.health.find(id));
  });

  it('the usage that comes with a probe is collected', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    const collected: unknown[] = [];
    const usage: UsageCollector = {
      positionOf: async () => ({ processId: 'process-1', sequence: 4 }),
      collect: async (of, status) => void collected.push([of.id, status.processId]),
    };
    await watch(database, { usage }).health.changed(id);
    assert.deepEqual(collected, [[id, 'process-1']]);
  });
});

describe('several origins on one database', () => {
  it('probe each cache once, and all know how it is', async () => {
    const database = await newDatabase();
    const caches = await Promise.all(Array.from({ length: 4 }, () => startFakeContentCache()));
    const ids: string[] = [];
    for (const cache of caches) ids.push(await register(database, cache.url));
    const origins = [watch(database), watch(database)];
    for (const { health } of origins) await health.start();
    await eventually('both know all', () =>
      origins.every(({ health }) => ids.every((id) => health.stateOf(id) === 'healthy')),
    );
    const requests = () => caches.reduce((sum, cache) => sum + cache.requests.length, 0);
    const [before, began] = [requests(), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // Two requests a probe: one origin's work in so many intervals, not two's.
    const perCache = (requests() - before) / 2 / caches.length;
    const intervals = (performance.now() - began) / 100;
    assert.ok(perCache >= 1 && perCache < 1.5 * intervals, `${perCache} probes in ${intervals} intervals`);
  });

  it('one that stops leaves its caches to the others at once', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    const first = watch(database);
    await first.health.start();
    await eventually('the first probes it', () => first.health.stateOf(id) === 'healthy');
    const second = watch(database);
    await second.health.start();
    await first.stop();
    cache.instead = refusing as never;
    await eventually('the second sees it die', () => second.health.stateOf(id) === 'down');
  });

  it('one learns what another found by a suspicion', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    const id = await register(database, cache.url);
    const [one, other] = [watch(database), watch(database)];
    await one.health.start();
    await other.health.start();
    await eventually('both know it', () =>
      [one, other].every(({ health }) => health.stateOf(id) === 'healthy'),
    );
    cache.instead = refusing as never;
    for (const { health } of [one, other]) health.suspect(id);
    await eventually('both know', () => [one, other].every(({ health }) => health.stateOf(id) === 'down'));
  });

  it('many caches are looked at in turn, 16 at a time', async () => {
    const database = await newDatabase();
    const cache = await startFakeContentCache();
    let running = 0;
    let most = 0;
    cache.instead = (_request, response) => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        response.end();
      }, 2);
      return true;
    };
    await database.transaction(async (tx) => {
      for (let number = 0; number < 60; number += 1) {
        await createContentCache(tx, { name: `cache-${number}`, host: cache.url }, 0);
      }
    });
    const { health } = watch(database, { intervalMs: 100 });
    await health.start();
    await eventually(
      'all were looked at',
      () => health.list().filter(({ record }) => record.probedAt).length === 60,
    );
    assert.ok(most <= 16, `${most} at a time`);
  });
});
