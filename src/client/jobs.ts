/** Jobs of the origin, as the commands that start or show one need them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { components } from '../origin/api/contract.d.ts';
import { formatBytes } from '../shared/byte-size.ts';
import { type Clock, systemClock } from '../shared/clock.ts';
import type { Asked } from './command.ts';
import { Failure } from './failure.ts';
import { localTime, type View } from './output.ts';

type Job = components['schemas']['Job'];
type Result = NonNullable<Job['results']>[number];

const betweenLooksMs = 1000;
/** A cache that is away is tried again each minute. */
const patienceMinutes = 10;

const columns: View<Job>['columns'] = [
  ['Id', ({ id }) => id],
  ['Action', ({ action }) => action],
  ['Of', ({ parameters }) => subjectOf(parameters)],
  ['Status', ({ status }) => status],
  ['By', ({ createdBy }) => createdBy],
  ['Updated', ({ lastUpdated }) => localTime(lastUpdated)],
];

export const jobView: View<Job> = { id: ({ id }) => id, columns };

/** With a line for each content cache. */
export function detailedView({ results = [] }: Job): View<Job> {
  return {
    ...jobView,
    details: [
      ['Deadline', ({ deadline }) => localTime(deadline)],
      ...results.map((result) => [`  ${result.name}`, () => progressOf(result)] as const),
    ],
  };
}

/**
 * Looks at the job until it is over, and says what changed.
 * @throws Failure when it did not succeed, or when nothing of it moved for ten minutes
 */
export async function follow(
  { api, output }: Asked,
  jobID: string,
  { clock = systemClock, pause = sleep as Pause }: { clock?: Clock; pause?: Pause } = {},
): Promise<Job> {
  const said = new Map<string, string>();
  let standing = '';
  let movedAt = clock();
  for (;;) {
    const job = await api.ask('GET /api/v0/jobs/{jobID}', { path: { jobID } });
    for (const result of job.results ?? []) {
      const progress = progressOf(result);
      if (said.get(result.name) !== progress) output.say(`${result.name}: ${progress}`);
      said.set(result.name, progress);
    }
    if (job.status === 'done') return job;
    if (job.status !== 'waiting' && job.status !== 'running') {
      throw new Failure('failed', `the job ${jobID} is ${job.status}`, `see: dtr job logs ${jobID}`);
    }
    const before = standing;
    standing = standingOf(job);
    if (standing !== before) movedAt = clock();
    if (clock() - movedAt >= patienceMinutes * 60_000) {
      throw new Failure(
        'failed',
        `nothing of the job ${jobID} has moved for ${patienceMinutes} minutes; it goes on until ${localTime(job.deadline)}`,
        `see: dtr job logs ${jobID}; to wait again: dtr job wait ${jobID}`,
      );
    }
    await pause(betweenLooksMs);
  }
}

type Pause = (ms: number) => Promise<unknown>;

/** What moves when anything does: the reason why a cache is tried again may change for ever. */
function standingOf({ status, results = [] }: Job): string {
  return JSON.stringify([
    status,
    ...results.map(({ name, status, doneBlobs, doneBytes }) => [name, status, doneBlobs, doneBytes]),
  ]);
}

function subjectOf({ repository, reference, digests, unreferenced }: Job['parameters']): string {
  if (repository !== undefined) return reference === undefined ? repository : `${repository} ${reference}`;
  if (digests !== undefined) return digests.join(' ');
  return unreferenced ? 'unreferenced' : 'everything';
}

function progressOf({ status, message, doneBlobs, totalBlobs, doneBytes, totalBytes }: Result): string {
  const blobs = totalBlobs === undefined ? `${doneBlobs}` : `${doneBlobs} of ${totalBlobs}`;
  const bytes =
    totalBytes === undefined
      ? formatBytes(doneBytes)
      : `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
  return `${status}, ${blobs} blobs (${bytes})${message === '' ? '' : `: ${message}`}`;
}
