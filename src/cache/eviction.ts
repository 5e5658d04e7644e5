/** Eviction by idle time: deletes what was not pulled within `blobttl`. Whoever is reading reads on to the end. */
import type { BlobStore } from '../shared/blob-store/blob-store.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logging.ts';
import type { Entries } from './entries.ts';
import type { CacheMetrics } from './metrics.ts';

/** Deletes every blob whose last pull is longer ago than `ttlMs`; returns how many. */
export async function evictIdle(
  options: { entries: Entries; store: BlobStore; clock: Clock; logger: Logger; metrics: CacheMetrics },
  ttlMs: number,
): Promise<number> {
  const { entries, store, clock, logger, metrics } = options;
  let evicted = 0;
  for (const digest of entries.idleSince(clock() - ttlMs)) {
    entries.forget(digest);
    const sizeBytes = await store.stat(digest);
    if (!(await store.remove(digest))) continue;
    evicted += 1;
    metrics.evicted('idle', 1, sizeBytes ?? 0);
  }
  if (evicted > 0) logger.info({ evicted }, 'evicted blobs that were not pulled within blobttl');
  return evicted;
}

/** How often to look, so that a blob outlives its time by a quarter at most. */
export function sweepIntervalMs(ttlMs: number | undefined): number {
  return ttlMs === undefined ? 5_000 : Math.max(100, Math.min(ttlMs / 4, 5_000));
}
