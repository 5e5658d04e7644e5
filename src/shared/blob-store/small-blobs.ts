/** The contents of small blobs in memory, least recently used first out. Content by digest never goes stale. */
import type { Digest } from '../distribution/digest.ts';

export class SmallBlobs {
  readonly #contents = new Map<Digest, Uint8Array>();
  readonly #capacityBytes: number;
  #keptBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  find(digest: Digest): Uint8Array | undefined {
    const bytes = this.#contents.get(digest);
    if (bytes === undefined) return undefined;
    // A Map iterates in order of insertion: re-inserting makes this the most recently used.
    this.#contents.delete(digest);
    this.#contents.set(digest, bytes);
    return bytes;
  }

  keep(digest: Digest, bytes: Uint8Array): void {
    this.forget(digest);
    this.#contents.set(digest, bytes);
    this.#keptBytes += bytes.byteLength;
    for (const oldest of this.#contents.keys()) {
      if (this.#keptBytes <= this.#capacityBytes) break;
      this.forget(oldest);
    }
  }

  forget(digest: Digest): void {
    const bytes = this.#contents.get(digest);
    if (bytes === undefined) return;
    this.#contents.delete(digest);
    this.#keptBytes -= bytes.byteLength;
  }
}
