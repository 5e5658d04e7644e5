/** `/api/v0/content_caches/{contentcacheuuid}/usage`: what a content cache did. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import { getContentCache } from '../content-caches/content-caches.ts';
import {
  listUsageBy,
  listUsageOverTime,
  type Period,
  sumUsage,
  type UsageRange,
  type UsageSums,
} from '../content-caches/usage-records.ts';
import type { Database, Queryable } from '../database.ts';
import { adminsOnly } from './caller.ts';
import type { components, operations } from './contract.d.ts';
import { parseTime } from './time.ts';

type Usage = components['schemas']['ContentCacheUsage'];
type Query = Required<NonNullable<operations['GetContentCacheUsage']['parameters']['query']>>;

const path = '/api/v0/content_caches/:contentcacheuuid/usage';
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const maximumRangeMs = 3 * 366 * dayMs;
const maximumResults = 100;

export function createContentCacheUsageGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.get(path, adminsOnly);
  return guards;
}

export function createContentCacheUsageRoutes({
  database,
  clock,
}: {
  database: Database;
  clock: Clock;
}): Router {
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get(path, async (request, response) => {
    const query = request.query as unknown as Query;
    const { queries } = database;
    const { id } = await getContentCache(queries, request.params.contentcacheuuid);
    const range = { cacheId: id, ...rangeOf(query, clock()) };
    const rows =
      query.by === 'hour' || query.by === 'day'
        ? await listUsageOverTime(queries, range, query.by)
        : await listUsageBy(queries, range, query.by, Math.min(query.limit, maximumResults));
    const usage: Usage = {
      from: new Date(range.from).toISOString(),
      to: new Date(range.to).toISOString(),
      by: query.by,
      usage: rows.map(({ key, ...sums }) => ({
        group: typeof key === 'number' ? new Date(key).toISOString() : key,
        ...toUsageSums(sums),
      })),
      totals: await totalsOf(queries, id, clock()),
    };
    response.json(usage);
  });
  return routes;
}

/** @throws DomainError `input-invalid` */
function rangeOf(query: Partial<Query>, now: number): Omit<UsageRange, 'cacheId'> {
  const to = query.to === undefined ? now : parseTime(query.to, 'to');
  const from = query.from === undefined ? to - dayMs : parseTime(query.from, 'from');
  if (from < to && to - from <= maximumRangeMs) return { from, to };
  throw new DomainError('input-invalid', 'from: a time before `to`, by three years at most, expected', {
    detail: { field: 'from' },
  });
}

/** The minute, the hour or the day that is running, and those before it. */
async function totalsOf(queries: Queryable, cacheId: string, now: number): Promise<Usage['totals']> {
  const total = async (period: Period, from: number) =>
    toUsageSums(await sumUsage(queries, { cacheId, from, to: now + 1 }, period));
  return {
    lastHour: await total('minute', now - 59 * 60_000),
    lastDay: await total('hour', now - 23 * hourMs),
    lastMonth: await total('day', now - 29 * dayMs),
  };
}

function toUsageSums(sums: UsageSums): components['schemas']['UsageSums'] {
  const { hits, misses, bytesServed, bytesFetched } = sums;
  const answers = hits + misses;
  return {
    ...sums,
    bytesSaved: bytesServed - bytesFetched,
    ...(answers === 0 ? {} : { hitRatio: Number((hits / answers).toFixed(4)) }),
  };
}
