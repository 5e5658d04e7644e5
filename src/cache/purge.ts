/** Purging: removing blobs because an origin says so. Whoever is reading one reads on to its end. */
import type { BlobStore } from '../shared/blob-store/blob-store.ts';
import type { PurgeAnswer } from '../shared/cache-command-bodies.ts';
import type { Digest } from '../shared/distribution/digest.ts';
import type { Entries } from './entries.ts';
import type { Fills } from './fills.ts';
import type { CacheMetrics } from './metrics.ts';

/** Everything is removed in parts, so that whoever asked is answered within seconds: 20,000 files took one to three. */
const defaultMaximumAtOnce = 20_000;

export class Purge {
  readonly #store: BlobStore;
  readonly #entries: Entries;
  readonly #fills: Fills;
  readonly #metrics: CacheMetrics;
  readonly #maximumAtOnce: number;

  constructor(options: {
    store: BlobStore;
    entries: Entries;
    fills: Fills;
    metrics: CacheMetrics;
    maximumAtOnce?: number;
  }) {
    this.#store = options.store;
    this.#entries = options.entries;
    this.#fills = options.fills;
    this.#metrics = options.metrics;
    this.#maximumAtOnce = options.maximumAtOnce ?? defaultMaximumAtOnce;
  }

  /** Removes these, and what is on its way of them. */
  async blobs(digests: readonly Digest[]): Promise<PurgeAnswer> {
    const removed = { blobs: 0, bytes: 0 };
    for (const digest of digests) {
      // First: what is being filled would come after the removal.
      await this.#fills.purge(digest);
      await this.#remove(digest, await this.#store.stat(digest), removed);
    }
    return this.#answer(removed, false);
  }

  /** Removes whatever is stored, or as much of it as may be done at once. */
  async everything(): Promise<PurgeAnswer> {
    const removed = { blobs: 0, bytes: 0 };
    await this.#fills.purgeAll();
    for await (const { digest, sizeBytes } of this.#store.list()) {
      if (removed.blobs >= this.#maximumAtOnce) return this.#answer(removed, true);
      await this.#remove(digest, sizeBytes, removed);
    }
    return this.#answer(removed, false);
  }

  async #remove(
    digest: Digest,
    sizeBytes: number | undefined,
    removed: { blobs: number; bytes: number },
  ): Promise<void> {
    const isRemoved = await this.#store.remove(digest);
    this.#entries.forget(digest);
    if (!isRemoved) return;
    removed.blobs += 1;
    removed.bytes += sizeBytes ?? 0;
  }

  #answer({ blobs, bytes }: { blobs: number; bytes: number }, more: boolean): PurgeAnswer {
    if (blobs > 0) this.#metrics.evicted('purge', blobs, bytes);
    return { blobs, bytes, more };
  }
}
