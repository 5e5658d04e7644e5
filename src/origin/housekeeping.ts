/** What the origin does by itself: once what another run left undone; from time to time garbage collection, and small chores. */
import { formatBytes } from '../shared/byte-size.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logging.ts';
import { finishDeletions } from './accounts/account-deletion.ts';
import { removeExpiredSignIns } from './accounts/sessions.ts';
import type { Database } from './database.ts';
import { removeEventsBefore } from './events/events.ts';
import type { CollectionPolicy, GarbageCollection } from './images/garbage-collection.ts';
import type { SigningKeys } from './keys/signing-keys.ts';

/** Not in the minutes in which an admin watches it start, and soon enough for one that is restarted every day. */
const firstRunMs = 15 * 60_000;
/** A backup at the same hour of every day must not keep it from ever collecting. */
const retryMs = 15 * 60_000;

/** Between two looks at what is to be forgotten, and how much of it at a time: each is one write, of some statements for each actor. */
const forgetIntervalMs = 10 * 60_000;
const forgetAtOnce = 1_000;

/** Between two looks at the signing keys: much less than a new one is published before it signs. */
const keyIntervalMs = 5_000;

const watchIntervalMs = 60_000;
/** SQLite merges its log at a few MiB; so much of it means that something keeps it from doing so. */
const unmergedAlarmBytes = 256 * 1024 * 1024;

/** A small thing that is done again and again. */
interface Chore {
  /** For the log, when it fails. */
  readonly name: string;
  readonly intervalMs: number;
  readonly run: () => Promise<void>;
}

export class Housekeeping {
  readonly #database: Database;
  readonly #keys: SigningKeys;
  readonly #collection: GarbageCollection;
  readonly #policy: CollectionPolicy;
  readonly #intervalMs: number | undefined;
  readonly #eventAgeMs: number | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #chores: NodeJS.Timeout[] = [];
  #running: Promise<void> = Promise.resolve();
  #finishing: Promise<void> = Promise.resolve();

  constructor(options: {
    database: Database;
    keys: SigningKeys;
    collection: GarbageCollection;
    policy: CollectionPolicy;
    /** Between two collections; `undefined` when there are none by themselves. */
    intervalMs: number | undefined;
    /** How long the trail is kept, in ms; `undefined`: for ever. */
    eventAgeMs: number | undefined;
    clock: Clock;
    logger: Logger;
  }) {
    this.#database = options.database;
    this.#keys = options.keys;
    this.#collection = options.collection;
    this.#policy = options.policy;
    this.#intervalMs = options.intervalMs;
    this.#eventAgeMs = options.eventAgeMs;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  start(): void {
    this.#finishing = this.#do({ name: 'finishing deletions of accounts', run: () => this.#finish() });
    const chores: Chore[] = [
      { name: 'looking at the log of writes', intervalMs: watchIntervalMs, run: () => this.#watch() },
      {
        name: 'forgetting old events and sessions',
        intervalMs: forgetIntervalMs,
        run: () => this.#forget(),
      },
      { name: 'looking for new signing keys', intervalMs: keyIntervalMs, run: () => this.#keys.refresh() },
    ];
    this.#chores = chores.map((chore) => setInterval(() => this.#do(chore), chore.intervalMs).unref());
    if (this.#intervalMs !== undefined) this.#wait(Math.min(firstRunMs, this.#intervalMs), this.#intervalMs);
  }

  /** Ends a running collection at its next step, which loses nothing. */
  async stop(): Promise<void> {
    for (const chore of this.#chores) clearInterval(chore);
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#running;
    await this.#finishing;
  }

  #wait(delayMs: number, intervalMs: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#run().then((done) => {
        if (this.#stopping.signal.aborted) return;
        this.#wait(done ? intervalMs : Math.min(retryMs, intervalMs), intervalMs);
      });
    }, delayMs);
    this.#timer.unref();
  }

  async #do({ name, run }: Pick<Chore, 'name' | 'run'>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#logger.error({ err: error }, `${name} failed; it is tried again later`);
    }
  }

  /** What is being deleted at the start is what a run before did not finish. */
  async #finish(): Promise<void> {
    const parts = { database: this.#database, clock: this.#clock };
    const accounts = await finishDeletions(parts, this.#stopping.signal);
    if (accounts.length > 0) this.#logger.info({ accounts }, 'finished deletions of accounts');
  }

  async #watch(): Promise<void> {
    const bytes = await this.#database.unmergedBytes();
    if (bytes < unmergedAlarmBytes) return;
    this.#logger.warn(
      { unmerged: formatBytes(bytes) },
      'the database cannot merge its log: does another program hold it open, such as a backup or a shell?',
    );
  }

  /** Sessions that ended, and events that are old enough. */
  async #forget(): Promise<void> {
    const { queries } = this.#database;
    const now = this.#clock();
    await removeExpiredSignIns(queries, now);
    if (this.#eventAgeMs === undefined) return;
    while (!this.#stopping.signal.aborted) {
      const before = now - this.#eventAgeMs;
      const removed = await this.#database.transaction((tx) => removeEventsBefore(tx, before, forgetAtOnce));
      if (removed < forgetAtOnce) return;
    }
  }

  /** False when it could not begin. */
  async #run(): Promise<boolean> {
    try {
      const removed = await this.#collection.collect(this.#policy, this.#stopping.signal);
      if (removed === undefined)
        this.#logger.info('garbage collection waits: another one or a backup is running');
      else this.#logger.info({ removed }, 'garbage collection');
      return removed !== undefined;
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        this.#logger.error({ err: error }, 'garbage collection failed; it is tried again later');
      return true;
    }
  }
}
