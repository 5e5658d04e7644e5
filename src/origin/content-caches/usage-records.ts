/** What content caches did, in the database: sums by minute, hour and day, for each repository and user and all together. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Queryable, Transaction } from '../database.ts';

export type Period = 'minute' | 'hour' | 'day';

const periodMs: Readonly<Record<Period, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const periods = ['minute', 'hour', 'day'] as const satisfies Period[];

/** How long the sums of each period are kept. */
const keptMs: Readonly<Record<Period, number>> = {
  minute: 2 * periodMs.day,
  hour: 60 * periodMs.day,
  day: 3 * 365 * periodMs.day,
};
/** A process that has not been heard of for so long is gone, and what it could tell again with it. */
const positionsKeptMs = 60 * periodMs.day;

/** Redirects are counted by the origin, everything else by the cache. */
export interface UsageSums {
  readonly redirects: number;
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
  readonly bytesServed: number;
  readonly bytesFetched: number;
}

/** What happened in one minute. */
export interface UsageEntry extends UsageSums {
  readonly cacheId: string;
  /** When the minute began, in ms since the epoch. */
  readonly minute: number;
  readonly repository: string;
  /** The account's name; empty for an anonymous pull. */
  readonly user: string;
}

export const nothingUsed: UsageSums = {
  redirects: 0,
  hits: 0,
  misses: 0,
  errors: 0,
  bytesServed: 0,
  bytesFetched: 0,
};

const columns: readonly [column: string, name: keyof UsageSums][] = [
  ['redirects', 'redirects'],
  ['hits', 'hits'],
  ['misses', 'misses'],
  ['errors', 'errors'],
  ['bytes_served', 'bytesServed'],
  ['bytes_fetched', 'bytesFetched'],
];
const key = ['content_cache_id', 'period', 'starts_at', 'repository', 'account'];
const rowsAtATime = 200;
const bucketsAtOnce = 24;
/** As it is: by a parameter the index of the totals would not be found. */
const ofTotals = "content_cache_usage.repository = ''";

export function addUsage(one: UsageSums, other: UsageSums): UsageSums {
  return {
    redirects: one.redirects + other.redirects,
    hits: one.hits + other.hits,
    misses: one.misses + other.misses,
    errors: one.errors + other.errors,
    bytesServed: one.bytesServed + other.bytesServed,
    bytesFetched: one.bytesFetched + other.bytesFetched,
  };
}

/** Adds what happened to the sums of its minute, its hour and its day. */
export async function addEntries(tx: Transaction, entries: readonly UsageEntry[]): Promise<void> {
  const rows = [...sumUp(entries).values()];
  for (let start = 0; start < rows.length; start += rowsAtATime) {
    await tx('content_cache_usage')
      .insert(rows.slice(start, start + rowsAtATime))
      .onConflict(key)
      .merge(
        Object.fromEntries(
          columns.map(([column]) => [
            column,
            tx.raw('?? + ??', [`content_cache_usage.${column}`, `excluded.${column}`]),
          ]),
        ),
      );
  }
}

/** One row per bucket: PostgreSQL refuses to add to the same row twice in one statement. */
function sumUp(entries: readonly UsageEntry[]): Map<string, Record<string, string | number>> {
  const rows = new Map<string, Record<string, string | number>>();
  for (const entry of entries) {
    for (const period of periods) {
      const startsAt = startOf(period, entry.minute);
      for (const [repository, account] of [
        [entry.repository, entry.user],
        ['', ''],
      ] as const) {
        const row = {
          content_cache_id: entry.cacheId,
          period,
          starts_at: startsAt,
          repository,
          account,
        };
        const name = Object.values(row).join('\n');
        const before = rows.get(name);
        const sums = columns.map(([column, sum]) => [column, Number(before?.[column] ?? 0) + entry[sum]]);
        rows.set(name, { ...row, ...Object.fromEntries(sums) });
      }
    }
  }
  return rows;
}

/**
 * Takes the records after the last one that is kept of the process, and remembers the new last one. False when another origin
 * did so in the meantime: then nothing was changed.
 */
export async function advancePosition(
  tx: Transaction,
  position: { cacheId: string; processId: string; from: number; to: number },
  now: number,
): Promise<boolean> {
  const { cacheId, processId, from, to } = position;
  const at = { content_cache_id: cacheId, process_id: processId };
  const changed =
    from === 0
      ? await tx('content_cache_usage_positions')
          .insert({ ...at, sequence: to, updated_at: now })
          .onConflict(Object.keys(at))
          .ignore()
          .returning('sequence')
      : await tx('content_cache_usage_positions')
          .where({ ...at, sequence: from })
          .update({ sequence: to, updated_at: now })
          .returning('sequence');
  return changed.length > 0;
}

/** The last record that is kept of that process of a cache; 0 when none is. */
export async function findSequence(queries: Queryable, cacheId: string, processId: string): Promise<number> {
  const row = await queries('content_cache_usage_positions')
    .where({ content_cache_id: cacheId, process_id: processId })
    .select('content_cache_usage_positions.sequence')
    .first();
  return Number(row?.sequence ?? 0);
}

/** The process that the cache was last, with the last record that is kept of it. */
export async function findPosition(
  queries: Queryable,
  cacheId: string,
): Promise<{ processId: string; sequence: number } | undefined> {
  const row = await queries('content_cache_usage_positions')
    .where({ content_cache_id: cacheId })
    .orderBy('content_cache_usage_positions.updated_at', 'desc')
    .select('content_cache_usage_positions.process_id', 'content_cache_usage_positions.sequence')
    .first();
  return row === undefined ? undefined : { processId: row.process_id, sequence: Number(row.sequence) };
}

export interface UsageRow extends UsageSums {
  /** When the hour or the day began, or the name of the repository or the user. */
  readonly key: string | number;
}

export interface UsageRange {
  readonly cacheId: string;
  /** Buckets that begin within; in ms since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** Sums over time, the oldest first. */
export async function listUsageOverTime(
  queries: Queryable,
  range: UsageRange,
  period: Period,
): Promise<UsageRow[]> {
  const rows = await inRange(queries, range, period)
    .whereRaw(ofTotals)
    .orderBy('content_cache_usage.starts_at')
    .select('content_cache_usage.*');
  return rows.map((row: Record<string, unknown>) => ({ key: Number(row.starts_at), ...sumsOf(row) }));
}

/** Sums for each repository or user, those that most bytes were served to first. */
export async function listUsageBy(
  queries: Queryable,
  { cacheId, from, to }: UsageRange,
  by: 'repository' | 'user',
  limit: number,
): Promise<UsageRow[]> {
  const period = finestPeriod(to - from);
  const stepMs = bucketsAtOnce * periodMs[period];
  const found = new Map<string, UsageSums>();
  for (let start = startOf(period, from); start < to; start += stepMs) {
    const window = { cacheId, from: start, to: Math.min(to, start + stepMs) };
    for (const { key, ...sums } of await sumBy(queries, window, period, by)) {
      found.set(key, addUsage(found.get(key) ?? nothingUsed, sums));
    }
    // A year takes a while: others have their turn in between.
    await nextTurn();
  }
  const rows = [...found].map(([key, sums]) => ({ key, ...sums }));
  rows.sort((one, other) => other.bytesServed - one.bytesServed || (one.key < other.key ? -1 : 1));
  return rows.slice(0, limit);
}

async function sumBy(
  queries: Queryable,
  range: UsageRange,
  period: Period,
  by: 'repository' | 'user',
): Promise<(UsageSums & { readonly key: string })[]> {
  const column = `content_cache_usage.${by === 'repository' ? 'repository' : 'account'}`;
  const rows = await inRange(queries, range, period)
    .whereNot('content_cache_usage.repository', '')
    .groupBy(column)
    .select(`${column} as key`)
    .select(columns.map(([name]) => queries.raw('sum(??) as ??', [`content_cache_usage.${name}`, name])));
  return rows.map((row: Record<string, unknown>) => ({ key: String(row.key), ...sumsOf(row) }));
}

/** Everything together. */
export async function sumUsage(queries: Queryable, range: UsageRange, period: Period): Promise<UsageSums> {
  const row = await inRange(queries, range, period)
    .whereRaw(ofTotals)
    .select(columns.map(([name]) => queries.raw('sum(??) as ??', [`content_cache_usage.${name}`, name])))
    .first();
  return sumsOf(row);
}

export function startOf(period: Period, time: number): number {
  return time - (time % periodMs[period]);
}

/** The shorter the time, the finer: so that no question reads too many rows. */
function finestPeriod(lengthMs: number): Period {
  if (lengthMs <= periodMs.hour) return 'minute';
  return lengthMs <= 2 * periodMs.day ? 'hour' : 'day';
}

/** Forgets what is too old, a little at a time. */
export async function removeOldUsage(queries: Queryable, now: number): Promise<void> {
  for (const period of periods) {
    const cutoff = startOf(period, now - keptMs[period]);
    for (;;) {
      const oldest = await queries('content_cache_usage')
        .where({ period })
        .where('content_cache_usage.starts_at', '<', cutoff)
        .min('content_cache_usage.starts_at as starts_at')
        .first();
      if (oldest?.starts_at === null || oldest?.starts_at === undefined) break;
      await queries('content_cache_usage').where({ period, starts_at: oldest.starts_at }).delete();
    }
  }
  await queries('content_cache_usage_positions')
    .where('updated_at', '<', now - positionsKeptMs)
    .delete();
}

function inRange(queries: Queryable, { cacheId, from, to }: UsageRange, period: Period) {
  return queries('content_cache_usage')
    .where({ content_cache_id: cacheId, period })
    .where('content_cache_usage.starts_at', '>=', startOf(period, from))
    .where('content_cache_usage.starts_at', '<', to);
}

/** PostgreSQL gives sums and big integers as text. */
function sumsOf(row: Readonly<Record<string, unknown>>): UsageSums {
  const sums = columns.map(([column, name]) => [name, Number(row[column] ?? 0)]);
  return Object.fromEntries(sums) as unknown as UsageSums;
}
