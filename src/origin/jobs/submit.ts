/** Jobs that somebody asks for: refused at once where they could not do anything. */
import { randomUUID } from 'node:crypto';
import { parseDurationMs } from '../../shared/duration.ts';
import { DomainError } from '../../shared/errors.ts';
import { listContentCachesOf } from '../content-caches/content-caches.ts';
import type { Transaction } from '../database.ts';
import { getRepository } from '../images/repositories.ts';
import { type JobAction, type JobParameters, parseParameters } from './job-parameters.ts';
import { getJob, insertJob, type Job } from './job-records.ts';
import { listWantedBlobs } from './prefetch-work.ts';

const defaultDeadlineMs = 3_600_000;
const longestDeadlineMs = 7 * 86_400_000;

/** @throws DomainError `input-invalid`, `name-invalid`, `repository-unknown`, `manifest-unknown` */
export async function submitJob(
  tx: Transaction,
  input: { action: JobAction; parameters: Readonly<Record<string, unknown>>; deadline?: string | undefined },
  by: { name: string; now: number },
): Promise<Job> {
  const parameters = parseParameters(input.action, input.parameters);
  await assertSensible(tx, input.action, parameters);
  const id = randomUUID();
  const deadlineAt = by.now + parseDeadlineMs(input.deadline);
  const job = { id, action: input.action, parameters, createdBy: by.name, createdAt: by.now, deadlineAt };
  await insertJob(tx, job, undefined);
  return getJob(tx, id);
}

async function assertSensible(tx: Transaction, action: JobAction, parameters: JobParameters): Promise<void> {
  const { contentCaches, repository } = parameters;
  const known = await listContentCachesOf(tx, contentCaches);
  if (known.length === 0 || (contentCaches !== undefined && known.length < contentCaches.length)) {
    throw invalid('parameters.contentCaches', 'ids of content caches that are registered');
  }
  if (repository === undefined) return;
  if (action === 'content-cache-purge') await getRepository(tx, repository);
  else await listWantedBlobs(tx, { ...parameters, repository });
}

function parseDeadlineMs(text: string | undefined): number {
  if (text === undefined || text === '') return defaultDeadlineMs;
  const durationMs = /\d$/.test(text) ? undefined : parseDurationMs(text);
  if (durationMs !== undefined && durationMs <= longestDeadlineMs) return durationMs;
  throw invalid('deadline', 'a duration such as 30m or 2h, a week at most,');
}

function invalid(field: string, expected: string): DomainError {
  return new DomainError('input-invalid', `${field}: ${expected} expected`, { detail: { field } });
}
