/**
 * Collects what content caches did: the redirects that this origin counts itself, and the usage records that come with the
 * probes, each kept once however often it is told.
 */
import type { CacheStatus, UsageRecord } from '../../shared/cache-command-bodies.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logging.ts';
import type { Database } from '../database.ts';
import { type CacheAddress, type CacheClient, parseStatus, type UsagePosition } from './cache-client.ts';
import {
  addEntries,
  addUsage,
  advancePosition,
  findPosition,
  findSequence,
  nothingUsed,
  removeOldUsage,
  startOf,
  type UsageEntry,
  type UsageSums,
} from './usage-records.ts';

const flushMs = 60_000;
const removalMs = 600_000;
/** Redirects of so many users and repositories are kept in memory at most. */
const maximumCounted = 20_000;
/** Of 64 KiB each; the rest comes with the next probe. */
const maximumPages = 20;
const pageMs = 3_000;
/** More than any cache can do in a minute: what says more is not believed, and cannot make a sum overflow. */
const maximumCount = 1e9;
const maximumBytes = 2 ** 44;

export class Usage {
  readonly #database: Database;
  readonly #client: CacheClient;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #onKept: (cacheId: string, sums: UsageSums) => void;
  readonly #positions = new Map<string, UsagePosition>();
  #counted = new Map<string, UsageEntry & { redirects: number }>();
  #timers: NodeJS.Timeout[] = [];
  #flushing: Promise<void> = Promise.resolve();

  /** `onKept`: told of everything that is kept, once. */
  constructor(options: {
    database: Database;
    client: CacheClient;
    logger: Logger;
    clock: Clock;
    onKept?: (cacheId: string, sums: UsageSums) => void;
  }) {
    this.#database = options.database;
    this.#client = options.client;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#onKept = options.onKept ?? (() => {});
  }

  start(): void {
    this.#timers = [
      setInterval(() => this.#flushSoon(), flushMs),
      setInterval(() => this.#removeOld(), removalMs),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /** Writes down what was counted since the last minute. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.flush();
  }

  /** A pull was sent to the cache. Cheap: for each pull. */
  countRedirect(cacheId: string, repository: string, user: string): void {
    const minute = startOf('minute', this.#clock());
    const key = `${minute}\n${cacheId}\n${repository}\n${user}`;
    const entry = this.#counted.get(key);
    if (entry !== undefined) {
      entry.redirects += 1;
      return;
    }
    this.#counted.set(key, { ...nothingUsed, cacheId, repository, user, minute, redirects: 1 });
    if (this.#counted.size >= maximumCounted) this.#flushSoon();
  }

  /** Writes down the redirects that were counted. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  async positionOf(cacheId: string): Promise<UsagePosition | undefined> {
    const known = this.#positions.get(cacheId) ?? (await findPosition(this.#database.queries, cacheId));
    if (known !== undefined) this.#positions.set(cacheId, known);
    return known;
  }

  /** Keeps the records of a status, and asks for the rest of them. */
  async collect(cache: CacheAddress, first: CacheStatus, signal: AbortSignal): Promise<void> {
    let status: CacheStatus | undefined = first;
    for (let page = 0; status !== undefined && page < maximumPages; page += 1) {
      const { processId, usage } = status;
      if (usage.records.length === 0) return;
      await this.#keep(cache.id, processId, usage.records);
      const position = { processId, sequence: usage.next };
      this.#positions.set(cache.id, position);
      if (!usage.more) return;
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(pageMs)]);
      const answer = await this.#client.status(cache, position, deadline);
      status = parseStatus(answer);
    }
  }

  async #keep(cacheId: string, processId: string, records: readonly UsageRecord[]): Promise<void> {
    const now = this.#clock();
    const entries = await this.#database.transaction(async (tx) => {
      const from = await findSequence(tx, cacheId, processId);
      const fresh = records.filter(({ sequence }) => sequence > from);
      const to = Math.max(...fresh.map(({ sequence }) => sequence));
      if (fresh.length === 0 || !(await advancePosition(tx, { cacheId, processId, from, to }, now)))
        return [];
      const kept = fresh.map((record) => entryOf(cacheId, record, now));
      await addEntries(tx, kept);
      return kept;
    });
    if (entries.length > 0) this.#onKept(cacheId, entries.reduce<UsageSums>(addUsage, nothingUsed));
  }

  async #flush(): Promise<void> {
    if (this.#counted.size === 0) return;
    const counted = this.#counted;
    this.#counted = new Map();
    try {
      await this.#database.transaction((tx) => addEntries(tx, [...counted.values()]));
      for (const entry of counted.values()) this.#onKept(entry.cacheId, entry);
    } catch (error) {
      this.#logger.error({ err: error }, 'counted redirects could not be kept; they are tried again');
      // Back with those counted since, unless there are too many by now.
      if (this.#counted.size + counted.size > 2 * maximumCounted) return;
      for (const [key, entry] of counted) {
        const since = this.#counted.get(key)?.redirects ?? 0;
        this.#counted.set(key, { ...entry, redirects: entry.redirects + since });
      }
    }
  }

  #flushSoon(): void {
    this.flush();
  }

  async #removeOld(): Promise<void> {
    try {
      await removeOldUsage(this.#database.queries, this.#clock());
    } catch (error) {
      this.#logger.error({ err: error }, 'old usage of content caches could not be removed');
    }
  }
}

/** A minute that has not come yet is a clock that is wrong. */
function entryOf(cacheId: string, record: UsageRecord, now: number): UsageEntry {
  return {
    cacheId,
    minute: Math.min(startOf('minute', record.minute), startOf('minute', now)),
    // The empty one stands for all of them.
    repository: record.repository === '' ? '*' : record.repository,
    user: record.user,
    redirects: 0,
    hits: Math.min(record.hits, maximumCount),
    misses: Math.min(record.misses, maximumCount),
    errors: Math.min(record.errors, maximumCount),
    bytesServed: Math.min(record.bytesServed, maximumBytes),
    bytesFetched: Math.min(record.bytesFetched, maximumBytes),
  };
}
