/** Purging: removing blobs because an origin says so. Whoever is reading one reads on to its end. */
import type { BlobStore } from '../shared/blob-store/blob-store.ts';
import type { PurgeAnswer } from '../shared/cache-command-bodies.ts';
import type { Digest } from '../shared/distribution/digest.ts';
import type { Entries } from './entries.ts';
import type { Fills } from './fills.ts';
import type { CacheMetrics } from './metrics.ts';

/** So long it may take until there is an answer, which then says that there is more: of a million files, or of a slow disk. */
const defaultAtOnceMs = 3_000;
/** Files that are removed at the same time. */
const together = 16;

export class Purge {
  readonly #store: BlobStore;
  readonly #entries: Entries;
  readonly #fills: Fills;
  readonly #metrics: CacheMetrics;
  readonly #atOnceMs: number;

  constructor(options: {
    store: BlobStore;
    entries: Entries;
    fills: Fills;
    metrics: CacheMetrics;
    atOnceMs?: number;
  }) {
    this.#store = options.store;
    this.#entries = options.entries;
    this.#fills = options.fills;
    this.#metrics = options.metrics;
    this.#atOnceMs = options.atOnceMs ?? defaultAtOnceMs;
  }

  /** Removes these, and what is on its way of them. */
  blobs(digests: readonly Digest[]): Promise<PurgeAnswer> {
    return this.#removeEach(digests, async (digest) => {
      // First: what is being filled would come after the removal.
      await this.#fills.purge(digest);
      return { digest, sizeBytes: await this.#store.stat(digest) };
    });
  }

  /** Removes whatever is stored, and what is on its way. */
  async everything(): Promise<PurgeAnswer> {
    await this.#fills.purgeAll();
    return this.#removeEach(this.#store.list(), async (blob) => blob);
  }

  async #removeEach<Item>(
    items: Iterable<Item> | AsyncIterable<Item>,
    find: (item: Item) => Promise<{ digest: Digest; sizeBytes: number | undefined }>,
  ): Promise<PurgeAnswer> {
    const removed = { blobs: 0, bytes: 0 };
    const remove = async (item: Item) => {
      const { digest, sizeBytes = 0 } = await find(item);
      const isRemoved = await this.#store.remove(digest);
      this.#entries.forget(digest);
      if (!isRemoved) return;
      removed.blobs += 1;
      removed.bytes += sizeBytes;
    };
    const endsAt = performance.now() + this.#atOnceMs;
    let batch: Item[] = [];
    let more = false;
    for await (const item of items) {
      // Something is removed each time, so that asking again comes to an end.
      more = removed.blobs > 0 && performance.now() >= endsAt;
      if (more) break;
      batch.push(item);
      if (batch.length < together) continue;
      await Promise.all(batch.map(remove));
      batch = [];
    }
    await Promise.all(batch.map(remove));
    if (removed.blobs > 0) this.#metrics.evicted('purge', removed.blobs, removed.bytes);
    return { ...removed, more };
  }
}
