/** `/api/v0/jobs`: purges and prefetches of content caches, and where they stand. For admins. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database } from '../database.ts';
import { recordEvent } from '../events/events.ts';
import {
  cancelJob,
  deleteJob,
  getJob,
  type Job,
  type JobTarget,
  listJobs,
  listLog,
  listTargets,
} from '../jobs/job-records.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { submitJob } from '../jobs/submit.ts';
import { adminsOnly, callerOf, eventContextOf } from './caller.ts';
import type { components, operations } from './contract.d.ts';

type Schemas = components['schemas'];

const collection = '/api/v0/jobs';
const one = `${collection}/:jobID`;
const maximumLimit = 1_000;

export function createJobGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.use(collection, adminsOnly);
  return guards;
}

export function createJobRoutes(options: { database: Database; jobs: Jobs; clock: Clock }): Router {
  const { database, jobs, clock } = options;
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get(collection, async (request, response) => {
    const query = request.query as unknown as Query<'ListJobs'>;
    const { action, worker, running, start, limit } = query;
    const filter = { action, worker, isRunning: running === undefined ? undefined : running === 'true' };
    const found = await listJobs(database.queries, filter, { start, limit: Math.min(limit, maximumLimit) });
    const answer: Schemas['Jobs'] = { jobs: found.map((job) => toJob(job)) };
    response.json(answer);
  });
  routes.post(collection, async (request, response) => {
    const body: Schemas['JobSubmission'] = request.body;
    const job = await database.transaction(async (tx) => {
      const now = clock();
      const submitted = await submitJob(tx, body, { name: callerOf(response).name, now });
      const { id, action, parameters } = submitted;
      const object = { type: 'job', id, name: action };
      await recordEvent(
        tx,
        eventContextOf(response),
        { type: 'CREATE', object, content: { parameters } },
        now,
      );
      return submitted;
    });
    jobs.look();
    response.status(202).location(`${collection}/${job.id}`).json(toJob(job));
  });
  routes.get(one, async (request, response) => {
    const job = await getJob(database.queries, request.params.jobID);
    response.json({ ...toJob(job), results: (await listTargets(database.queries, job.id)).map(toResult) });
  });
  routes.post(`${one}/cancel`, async (request, response) => {
    await database.transaction(async (tx) => {
      const job = await getJob(tx, request.params.jobID);
      if (!(await cancelJob(tx, job.id, clock()))) return;
      const object = { type: 'job', id: job.id, name: job.action };
      await recordEvent(tx, eventContextOf(response), { type: 'CANCEL', object }, clock());
    });
    jobs.canceled(request.params.jobID);
    response.status(204).end();
  });
  routes.delete(one, async (request, response) => {
    await database.transaction(async (tx) => {
      const job = await getJob(tx, request.params.jobID).catch(unknownIsNone);
      if (job === undefined) return;
      await deleteJob(tx, job.id);
      const object = { type: 'job', id: job.id, name: job.action };
      await recordEvent(tx, eventContextOf(response), { type: 'DELETE', object }, clock());
    });
    jobs.canceled(request.params.jobID);
    response.status(204).end();
  });
  routes.get(`${one}/logs`, async (request, response) => {
    const { offset, limit } = request.query as unknown as Query<'GetJobLogs'>;
    const job = await getJob(database.queries, request.params.jobID);
    const lines: Schemas['JobLog'][] = await listLog(database.queries, job.id, {
      offset,
      limit: Math.min(limit, maximumLimit),
    });
    response.json(lines);
  });
  return routes;
}

/** As the check by the contract has filled it in. */
type Query<Name extends 'ListJobs' | 'GetJobLogs'> = NonNullable<operations[Name]['parameters']['query']> & {
  readonly start: number;
  readonly limit: number;
  readonly offset: number;
};

/** In the shape of the original, which has more kinds of jobs. */
function toJob(job: Job): Schemas['Job'] {
  return {
    id: job.id,
    action: job.action,
    parameters: { ...job.parameters },
    status: job.status,
    workerID: job.workerId ?? '',
    createdBy: job.createdBy,
    scheduledAt: timeOf(job.createdAt),
    lastUpdated: timeOf(job.updatedAt),
    deadline: timeOf(job.deadlineAt),
    capacityMap: {},
    retriesLeft: 0,
    retriesTotal: 0,
    retryFromID: '',
    stopTimeout: '',
  };
}

function toResult({ cacheId, name, status, message, progress }: JobTarget): Schemas['JobResult'] {
  const { doneBlobs, totalBlobs, doneBytes, totalBytes } = progress;
  return {
    contentCacheUUID: cacheId,
    name,
    status,
    message,
    doneBlobs,
    doneBytes,
    ...(totalBlobs === undefined ? {} : { totalBlobs }),
    ...(totalBytes === undefined ? {} : { totalBytes }),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Deleting what is not there is no error. */
function unknownIsNone(error: unknown): undefined {
  if (error instanceof DomainError && error.code === 'job-unknown') return undefined;
  throw error;
}
