/** Lists of jobs, of what they did, and of the rules that start them: by indexes, in order, however long they are (I04). */
import { after, it } from 'node:test';
import { openDatabase } from '../../../src/origin/database.ts';
import { claimJobs, listJobs, listLog, listTargets } from '../../../src/origin/jobs/job-records.ts';
import { listPrefetchRules } from '../../../src/origin/jobs/prefetch-rules.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
const page = { start: 10, limit: 10 };

const lists: [what: string, work: () => Promise<unknown>][] = [
  ['jobs', () => listJobs(queries, {}, page)],
  ['jobs of one action', () => listJobs(queries, { action: 'content-cache-purge' }, page)],
  ['jobs of one origin', () => listJobs(queries, { worker: 'an id' }, page)],
  ['jobs that run', () => listJobs(queries, { isRunning: true }, page)],
  ['jobs that do not run', () => listJobs(queries, { isRunning: false }, page)],
  ['what a job wrote down', () => listLog(queries, 'an id', { offset: 10, limit: 10 })],
];
for (const [what, work] of lists) it(what, () => assertIndexed(queries, work));

const sorted: [what: string, work: () => Promise<unknown>][] = [
  // All of them are given: at most a thousand rules, and a result for each cache.
  ['prefetch rules', () => listPrefetchRules(queries)],
  ['where a job stands at each cache', () => listTargets(queries, 'an id')],
  // Those that nobody runs.
  ['jobs to run next', () => claimJobs(queries, { worker: 'an id', now: 1, until: 2, limit: 3 })],
];
for (const [what, work] of sorted) it(what, () => assertIndexed(queries, work, { sorts: true }));
