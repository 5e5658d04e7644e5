/** What the origin does by itself from time to time: garbage collection. */
import type { Logger } from '../shared/logging.ts';
import type { CollectionPolicy, GarbageCollection } from './images/garbage-collection.ts';

/** Not in the minutes in which an admin watches it start, and soon enough for one that is restarted every day. */
const firstRunMs = 15 * 60_000;

export class Housekeeping {
  readonly #collection: GarbageCollection;
  readonly #policy: CollectionPolicy;
  readonly #intervalMs: number;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: {
    collection: GarbageCollection;
    policy: CollectionPolicy;
    intervalMs: number;
    logger: Logger;
  }) {
    this.#collection = options.collection;
    this.#policy = options.policy;
    this.#intervalMs = options.intervalMs;
    this.#logger = options.logger;
  }

  start(): void {
    this.#wait(Math.min(firstRunMs, this.#intervalMs));
  }

  /** Ends a running collection at its next step, which loses nothing. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#running;
  }

  #wait(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#run().then(() => {
        if (!this.#stopping.signal.aborted) this.#wait(this.#intervalMs);
      });
    }, delayMs);
    this.#timer.unref();
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
