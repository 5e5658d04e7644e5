/**
 * Runs jobs: each at all of its content caches, with patience for those that are away, until it is done or its time is over. Any
 * origin on the database goes on with a job whose origin has stopped.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logging.ts';
import type { CacheClient } from '../content-caches/cache-client.ts';
import { findContentCache, listContentCachesOf } from '../content-caches/content-caches.ts';
import type { Database } from '../database.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { PrefetchParameters, PurgeParameters } from './job-parameters.ts';
import {
  addTargets,
  appendLog,
  claimJobs,
  finishJob,
  type Job,
  type JobTarget,
  listTargets,
  releaseJobs,
  removeOldJobs,
  renewLease,
  writeTarget,
} from './job-records.ts';
import { listWantedBlobs, PrefetchWork } from './prefetch-work.ts';
import { PurgeWork } from './purge-work.ts';
import { describeFailure, type TargetWork } from './work.ts';

const maximumRunning = 4;
const cachesAtOnce = 8;
const leaseMs = 30_000;
const keptMs = 30 * 86_400_000;
const keptJobs = 1_000;
const removalMs = 3_600_000;
const longestRestMs = 60_000;

/** How often is looked for jobs, how a cache is found to go on, and the first rest after a failure. */
const defaultPauses = { tickMs: 2_000, stepMs: 1_000, failureMs: 2_000 };

export class Jobs {
  readonly #database: Database;
  readonly #client: CacheClient;
  readonly #keys: SigningKeys;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #pauses: typeof defaultPauses;
  readonly #beforeTick: () => Promise<void>;
  readonly #worker = randomUUID();
  readonly #running = new Map<string, { abort: AbortController; ended: Promise<void> }>();
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;
  #isStopping = false;
  #removedAt = 0;

  /** `beforeTick`: what may bring new jobs. */
  constructor(options: {
    database: Database;
    client: CacheClient;
    keys: SigningKeys;
    logger: Logger;
    clock: Clock;
    beforeTick?: () => Promise<void>;
    pauses?: typeof defaultPauses;
  }) {
    this.#database = options.database;
    this.#client = options.client;
    this.#keys = options.keys;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#beforeTick = options.beforeTick ?? (async () => {});
    this.#pauses = options.pauses ?? defaultPauses;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.#pauses.tickMs);
    this.#timer.unref();
  }

  /** Leaves what is running to be gone on with. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    for (const { abort } of this.#running.values()) abort.abort();
    await this.#ticking;
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await releaseJobs(this.#database.queries, this.#worker);
  }

  /** Looks for jobs now. */
  look(): void {
    if (this.#isStopping) return;
    this.#ticking ??= this.#tick()
      .catch((error) => this.#logger.error({ err: error }, 'jobs could not be looked for'))
      .finally(() => {
        this.#ticking = undefined;
      });
  }

  /** It was canceled or deleted: nothing more is done, at this origin at once, at another when it renews its lease. */
  canceled(jobId: string): void {
    this.#running.get(jobId)?.abort.abort();
  }

  async #tick(): Promise<void> {
    const { queries } = this.#database;
    const now = this.#clock();
    await this.#beforeTick();
    if (now - this.#removedAt >= removalMs) {
      this.#removedAt = now;
      await removeOldJobs(queries, now - keptMs, keptJobs);
    }
    const limit = maximumRunning - this.#running.size;
    if (limit <= 0) return;
    const claimed = await claimJobs(queries, { worker: this.#worker, now, until: now + leaseMs, limit });
    for (const job of claimed) this.#begin(job);
  }

  #begin(job: Job): void {
    const abort = new AbortController();
    const ended = this.#run(job, abort)
      .catch((error) => {
        if (!abort.signal.aborted)
          this.#logger.error({ err: error, job: job.id }, 'a job could not be gone on with');
      })
      .finally(() => {
        this.#running.delete(job.id);
        // The next one need not wait.
        this.look();
      });
    this.#running.set(job.id, { abort, ended });
  }

  async #run(job: Job, abort: AbortController): Promise<void> {
    const renewal = setInterval(() => this.#renew(job, abort), leaseMs / 3);
    try {
      const targets = await this.#targetsOf(job);
      const begin = await this.#planOf(job);
      const open = targets.filter(({ status }) => status === 'waiting' || status === 'running');
      const others = targets.filter((target) => !open.includes(target));
      const ended = await inTurns(open, cachesAtOnce, (target) =>
        this.#runTarget(job, target, begin(), abort.signal),
      );
      const failed = [...others, ...ended].filter(({ status }) => status === 'errored');
      await this.#finish(job, failed.length === 0 ? 'done' : 'errored');
    } catch (error) {
      if (abort.signal.aborted || !(error instanceof DomainError)) throw error;
      await this.#log(job, error.message);
      await this.#finish(job, 'errored');
    } finally {
      clearInterval(renewal);
    }
  }

  async #renew(job: Job, abort: AbortController): Promise<void> {
    const lease = { jobId: job.id, worker: this.#worker, until: this.#clock() + leaseMs };
    try {
      if (!(await renewLease(this.#database.queries, lease))) abort.abort();
    } catch (error) {
      this.#logger.error({ err: error, job: job.id }, 'the lease of a job could not be renewed');
    }
  }

  async #targetsOf(job: Job): Promise<JobTarget[]> {
    const { queries } = this.#database;
    const known = await listTargets(queries, job.id);
    if (known.length > 0) return known;
    const caches = await listContentCachesOf(queries, job.parameters.contentCaches);
    await this.#database.transaction(async (tx) => {
      await addTargets(tx, job.id, caches);
      const noun = caches.length === 1 ? 'content cache' : 'content caches';
      await appendLog(tx, job.id, this.#clock(), `begun at ${caches.length} ${noun}`);
    });
    return listTargets(queries, job.id);
  }

  /** Finds out what is to be done, once for all caches. @throws DomainError when it cannot be done at all */
  async #planOf(job: Job): Promise<() => TargetWork> {
    const parts = { client: this.#client, database: this.#database, keys: this.#keys, clock: this.#clock };
    if (job.action === 'content-cache-purge') {
      const parameters = job.parameters as PurgeParameters;
      return () => new PurgeWork({ ...parts, parameters });
    }
    const parameters = job.parameters as PrefetchParameters;
    const blobs = await listWantedBlobs(this.#database.queries, parameters);
    return () => new PrefetchWork({ ...parts, parameters, blobs, user: job.createdBy });
  }

  async #runTarget(job: Job, target: JobTarget, work: TargetWork, signal: AbortSignal): Promise<JobTarget> {
    let before: JobTarget = target;
    let failures = 0;
    let waits = 0;
    for (;;) {
      signal.throwIfAborted();
      const { now, mayGoOn } = await this.#step(job, before, work, signal);
      await this.#write(job, before, now);
      switch (now.status) {
        case 'waiting':
          await delay(growing(this.#pauses.failureMs, failures, longestRestMs), undefined, { signal });
          failures += 1;
          break;
        case 'running':
          failures = 0;
          if (mayGoOn) break;
          // Soon again while it goes on, and not so often while one large blob is under way.
          waits = isFurther(before, now) ? 0 : waits + 1;
          await delay(growing(this.#pauses.stepMs / 16, waits, this.#pauses.stepMs), undefined, { signal });
          break;
        default:
          return now;
      }
      before = now;
    }
  }

  /** Where the job stands at the cache after another step. */
  async #step(
    job: Job,
    target: JobTarget,
    work: TargetWork,
    signal: AbortSignal,
  ): Promise<{ now: JobTarget; mayGoOn: boolean }> {
    const failed = (message: string, isFinal = true) => ({
      now: { ...target, status: isFinal ? ('errored' as const) : ('waiting' as const), message },
      mayGoOn: false,
    });
    const cache = await findContentCache(this.#database.queries, target.cacheId);
    if (cache === undefined) return failed('it is not registered any more');
    const isLate = () => this.#clock() >= job.deadlineAt;
    try {
      const { next, progress } = await work.step(cache, signal);
      if (next !== 'done' && isLate()) return failed('it was not ready in time');
      const status = next === 'done' ? ('done' as const) : ('running' as const);
      return { now: { ...target, status, progress, message: '' }, mayGoOn: next === 'again' };
    } catch (error) {
      if (signal.aborted) throw error;
      const { message, isFinal } = describeFailure(error);
      return failed(message, isFinal || isLate());
    }
  }

  /** Writes down what has changed, and tells of it in the log where a person would want to know. */
  async #write(job: Job, before: JobTarget, now: JobTarget): Promise<void> {
    const { status, message, progress, name } = now;
    const isNews = status !== before.status || message !== before.message;
    if (!isNews && !isFurther(before, now)) return;
    await writeTarget(this.#database.queries, job.id, now, this.#clock());
    if (!isNews) return;
    if (message !== '') await this.#log(job, `${name}: ${status}: ${message}`);
    if (status === 'done') {
      await this.#log(job, `${name}: done: ${progress.doneBlobs} blobs, ${progress.doneBytes} bytes`);
    }
  }

  async #finish(job: Job, status: 'done' | 'errored'): Promise<void> {
    await finishJob(this.#database.queries, { jobId: job.id, worker: this.#worker, status }, this.#clock());
    this.#logger.info({ job: job.id, action: job.action, status }, 'a job is over');
  }

  async #log(job: Job, text: string): Promise<void> {
    await this.#database.transaction((tx) => appendLog(tx, job.id, this.#clock(), text));
  }
}

function isFurther(before: JobTarget, now: JobTarget): boolean {
  return (
    before.progress.doneBlobs !== now.progress.doneBlobs ||
    before.progress.doneBytes !== now.progress.doneBytes
  );
}

function growing(firstMs: number, times: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(times, 20));
}

/** Does it for each, so many at a time; the first failure ends it. */
async function inTurns<T, Result>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<Result>,
): Promise<Result[]> {
  const open = [...items];
  const results: Result[] = [];
  const turns = Array.from({ length: Math.min(atOnce, open.length) }, async () => {
    for (let item = open.shift(); item !== undefined; item = open.shift()) results.push(await work(item));
  });
  await Promise.all(turns);
  return results;
}
