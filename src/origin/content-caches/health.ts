/**
 * Watches the content caches: probes each in turn, remembers how it is, and tells at once who chooses. Several origins on one
 * database share the probing by leases of single caches, and what each of them finds.
 */
import { randomUUID } from 'node:crypto';
import type { CacheStatus } from '../../shared/cache-command-bodies.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logging.ts';
import type { Database } from '../database.ts';
import type { CacheAddress, CacheClient, UsagePosition } from './cache-client.ts';
import {
  addMissingRecords,
  claimLeases,
  findWatched,
  type HealthRecord,
  listWatched,
  releaseLeases,
  resetRecord,
  reviseRecord,
  summarizeRecords,
  type WatchedCache,
  writeRecord,
} from './health-records.ts';
import { type HealthState, isUndecided } from './health-state.ts';
import { probe } from './probes.ts';
import { beginWatch, isNews, newsOf, takeFinding, type Watch } from './watch.ts';

/** What collects the usage records that come with the probes. */
export interface UsageCollector {
  /** The last record that is kept of the cache. */
  positionOf(cacheId: string): Promise<UsagePosition | undefined>;
  /** Keeps the records of a status, and asks for the rest of them. */
  collect(cache: CacheAddress, status: CacheStatus, signal: AbortSignal): Promise<void>;
}

/** Probes at a time, and begun in a second: a thousand caches take their turns. */
const maximumRunning = 16;
const maximumPerSecond = 50;
/** What has not changed is written down at their end. */
const leaseMs = 30_000;
const suspicionPauseMs = 1_000;
const missingMs = 30_000;

export class CacheHealth {
  readonly #database: Database;
  readonly #client: CacheClient;
  readonly #usage: UsageCollector;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #intervalMs: number | undefined;
  /** This origin among those on the database. */
  readonly #holder = randomUUID();
  readonly #watches = new Map<string, Watch>();
  readonly #stopping = new AbortController();
  readonly #unwritten = new Set<Watch>();
  /** Those whose turn has come, the last first. */
  #due: Watch[] = [];
  #running = 0;
  /** By this origin, when it was last counted. */
  #leased = 0;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;
  #missingSoughtAt = 0;

  /** `random`: 0 to 1, so that many origins and caches do not meet in one moment. */
  constructor(options: {
    database: Database;
    client: CacheClient;
    usage: UsageCollector;
    logger: Logger;
    clock: Clock;
    random?: () => number;
    /** Between two looks at the same cache; `undefined`: none is looked at, and each counts as well. */
    intervalMs: number | undefined;
  }) {
    this.#database = options.database;
    this.#client = options.client;
    this.#usage = options.usage;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#intervalMs = options.intervalMs;
  }

  /** Reads how the caches were, and goes on looking. */
  async start(): Promise<void> {
    if (this.#intervalMs === undefined) return;
    await this.#refresh();
    this.#timer = setInterval(() => this.#tickSoon(), this.#intervalMs / 20);
    this.#timer.unref();
  }

  /** Ends running probes, and leaves the caches to other origins. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#ticking;
    await Promise.all([...this.#watches.values()].map(({ running }) => running));
    await releaseLeases(this.#database.queries, this.#holder);
  }

  /** From memory: for each pull. */
  stateOf(cacheId: string): HealthState {
    if (this.#intervalMs === undefined) return 'unknown';
    return this.#watches.get(cacheId)?.record.state ?? 'unknown';
  }

  find(cacheId: string): HealthRecord | undefined {
    return this.#watches.get(cacheId)?.record;
  }

  /** Each cache with how it is. */
  list(): readonly WatchedCache[] {
    return [...this.#watches.values()];
  }

  /** A cache was registered, or is another now: nothing is known of it until the probe that is made at once. */
  async changed(cacheId: string): Promise<HealthRecord | undefined> {
    await resetRecord(this.#database.queries, cacheId, this.#clock());
    this.#watches.delete(cacheId);
    return this.#intervalMs === undefined ? undefined : this.probe(cacheId);
  }

  /** The cache has another name. */
  async renamed(cacheId: string): Promise<void> {
    await reviseRecord(this.#database.queries, cacheId);
    await this.#read(cacheId);
  }

  /** Probes it now, whoever else does. `undefined` when there is no such cache. */
  async probe(cacheId: string): Promise<HealthRecord | undefined> {
    if (!this.#watches.has(cacheId)) await this.#read(cacheId);
    const watch = this.#watches.get(cacheId);
    if (watch === undefined) return undefined;
    await watch.running;
    await this.#run(watch);
    return watch.record;
  }

  /** It was deleted. */
  forget(cacheId: string): void {
    this.#watches.delete(cacheId);
  }

  /** A pull seems to have failed at it: it is looked at soon, and one failed probe is enough. */
  suspect(cacheId: string): void {
    const watch = this.#watches.get(cacheId);
    if (watch === undefined || watch.record.state === 'down') return;
    watch.suspected = true;
    if (watch.running !== undefined) return;
    // However many pulls fail, one probe tells of them all.
    const earliest = (watch.record.probedAt ?? 0) + suspicionPauseMs;
    if (this.#clock() >= earliest) this.#run(watch);
    else watch.nextProbeAt = Math.min(watch.nextProbeAt, earliest);
  }

  async #tick(): Promise<void> {
    const now = this.#clock();
    if (now - this.#missingSoughtAt >= missingMs) {
      this.#missingSoughtAt = now;
      await addMissingRecords(this.#database.queries, now);
    }
    await this.#write(
      [...this.#watches.values()].filter(({ leaseUntil }) => leaseUntil !== 0 && leaseUntil <= now),
    );
    await this.#refresh();
    await this.#claim(now);
    this.#findDue(now);
    this.#probeDue(now);
  }

  async #claim(now: number): Promise<void> {
    const until = now + leaseMs;
    const claimed = await claimLeases(this.#database.queries, {
      holder: this.#holder,
      now,
      until,
      limit: maximumPerSecond,
    });
    for (const id of claimed) {
      const watch = this.#watches.get(id) ?? (await this.#read(id));
      if (watch !== undefined) watch.leaseUntil = until;
    }
  }

  /** Looks through all of them, which is too much to do after each probe. */
  #findDue(now: number): void {
    const watches = [...this.#watches.values()];
    this.#leased = watches.filter(({ leaseUntil }) => leaseUntil !== 0).length;
    this.#due = watches
      .filter((watch) => isDue(watch, now))
      .sort((one, other) => other.nextProbeAt - one.nextProbeAt);
  }

  #probeDue(now: number): void {
    while (this.#running < maximumRunning) {
      const watch = this.#due.pop();
      if (watch === undefined) return;
      if (isDue(watch, now) && this.#watches.get(watch.cache.id) === watch) this.#run(watch);
    }
  }

  /** Takes over what other origins wrote, if there is anything new. */
  async #refresh(): Promise<void> {
    const known = [...this.#watches.values()];
    const { records, revisions } = await summarizeRecords(this.#database.queries);
    if (records === known.length && revisions === known.reduce((sum, { revision }) => sum + revision, 0))
      return;
    const written = await listWatched(this.#database.queries);
    const ids = new Set(written.map(({ cache }) => cache.id));
    for (const id of this.#watches.keys()) if (!ids.has(id)) this.#watches.delete(id);
    for (const one of written) this.#take(one);
  }

  async #read(cacheId: string): Promise<Watch | undefined> {
    const written = await findWatched(this.#database.queries, cacheId);
    return written === undefined ? undefined : this.#take(written);
  }

  #take(written: WatchedCache): Watch {
    const { cache, revision } = written;
    const before = this.#watches.get(cache.id);
    if (before?.revision === revision) return before;
    const same = before?.cache.host === cache.host && before.cache.caPem === cache.caPem;
    const watch = same ? Object.assign(before, newsOf(written)) : beginWatch(written);
    this.#watches.set(cache.id, watch);
    return watch;
  }

  #run(watch: Watch): Promise<void> {
    this.#running += 1;
    watch.running = this.#look(watch)
      .catch((error) => {
        if (this.#stopping.signal.aborted) return;
        this.#logger.error({ err: error, cache: watch.cache.name }, 'a probe could not be kept');
      })
      .finally(() => {
        watch.running = undefined;
        this.#running -= 1;
        // Whose turn came meanwhile need not wait for the next tick.
        if (this.#timer !== undefined && !this.#stopping.signal.aborted) this.#probeDue(this.#clock());
      });
    return watch.running;
  }

  async #look(watch: Watch): Promise<void> {
    const { cache } = watch;
    const { signal } = this.#stopping;
    const after = await this.#usage.positionOf(cache.id);
    const finding = await probe(this.#client, cache, { clock: this.#clock, after, signal });
    if (signal.aborted || this.#watches.get(cache.id) !== watch) return;
    const before = watch.record;
    takeFinding(watch, finding);
    watch.nextProbeAt = finding.probedAt + this.#pauseMs(watch);
    if (isNews(before, watch.record)) await this.#write([watch]);
    if (before.state !== watch.record.state) this.#logChange(watch);
    if (finding.status !== undefined) await this.#usage.collect(cache, finding.status, signal);
  }

  /** Until the next probe: soon when the last one left something open. */
  #pauseMs({ standing }: Watch): number {
    const intervalMs = this.#intervalMs ?? 0;
    const usual = Math.max(intervalMs, (this.#leased / maximumPerSecond) * 1000);
    const pauseMs = isUndecided(standing) ? intervalMs / 10 : usual;
    return pauseMs * (0.8 + 0.4 * this.#random());
  }

  /** Writes the records down, those of many probes at once, and gives up the leases that have ended. */
  #write(watches: readonly Watch[]): Promise<void> {
    for (const watch of watches) this.#unwritten.add(watch);
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#unwritten.size > 0) {
      const watches = [...this.#unwritten];
      this.#unwritten.clear();
      const now = this.#clock();
      await this.#database.transaction(async (tx) => {
        for (const watch of watches) {
          const ended = watch.leaseUntil !== 0 && watch.leaseUntil <= now;
          const revision = await writeRecord(tx, watch.cache.id, watch.record, { release: ended });
          if (ended) watch.leaseUntil = 0;
          if (revision !== undefined) watch.revision = revision;
          else if (this.#watches.get(watch.cache.id) === watch) this.#watches.delete(watch.cache.id);
        }
      });
    }
  }

  #logChange({ cache, record }: Watch): void {
    const facts = { cache: cache.name, host: cache.host, state: record.state };
    if (record.state === 'healthy') this.#logger.info(facts, 'a content cache is healthy');
    else
      this.#logger.warn(
        { ...facts, reason: record.lastError?.message },
        `a content cache is ${record.state}`,
      );
  }

  #tickSoon(): void {
    this.#ticking ??= this.#tick()
      .catch((error) => {
        if (!this.#stopping.signal.aborted)
          this.#logger.error({ err: error }, 'content caches could not be looked at');
      })
      .finally(() => {
        this.#ticking = undefined;
      });
  }
}

function isDue({ leaseUntil, suspected, nextProbeAt, running }: Watch, now: number): boolean {
  return (leaseUntil > now || suspected) && nextProbeAt <= now && running === undefined;
}
