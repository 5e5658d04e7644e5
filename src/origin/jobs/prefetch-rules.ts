/**
 * Which images are prefetched when their tags are pushed. A push does not know of it: what was pushed is read from the trail,
 * which was committed with it, and begins as a job of its own.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import { listContentCachesOf } from '../content-caches/content-caches.ts';
import type { Database, Queryable, Transaction } from '../database.ts';
import { lastEventId, listPushedTags, type PushedTag } from '../events/events.ts';
import { parsePlatforms } from './job-parameters.ts';
import { insertJob } from './job-records.ts';

export interface PrefetchRule {
  readonly id: string;
  /** `<namespace>/<name>`; `*` stands for any text. */
  readonly repository: string;
  /** `*` stands for any text. */
  readonly tag: string;
  /** Ids; empty: all that are enabled. */
  readonly contentCaches: readonly string[];
  /** `<os>/<architecture>[/<variant>]`; empty: all. */
  readonly platforms: readonly string[];
  readonly isEnabled: boolean;
}

type RuleInput = Omit<PrefetchRule, 'id'>;

/** What a job of a rule may take. */
const deadlineMs = 3_600_000;
/** Events that are as old as this have all their predecessors: what was written before them has been committed. */
const settledMs = 30_000;
const eventsAtOnce = 500;
const maximumRules = 1_000;
/** Each may stand for any text: with many of them a pattern takes long to be held against a name. */
const maximumStars = 4;

/** @throws DomainError `input-invalid` */
export async function createPrefetchRule(
  tx: Transaction,
  input: RuleInput,
  by: { name: string; now: number },
): Promise<PrefetchRule> {
  const [row] = await tx('prefetch_rules').count({ rules: '*' });
  if (Number(row?.rules) >= maximumRules) throw invalid('repository', `at most ${maximumRules} rules`);
  const rule = { id: randomUUID(), ...(await checked(tx, input)) };
  await tx('prefetch_rules').insert({
    ...toRow(rule),
    id: rule.id,
    created_by: by.name,
    created_at: by.now,
    since_event: await lastEventId(tx),
  });
  return rule;
}

/** What is left out stays as it is. @throws DomainError `prefetch-rule-unknown`, `input-invalid` */
export async function changePrefetchRule(
  tx: Transaction,
  id: string,
  changes: { [Name in keyof RuleInput]?: RuleInput[Name] | undefined },
): Promise<PrefetchRule> {
  const before = await getPrefetchRule(tx, id);
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const rule = { id, ...(await checked(tx, { ...before, ...given })) };
  await tx('prefetch_rules').where('prefetch_rules.id', id).update(toRow(rule));
  return rule;
}

/** Deleting what is not there is no error. */
export async function deletePrefetchRule(tx: Transaction, id: string): Promise<void> {
  await tx('prefetch_rules').where('prefetch_rules.id', id).delete();
}

/** @throws DomainError `prefetch-rule-unknown` */
export async function getPrefetchRule(queries: Queryable, id: string): Promise<PrefetchRule> {
  const row: RuleRow | undefined = await queries('prefetch_rules').where('prefetch_rules.id', id).first();
  if (row !== undefined) return toRule(row);
  throw new DomainError('prefetch-rule-unknown', 'A prefetch rule with the given id does not exist.');
}

/** All of them, the oldest first: there are never many. */
export async function listPrefetchRules(queries: Queryable): Promise<PrefetchRule[]> {
  const rows: RuleRow[] = await queries('prefetch_rules')
    .orderBy('prefetch_rules.created_at')
    .orderBy('prefetch_rules.id');
  return rows.map(toRule);
}

/** Starts a job for each pushed tag and each rule that it fits. */
export class PrefetchTrigger {
  readonly #database: Database;
  readonly #clock: Clock;
  /** Pushes that were held against the rules, but may be followed by some with smaller numbers. */
  readonly #handled = new Set<number>();

  constructor(options: { database: Database; clock: Clock }) {
    this.#database = options.database;
    this.#clock = options.clock;
  }

  /** What was started, by this origin or another, is not started again. */
  async look(): Promise<void> {
    const { queries } = this.#database;
    const now = this.#clock();
    const rules: RuleRow[] = await queries('prefetch_rules').where({ is_enabled: true });
    if (rules.length === 0) return;
    const progress = await queries('prefetch_progress').first('prefetch_progress.last_event');
    // Without rules nobody kept account of what was pushed.
    const first = Math.min(...rules.map(({ since_event }) => Number(since_event)));
    let after = Math.max(Number(progress?.last_event ?? 0), first);
    for (;;) {
      const pushes = await listPushedTags(queries, { after, limit: eventsAtOnce });
      for (const push of pushes) await this.#handle(push, rules, now);
      const settled = pushes.filter(({ publishedAt }) => publishedAt < now - settledMs).at(-1);
      if (settled !== undefined) await this.#settle(settled.id);
      if (pushes.length < eventsAtOnce) return;
      after = (pushes.at(-1) as PushedTag).id;
    }
  }

  async #handle(push: PushedTag, rules: readonly RuleRow[], now: number): Promise<void> {
    if (this.#handled.has(push.id)) return;
    for (const rule of rules) {
      if (fits(rule, push)) await startJob(this.#database.queries, rule, push, now);
    }
    this.#handled.add(push.id);
  }

  async #settle(eventId: number): Promise<void> {
    await this.#database.queries('prefetch_progress').update({ last_event: eventId });
    for (const id of this.#handled) if (id <= eventId) this.#handled.delete(id);
  }
}

function fits(rule: RuleRow, { id, repository, tag }: PushedTag): boolean {
  return (
    id > Number(rule.since_event) &&
    patternOf(rule.repository).test(repository) &&
    patternOf(rule.tag).test(tag)
  );
}

async function startJob(queries: Queryable, row: RuleRow, push: PushedTag, now: number): Promise<void> {
  const { id, contentCaches, platforms } = toRule(row);
  const parameters = {
    repository: push.repository,
    reference: push.tag,
    ...(contentCaches.length === 0 ? {} : { contentCaches }),
    ...(platforms.length === 0 ? {} : { platforms }),
  };
  const job = {
    id: randomUUID(),
    action: 'content-cache-prefetch' as const,
    parameters: parameters as Parameters<typeof insertJob>[1]['parameters'],
    createdBy: row.created_by,
    createdAt: now,
    deadlineAt: now + deadlineMs,
  };
  await insertJob(queries, job, `${id} ${push.id}`);
}

/** @throws DomainError `input-invalid` */
async function checked(tx: Transaction, input: RuleInput): Promise<RuleInput> {
  const { repository, tag, contentCaches, platforms, isEnabled } = input;
  if (!/^[a-z0-9._*-]{1,128}\/[a-z0-9._*-]{1,126}$/.test(repository)) {
    throw invalid('repository', '<namespace>/<name>, with * for any text,');
  }
  if (!/^[A-Za-z0-9_.*-]{1,128}$/.test(tag)) throw invalid('tag', 'a tag, with * for any text,');
  for (const [field, pattern] of Object.entries({ repository, tag })) {
    if (pattern.split('*').length > maximumStars + 1) throw invalid(field, `at most ${maximumStars} *`);
  }
  const ids = [...new Set(contentCaches)];
  const known = (await listContentCachesOf(tx, ids)).map(({ id }) => id);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined) throw invalid('contentCaches', 'ids of content caches that are registered');
  const checkedPlatforms = platforms.length === 0 ? [] : parsePlatforms(platforms, 'platforms');
  return { repository, tag, contentCaches: ids, platforms: checkedPlatforms, isEnabled };
}

function patternOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

function invalid(field: string, expected: string): DomainError {
  return new DomainError('input-invalid', `${field}: ${expected} expected`, { detail: { field } });
}

interface RuleRow {
  readonly id: string;
  readonly repository: string;
  readonly tag: string;
  readonly content_caches: string;
  readonly platforms: string;
  readonly is_enabled: boolean | number;
  readonly created_by: string;
  readonly since_event: number | string;
}

function toRow({ repository, tag, contentCaches, platforms, isEnabled }: RuleInput) {
  return {
    repository,
    tag,
    content_caches: JSON.stringify(contentCaches),
    platforms: JSON.stringify(platforms),
    is_enabled: isEnabled,
  };
}

function toRule(row: RuleRow): PrefetchRule {
  return {
    id: row.id,
    repository: row.repository,
    tag: row.tag,
    contentCaches: JSON.parse(row.content_caches),
    platforms: JSON.parse(row.platforms),
    isEnabled: Boolean(row.is_enabled),
  };
}
