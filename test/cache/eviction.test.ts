import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { Entries } from '../../src/cache/entries.ts';
import { evictIdle } from '../../src/cache/eviction.ts';
import { CacheMetrics } from '../../src/cache/metrics.ts';
import { DirectoryBlobStore } from '../../src/shared/blob-store/directory.ts';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { keepingLogger } from '../setup/logger.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const hour = 3_600_000;

/** A store of blobs and their entries, on a clock that the test moves. */
async function cacheAt(directory: string, time: { now: number }) {
  const clock = () => time.now;
  const { logger } = keepingLogger();
  const store = new DirectoryBlobStore(directory);
  await store.prepare();
  const entries = new Entries({ directory, clock, logger });
  await entries.load(store);
  const fill = async (): Promise<Digest> => {
    const bytes = randomBytes(100);
    const writer = await store.begin('filling');
    await writer.write(bytes);
    await writer.publish(digestOf(bytes));
    entries.touch(digestOf(bytes));
    return digestOf(bytes);
  };
  return {
    store,
    entries,
    fill,
    evict: (ttlMs: number) =>
      evictIdle({ entries, store, clock, logger, metrics: new CacheMetrics() }, ttlMs),
  };
}

it('deletes what was not pulled within its time, counted from the last pull', async () => {
  const time = { now: 1_000_000_000_000 };
  const { store, entries, fill, evict } = await cacheAt(await tempDirectory(), time);
  const [pulled, forgotten] = [await fill(), await fill()];
  time.now += 20 * hour;
  entries.touch(pulled);
  time.now += 5 * hour;
  assert.equal(await evict(24 * hour), 1);
  assert.equal(await store.stat(forgotten), undefined);
  assert.equal(await store.stat(pulled), 100);
  time.now += 20 * hour;
  assert.equal(await evict(24 * hour), 1);
  assert.equal(await store.stat(pulled), undefined);
});

it('remembers over a restart when a blob was last pulled, and applies a new time to old blobs', async () => {
  const time = { now: 1_000_000_000_000 };
  const directory = await tempDirectory();
  const first = await cacheAt(directory, time);
  const digest = await first.fill();
  await first.entries.save();
  time.now += 10 * hour;
  const second = await cacheAt(directory, time);
  assert.equal(await second.evict(24 * hour), 0);
  assert.equal(await second.evict(5 * hour), 1);
  assert.equal(await second.store.stat(digest), undefined);
});

for (const index of ['not JSON', '{"sha256:x":1}', '[]', '{}']) {
  it(`with an index that is ${index}, no blob becomes immortal and none is lost at once`, async () => {
    const time = { now: 1_000_000_000_000 };
    const directory = await tempDirectory();
    const first = await cacheAt(directory, time);
    await first.fill();
    await writeFile(join(directory, 'entries.json'), index);
    const second = await cacheAt(directory, time);
    assert.equal(await second.evict(24 * hour), 0);
    time.now += 25 * hour;
    assert.equal(await second.evict(24 * hour), 1);
  });
}
