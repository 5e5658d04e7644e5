/** What the origin does by itself from time to time: garbage collection, and a look at its database. */
import { formatBytes } from '../shared/byte-size.ts';
import type { Logger } from '../shared/logging.ts';
import type { Database } from './database.ts';
import type { CollectionPolicy, GarbageCollection } from './images/garbage-collection.ts';

/** Not in the minutes in which an admin watches it start, and soon enough for one that is restarted every day. */
const firstRunMs = 15 * 60_000;

const watchIntervalMs = 60_000;
/** SQLite merges its log at a few MiB; so much of it means that something keeps it from doing so. */
const unmergedAlarmBytes = 256 * 1024 * 1024;

export class Housekeeping {
  readonly #database: Database;
  readonly #collection: GarbageCollection;
  readonly #policy: CollectionPolicy;
  readonly #intervalMs: number | undefined;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #watching: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: {
    database: Database;
    collection: GarbageCollection;
    policy: CollectionPolicy;
    /** Between two collections; `undefined` when there are none by themselves. */
    intervalMs: number | undefined;
    logger: Logger;
  }) {
    this.#database = options.database;
    this.#collection = options.collection;
    this.#policy = options.policy;
    this.#intervalMs = options.intervalMs;
    this.#logger = options.logger;
  }

  start(): void {
    this.#watching = setInterval(() => this.#watch(), watchIntervalMs);
    this.#watching.unref();
    if (this.#intervalMs !== undefined) this.#wait(Math.min(firstRunMs, this.#intervalMs), this.#intervalMs);
  }

  /** Ends a running collection at its next step, which loses nothing. */
  async stop(): Promise<void> {
    clearInterval(this.#watching);
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#running;
  }

  #wait(delayMs: number, intervalMs: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#run().then(() => {
        if (!this.#stopping.signal.aborted) this.#wait(intervalMs, intervalMs);
      });
    }, delayMs);
    this.#timer.unref();
  }

  async #watch(): Promise<void> {
    const bytes = await this.#database.unmergedBytes();
    if (bytes < unmergedAlarmBytes) return;
    this.#logger.warn(
      { unmerged: formatBytes(bytes) },
      'the database cannot merge its log: does another program hold it open, such as a backup or a shell?',
    );
  }

  async #run(): Promise<void> {
    try {
      const removed = await this.#collection.collect(this.#policy, this.#stopping.signal);
      if (removed === undefined) this.#logger.info('garbage collection: another one is running');
      else this.#logger.info({ removed }, 'garbage collection');
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#logger.error({ err: error }, 'garbage collection failed; it is tried again later');
    }
  }
}
