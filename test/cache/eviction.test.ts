import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { Entries } from '../../src/cache/entries.ts';
import { Eviction, type Limits } from '../../src/cache/eviction.ts';
import { CacheMetrics } from '../../src/cache/metrics.ts';
import { DirectoryBlobStore } from '../../src/shared/blob-store/directory.ts';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { keepingLogger } from '../setup/logger.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const hour = 3_600_000;
const start = Date.now();

/** A store of blobs and their entries, on a clock that the test moves. */
async function cacheAt(directory: string, time: { now: number }) {
  const clock = () => time.now;
  const { logger } = keepingLogger();
  const metrics = new CacheMetrics();
  const store = new DirectoryBlobStore(directory);
  await store.prepare();
  const entries = new Entries({ directory, clock, logger });
  await entries.reconcile(store);
  const fill = async (sizeBytes = 100): Promise<Digest> => {
    const bytes = randomBytes(sizeBytes);
    const digest = digestOf(bytes);
    const writer = await store.begin(`fill-${digest.slice(-8)}`);
    await writer.write(bytes);
    await writer.publish(digest);
    entries.touch(digest, sizeBytes);
    time.now += 1;
    return digest;
  };
  const evictionBy = (limits: Limits) => new Eviction({ entries, store, clock, logger, metrics, limits });
  return { store, entries, fill, evictionBy, evict: (limits: Limits) => evictionBy(limits).sweep() };
}

const day = { blobTtlMs: 24 * hour };

it('deletes what was not pulled within its time, counted from the last pull', async () => {
  const time = { now: start };
  const { store, entries, fill, evict } = await cacheAt(await tempDirectory(), time);
  const [pulled, forgotten] = [await fill(), await fill()];
  time.now += 20 * hour;
  entries.touch(pulled, 100);
  time.now += 5 * hour;
  assert.equal(await evict(day), 1);
  assert.equal(await store.stat(forgotten), undefined);
  assert.equal(await store.stat(pulled), 100);
  time.now += 20 * hour;
  assert.equal(await evict(day), 1);
  assert.equal(await store.stat(pulled), undefined);
  assert.equal(entries.totalBytes(), 0);
});

it('remembers over a restart when a blob was last pulled, and applies a new time to old blobs', async () => {
  const time = { now: start };
  const directory = await tempDirectory();
  const first = await cacheAt(directory, time);
  const digest = await first.fill();
  await first.entries.close();
  time.now += 10 * hour;
  const second = await cacheAt(directory, time);
  assert.equal(await second.evict(day), 0);
  assert.equal(await second.evict({ blobTtlMs: 5 * hour }), 1);
  assert.equal(await second.store.stat(digest), undefined);
});

it('deletes what was filled too long ago, however often it is pulled', async () => {
  const time = { now: start };
  const { store, entries, fill, evict } = await cacheAt(await tempDirectory(), time);
  const digest = await fill();
  await entries.save();
  time.now += 25 * hour;
  entries.touch(digest, 100);
  assert.equal(await evict({ maxAgeMs: 26 * hour }), 0);
  assert.equal(await evict({ maxAgeMs: 24 * hour }), 1);
  assert.equal(await store.stat(digest), undefined);
});

it('keeps to the greatest size, deleting the least recently pulled first', async () => {
  const time = { now: start };
  const { store, entries, fill, evict } = await cacheAt(await tempDirectory(), time);
  const [old, newer, newest] = [await fill(1000), await fill(1000), await fill(1000)];
  await entries.save();
  entries.touch(old, 1000);
  assert.equal(await evict({ maxSizeBytes: 3000 }), 0);
  assert.equal(await evict({ maxSizeBytes: 2500 }), 1);
  assert.equal(await store.stat(newer), undefined);
  assert.equal(await store.stat(old), 1000);
  assert.equal(await evict({ maxSizeBytes: 1000 }), 1);
  assert.equal(await store.stat(newest), undefined);
});

it('above the high watermark of the disk it deletes down to the low one, the least recently pulled first', async () => {
  const time = { now: start };
  const { store, fill, evict } = await cacheAt(await tempDirectory(), time);
  const [first, second] = [await fill(1000), await fill(1000)];
  // A disk of its own, which nobody else fills meanwhile.
  store.disk = async () => ({ sizeBytes: 10_000, freeBytes: 500 });
  assert.equal(await evict({ watermarks: { high: 0.96, low: 0.5 } }), 0);
  assert.equal(await evict({ watermarks: { high: 0.92, low: 0.9 } }), 1);
  assert.equal(await store.stat(first), undefined);
  assert.equal(await store.stat(second), 1000);
});

it('deletes nothing when all blobs together would not make room enough', async () => {
  const { fill, evictionBy, store } = await cacheAt(await tempDirectory(), { now: start });
  const digest = await fill();
  assert.equal(await evictionBy({}).makeRoom(Number.MAX_SAFE_INTEGER), false);
  assert.equal(await store.stat(digest), 100);
});

it('forgets what was deleted behind its back', async () => {
  const time = { now: start };
  const directory = await tempDirectory();
  const first = await cacheAt(directory, time);
  await first.fill();
  await first.entries.close();
  await rm(join(directory, 'blobs', 'sha256'), { recursive: true });
  assert.equal((await cacheAt(directory, time)).entries.totalBytes(), 0);
});

for (const [what, index] of [
  ['not SQLite', 'nonsense '.repeat(2000)],
  ['empty', ''],
  ['lost', undefined],
] as const) {
  it(`with an index that is ${what}, no blob becomes immortal and none is lost at once`, async () => {
    const time = { now: start };
    const directory = await tempDirectory();
    const first = await cacheAt(directory, time);
    await first.fill();
    await first.entries.close();
    for (const file of await readdir(directory)) {
      if (!file.startsWith('entries.')) continue;
      await rm(join(directory, file));
      if (index !== undefined) await writeFile(join(directory, file), index);
    }
    const second = await cacheAt(directory, time);
    assert.equal(await second.evict(day), 0);
    time.now += 25 * hour;
    assert.equal(await second.evict(day), 1);
  });
}
