/**
 * Eviction: what was not pulled within `blobttl`, what is older than the greatest age, and, least recently pulled first, what
 * is too much for the size allowed or for the disk. Whoever is reading a blob reads on to its end.
 */
import type { DirectoryBlobStore } from '../shared/blob-store/directory.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logging.ts';
import type { Entries, Entry } from './entries.ts';
import type { CacheMetrics, EvictionReason } from './metrics.ts';

/** What may be kept; `undefined`: no limit. */
export interface Limits {
  /** Since the last pull. */
  readonly blobTtlMs?: number | undefined;
  /** Since the fill. */
  readonly maxAgeMs?: number | undefined;
  readonly maxSizeBytes?: number | undefined;
  /** Fractions of the disk in use: above the high one, blobs are deleted until the low one is reached. */
  readonly watermarks?: { readonly high: number; readonly low: number } | undefined;
}

/** Room is made for more than one blob at a time. */
const leastRoomBytes = 64 * 1024 * 1024;

export class Eviction {
  readonly #entries: Entries;
  readonly #store: DirectoryBlobStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: Limits;
  readonly #metrics: CacheMetrics;
  #running = Promise.resolve();

  constructor(options: {
    entries: Entries;
    store: DirectoryBlobStore;
    clock: Clock;
    logger: Logger;
    metrics: CacheMetrics;
    limits: Limits;
  }) {
    this.#metrics = options.metrics;
    this.#entries = options.entries;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#limits = options.limits;
  }

  /** Applies every limit once, and writes down the pulls until now; resolves with the number of blobs deleted. */
  sweep(): Promise<number> {
    return this.#afterTheLast(async () => {
      await this.#entries.save();
      const { blobTtlMs, maxAgeMs, maxSizeBytes } = this.#limits;
      const now = this.#clock();
      let evicted = 0;
      if (blobTtlMs !== undefined) {
        evicted += await this.#evict('idle', () => this.#entries.idleSince(now - blobTtlMs));
      }
      if (maxAgeMs !== undefined) {
        evicted += await this.#evict('age', () => this.#entries.filledBefore(now - maxAgeMs));
      }
      if (maxSizeBytes !== undefined) {
        evicted += await this.#evictUntil('size', this.#entries.totalBytes() - maxSizeBytes);
      }
      return evicted + (await this.#keepBelowWatermark());
    });
  }

  /** Deletes the least recently pulled blobs until that many bytes are free; true if they are. */
  makeRoom(sizeBytes: number): Promise<boolean> {
    return this.#afterTheLast(async () => {
      const lacking = async () => sizeBytes - (await this.#store.disk()).freeBytes;
      const lackingBytes = await lacking();
      // Not even all of them would make room enough: none is lost for nothing.
      if (lackingBytes > this.#entries.totalBytes()) return false;
      await this.#entries.save();
      await this.#evictUntil('disk', Math.max(lackingBytes, leastRoomBytes));
      return (await lacking()) <= 0;
    });
  }

  async #keepBelowWatermark(): Promise<number> {
    const { watermarks } = this.#limits;
    if (watermarks === undefined) return 0;
    const { sizeBytes, freeBytes } = await this.#store.disk();
    const usedBytes = sizeBytes - freeBytes;
    if (usedBytes <= sizeBytes * watermarks.high) return 0;
    return this.#evictUntil('disk', usedBytes - sizeBytes * watermarks.low);
  }

  #evictUntil(reason: EvictionReason, excessBytes: number): Promise<number> {
    let excess = excessBytes;
    return this.#evict(reason, () => {
      const chosen: Entry[] = [];
      for (const entry of excess > 0 ? this.#entries.leastRecentlyPulled() : []) {
        if (excess <= 0) break;
        excess -= entry.sizeBytes;
        chosen.push(entry);
      }
      return chosen;
    });
  }

  /** Deletes what `choose` gives until it gives nothing more. */
  async #evict(reason: EvictionReason, choose: () => Entry[]): Promise<number> {
    let [evicted, bytes] = [0, 0];
    for (let entries = choose(); entries.length > 0; entries = choose()) {
      let changed = false;
      for (const { digest, sizeBytes } of entries) {
        // The file first: on a full disk the index can only be written after it.
        const isRemoved = await this.#store.remove(digest);
        changed = this.#entries.forget(digest) || isRemoved || changed;
        if (!isRemoved) continue;
        evicted += 1;
        bytes += sizeBytes;
      }
      // The same would be chosen again.
      if (!changed) break;
    }
    if (evicted === 0) return 0;
    this.#metrics.evicted(reason, evicted, bytes);
    this.#logger.info({ evicted, bytes, reason }, 'evicted blobs');
    return evicted;
  }

  #afterTheLast<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#running.then(work);
    this.#running = done.then(
      () => {},
      () => {},
    );
    return done;
  }
}

/** How often to look, so that a blob outlives its time by a quarter at most. */
export function sweepIntervalMs(ttlMs: number | undefined): number {
  return ttlMs === undefined ? 5_000 : Math.max(100, Math.min(ttlMs / 4, 5_000));
}
