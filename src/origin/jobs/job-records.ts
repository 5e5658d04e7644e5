/** Jobs in the database: what is to be done, where it stands at each content cache, and who does it. */
import { DomainError } from '../../shared/errors.ts';
import type { Query, Queryable, Transaction } from '../database.ts';
import type { JobAction, JobParameters } from './job-parameters.ts';

type JobStatus = 'waiting' | 'running' | 'done' | 'canceled' | 'errored';

export interface Job {
  readonly id: string;
  readonly action: JobAction;
  readonly parameters: JobParameters;
  readonly status: JobStatus;
  /** The account's name. */
  readonly createdBy: string;
  /** In ms since the epoch, as the others. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** What has not succeeded by then has failed. */
  readonly deadlineAt: number;
  /** The origin that runs it. */
  readonly workerId: string | undefined;
}

/** Where a job stands at one content cache. */
export interface JobTarget {
  readonly cacheId: string;
  /** The cache's name when the job began. */
  readonly name: string;
  readonly status: JobStatus;
  readonly progress: Progress;
  /** Why it waits or failed; empty: all is well. */
  readonly message: string;
}

export interface Progress {
  readonly doneBlobs: number;
  /** `undefined`: not known. */
  readonly totalBlobs: number | undefined;
  readonly doneBytes: number;
  readonly totalBytes: number | undefined;
}

const longestMessage = 1_000;
const longestLog = 1_000;

/** False when the same source has started a job before. */
export async function insertJob(
  queries: Queryable,
  job: Omit<Job, 'status' | 'updatedAt' | 'workerId'>,
  source: string | undefined,
): Promise<boolean> {
  const inserted = await queries('jobs')
    .insert({
      id: job.id,
      action: job.action,
      parameters: JSON.stringify(job.parameters),
      status: 'waiting',
      created_by: job.createdBy,
      source: source ?? null,
      created_at: job.createdAt,
      updated_at: job.createdAt,
      deadline_at: job.deadlineAt,
      lease_until: 0,
    })
    .onConflict('source')
    .ignore()
    .returning('id');
  return inserted.length > 0;
}

export interface JobFilter {
  readonly action?: string | undefined;
  readonly worker?: string | undefined;
  readonly isRunning?: boolean | undefined;
}

/** The newest first. There are never more than are kept, so they may be counted off, as the original has it. */
export async function listJobs(
  queries: Queryable,
  { action, worker, isRunning }: JobFilter,
  page: { start: number; limit: number },
): Promise<Job[]> {
  const query = queries('jobs')
    .orderBy('jobs.created_at', 'desc')
    .orderBy('jobs.id', 'desc')
    .offset(page.start)
    .limit(page.limit);
  if (action !== undefined) query.where('jobs.action', action);
  if (worker !== undefined) query.where('jobs.worker_id', worker);
  if (isRunning === true) query.where('jobs.status', 'running');
  if (isRunning === false) query.whereNot('jobs.status', 'running');
  const rows: JobRow[] = await query.select('jobs.*');
  return rows.map(toJob);
}

/** @throws DomainError `job-unknown` */
export async function getJob(queries: Queryable, id: string): Promise<Job> {
  const row: JobRow | undefined = await queries('jobs').where('jobs.id', id).first('jobs.*');
  if (row !== undefined) return toJob(row);
  throw new DomainError('job-unknown', 'A job with the given id does not exist.');
}

export async function listTargets(queries: Queryable, jobId: string): Promise<JobTarget[]> {
  const rows: TargetRow[] = await queries('job_targets')
    .where('job_targets.job_id', jobId)
    .orderBy('job_targets.name')
    .select('job_targets.*');
  return rows.map(toTarget);
}

/** A job that begins: where it is to be done. */
export async function addTargets(
  tx: Transaction,
  jobId: string,
  caches: readonly { readonly id: string; readonly name: string }[],
): Promise<void> {
  const rows = caches.map(({ id, name }) => ({
    job_id: jobId,
    content_cache_id: id,
    name,
    status: 'waiting',
    done_blobs: 0,
    done_bytes: 0,
    message: '',
  }));
  for (let start = 0; start < rows.length; start += 200) {
    await tx('job_targets').insert(rows.slice(start, start + 200));
  }
}

export async function writeTarget(
  queries: Queryable,
  jobId: string,
  { cacheId, status, progress, message }: JobTarget,
  now: number,
): Promise<void> {
  await queries('job_targets')
    .where({ job_id: jobId, content_cache_id: cacheId })
    .update({
      status,
      done_blobs: progress.doneBlobs,
      total_blobs: progress.totalBlobs ?? null,
      done_bytes: progress.doneBytes,
      total_bytes: progress.totalBytes ?? null,
      message: message.slice(0, longestMessage),
    });
  await queries('jobs').where('jobs.id', jobId).update({ updated_at: now });
}

/** Jobs that this origin runs from now on until then: those that nobody runs, the longest waiting first. */
export async function claimJobs(
  queries: Queryable,
  lease: { worker: string; now: number; until: number; limit: number },
): Promise<Job[]> {
  const free = (of: Query) =>
    of.whereIn('jobs.status', ['waiting', 'running']).where('jobs.lease_until', '<=', lease.now);
  const ids: string[] = await free(queries('jobs'))
    .orderBy('jobs.created_at')
    .limit(lease.limit)
    .pluck('jobs.id');
  if (ids.length === 0) return [];
  // Another origin may have been faster.
  const rows: JobRow[] = await free(queries('jobs').whereIn('jobs.id', ids))
    .update({ status: 'running', worker_id: lease.worker, lease_until: lease.until, updated_at: lease.now })
    .returning('*');
  return rows.map(toJob);
}

/** False when the job is not this origin's to run any more: it was canceled, deleted, or taken by another. */
export async function renewLease(
  queries: Queryable,
  lease: { jobId: string; worker: string; until: number },
): Promise<boolean> {
  const renewed = await ownedBy(queries, lease).update({ lease_until: lease.until });
  return renewed > 0;
}

export async function finishJob(
  queries: Queryable,
  job: { jobId: string; worker: string; status: 'done' | 'errored' },
  now: number,
): Promise<void> {
  await ownedBy(queries, job).update({ status: job.status, lease_until: 0, updated_at: now });
}

function ownedBy(queries: Queryable, { jobId, worker }: { jobId: string; worker: string }): Query {
  return queries('jobs').where({ id: jobId, worker_id: worker, status: 'running' });
}

/** Before it stops: other origins, or itself after the next start, go on with what this one runs. */
export async function releaseJobs(queries: Queryable, worker: string): Promise<void> {
  await queries('jobs').where({ worker_id: worker, status: 'running' }).update({ lease_until: 0 });
}

/** What is over stays as it is. */
export async function cancelJob(tx: Transaction, jobId: string, now: number): Promise<boolean> {
  const open = ['waiting', 'running'];
  const canceled = await tx('jobs')
    .where('jobs.id', jobId)
    .whereIn('jobs.status', open)
    .update({ status: 'canceled', lease_until: 0, updated_at: now });
  if (canceled === 0) return false;
  await tx('job_targets')
    .where('job_targets.job_id', jobId)
    .whereIn('job_targets.status', open)
    .update({ status: 'canceled' });
  return true;
}

export async function deleteJob(queries: Queryable, jobId: string): Promise<void> {
  await queries('jobs').where('jobs.id', jobId).delete();
}

export interface JobLogLine {
  readonly lineNum: number;
  readonly data: string;
}

/** A log has an end, of which its last line says so. `now` in ms. */
export async function appendLog(tx: Transaction, jobId: string, now: number, text: string): Promise<void> {
  const row = await tx('job_logs').where('job_logs.job_id', jobId).max('job_logs.line_num as last').first();
  const lineNum = Number(row?.last ?? 0) + 1;
  if (lineNum > longestLog) return;
  const words = lineNum === longestLog ? 'the log ends here: it is as long as it may be' : text;
  const data = `${new Date(now).toISOString()} ${words}`;
  await tx('job_logs').insert({ job_id: jobId, line_num: lineNum, data });
}

/** The lines after `offset` of them. */
export async function listLog(
  queries: Queryable,
  jobId: string,
  { offset, limit }: { offset: number; limit: number },
): Promise<JobLogLine[]> {
  const rows = await queries('job_logs')
    .where('job_logs.job_id', jobId)
    .where('job_logs.line_num', '>', offset)
    .orderBy('job_logs.line_num')
    .limit(limit)
    .select('job_logs.line_num', 'job_logs.data');
  return rows.map((row) => ({ lineNum: row.line_num, data: row.data }));
}

/** Forgets jobs that are over: all that ended before `time`, and but for the last `keep`. */
export async function removeOldJobs(queries: Queryable, time: number, keep: number): Promise<void> {
  const over = () => queries('jobs').whereNotIn('jobs.status', ['waiting', 'running']);
  const last = await over().orderBy('jobs.created_at', 'desc').offset(keep).first('jobs.created_at');
  await over()
    .where((old) => {
      old.where('jobs.updated_at', '<', time);
      if (last !== undefined) old.orWhere('jobs.created_at', '<=', last.created_at);
    })
    .delete();
}

interface JobRow {
  readonly id: string;
  readonly action: JobAction;
  readonly parameters: string;
  readonly status: JobStatus;
  readonly created_by: string;
  readonly created_at: number | string;
  readonly updated_at: number | string;
  readonly deadline_at: number | string;
  readonly worker_id: string | null;
}

function toJob(row: JobRow): Job {
  return {
    id: row.id,
    action: row.action,
    parameters: JSON.parse(row.parameters),
    status: row.status,
    createdBy: row.created_by,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    deadlineAt: Number(row.deadline_at),
    workerId: row.worker_id ?? undefined,
  };
}

interface TargetRow {
  readonly content_cache_id: string;
  readonly name: string;
  readonly status: JobStatus;
  readonly done_blobs: number | string;
  readonly total_blobs: number | string | null;
  readonly done_bytes: number | string;
  readonly total_bytes: number | string | null;
  readonly message: string;
}

function toTarget(row: TargetRow): JobTarget {
  return {
    cacheId: row.content_cache_id,
    name: row.name,
    status: row.status,
    progress: {
      doneBlobs: Number(row.done_blobs),
      totalBlobs: row.total_blobs === null ? undefined : Number(row.total_blobs),
      doneBytes: Number(row.done_bytes),
      totalBytes: row.total_bytes === null ? undefined : Number(row.total_bytes),
    },
    message: row.message,
  };
}
