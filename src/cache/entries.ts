/**
 * What is kept, and when it was last pulled. The times live in memory and are written down now and then: losing the
 * last few seconds of them costs nothing, losing them all makes every blob as old as this start.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore } from '../shared/blob-store/blob-store.ts';
import type { Clock } from '../shared/clock.ts';
import { type Digest, isDigest } from '../shared/distribution/digest.ts';
import type { Logger } from '../shared/logging.ts';

export class Entries {
  readonly #lastPulls = new Map<Digest, number>();
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #changed = false;
  #saving = Promise.resolve();

  /** `directory`: where `entries.json` is. */
  constructor(options: { directory: string; clock: Clock; logger: Logger }) {
    this.#path = join(options.directory, 'entries.json');
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** Reads what was written down, and looks at what is stored: neither alone is believed. */
  async load(store: BlobStore): Promise<void> {
    const written = await this.#read();
    const now = this.#clock();
    for await (const { digest } of store.list()) {
      // A time from the future would never expire.
      this.#lastPulls.set(digest, Math.min(written.get(digest) ?? now, now));
    }
    this.#changed = true;
  }

  /** The blob was pulled, or filled, just now. */
  touch(digest: Digest): void {
    this.#lastPulls.set(digest, this.#clock());
    this.#changed = true;
  }

  /** Blobs that nobody pulled since `time` (ms since the epoch). */
  idleSince(time: number): Digest[] {
    return [...this.#lastPulls].filter(([, lastPull]) => lastPull < time).map(([digest]) => digest);
  }

  forget(digest: Digest): void {
    this.#lastPulls.delete(digest);
    this.#changed = true;
  }

  /** Writes the times down if they changed. A failure is logged: it costs precision, not blobs. */
  save(): Promise<void> {
    // One after the other: they write to the same temporary file.
    this.#saving = this.#saving.then(() => this.#write());
    return this.#saving;
  }

  async #write(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    try {
      const temporary = `${this.#path}.new`;
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify(Object.fromEntries(this.#lastPulls)));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
    } catch (error) {
      this.#changed = true;
      this.#logger.warn({ err: error }, 'cannot write down when blobs were last pulled');
    }
  }

  async #read(): Promise<Map<Digest, number>> {
    try {
      const json: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      const pairs = Object.entries(json as Record<string, unknown>);
      return new Map(
        pairs.filter((pair): pair is [Digest, number] => isDigest(pair[0]) && Number.isFinite(pair[1])),
      );
    } catch {
      return new Map();
    }
  }
}
