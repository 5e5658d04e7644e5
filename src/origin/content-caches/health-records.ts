/** The health of content caches in the database, where several origins share it, and who of them probes which cache. */
import type { Query, Queryable, Transaction } from '../database.ts';
import type { CacheAddress } from './cache-client.ts';
import type { FindingReason } from './findings.ts';
import type { HealthState } from './health-state.ts';

/** How a cache is, as its last probe found it. */
export interface HealthRecord {
  readonly state: HealthState;
  /** When it came into the state, in ms since the epoch. */
  readonly since: number;
  /** What was the matter when something was, which may be over. */
  readonly lastError:
    | { readonly at: number; readonly reason: FindingReason; readonly message: string }
    | undefined;
  readonly probedAt: number | undefined;
  readonly latencyMs: number | undefined;
  /** Positive: its clock is ahead. */
  readonly clockSkewMs: number | undefined;
  readonly version: string | undefined;
  readonly protocol: string | undefined;
  readonly disk: { readonly sizeBytes: number; readonly freeBytes: number } | undefined;
  readonly stored: { readonly blobs: number; readonly bytes: number } | undefined;
}

export interface WatchedCache {
  readonly cache: CacheAddress & { readonly name: string };
  readonly record: HealthRecord;
  /** Changes with each write of the record. */
  readonly revision: number;
}

const rowsAtATime = 200;

/** Gives each cache that has none a record: those that were registered while no origin looked. */
export async function addMissingRecords(queries: Queryable, now: number): Promise<void> {
  for (;;) {
    const missing: string[] = await queries('content_caches')
      .leftJoin('content_cache_health', 'content_cache_health.content_cache_id', 'content_caches.id')
      .whereNull('content_cache_health.content_cache_id')
      .limit(rowsAtATime)
      .pluck('content_caches.id');
    if (missing.length === 0) return;
    await queries('content_cache_health')
      .insert(missing.map((id) => ({ content_cache_id: id, ...unknownRow(now) })))
      .onConflict('content_cache_id')
      .ignore();
  }
}

/** Nothing is known of the cache from now on, because it is new or another. */
export async function resetRecord(queries: Queryable, cacheId: string, now: number): Promise<void> {
  await queries('content_cache_health')
    .insert({ content_cache_id: cacheId, ...unknownRow(now) })
    .onConflict('content_cache_id')
    .merge({
      ...unknownRow(now),
      revision: queries.raw('?? + 1', ['content_cache_health.revision']),
    });
}

/** For every origin to read it again. */
export async function reviseRecord(queries: Queryable, cacheId: string): Promise<void> {
  await queries('content_cache_health')
    .where('content_cache_health.content_cache_id', cacheId)
    .increment('revision', 1);
}

function unknownRow(now: number) {
  return { ...toRow(unknownRecord(now)), revision: 1, lease_holder: null, lease_until: 0 };
}

function unknownRecord(now: number): HealthRecord {
  return {
    state: 'unknown',
    since: now,
    lastError: undefined,
    probedAt: undefined,
    latencyMs: undefined,
    clockSkewMs: undefined,
    version: undefined,
    protocol: undefined,
    disk: undefined,
    stored: undefined,
  };
}

/** Another one whenever any record was written, added or removed, but for coincidences that the next write ends. */
export async function summarizeRecords(queries: Queryable): Promise<{ records: number; revisions: number }> {
  const row = await queries('content_cache_health')
    .select(queries.raw('count(*) as records'), queries.raw('sum(revision) as revisions'))
    .first();
  return { records: Number(row.records), revisions: Number(row.revisions) };
}

export async function listWatched(queries: Queryable): Promise<WatchedCache[]> {
  const rows = await watched(queries);
  return rows.map(fromRow);
}

export async function findWatched(queries: Queryable, cacheId: string): Promise<WatchedCache | undefined> {
  const row = await watched(queries).where('content_caches.id', cacheId).first();
  return row === undefined ? undefined : fromRow(row);
}

/** Writes what was found; `undefined` when the cache is gone, else the new revision. */
export async function writeRecord(
  tx: Transaction,
  cacheId: string,
  record: HealthRecord,
  lease: { readonly release: boolean },
): Promise<number | undefined> {
  const [written] = await tx('content_cache_health')
    .where('content_cache_health.content_cache_id', cacheId)
    .update({
      ...toRow(record),
      revision: tx.raw('revision + 1'),
      ...(lease.release ? { lease_holder: null, lease_until: 0 } : {}),
    })
    .returning('revision');
  return written === undefined ? undefined : Number(written.revision);
}

/** The caches that this origin probes from now on until then: those that nobody probes, not all of many at once. */
export async function claimLeases(
  queries: Queryable,
  lease: { holder: string; now: number; until: number; limit: number },
): Promise<string[]> {
  const free: string[] = await queries('content_cache_health')
    .where('content_cache_health.lease_until', '<=', lease.now)
    .orderBy('content_cache_health.lease_until')
    .limit(lease.limit)
    .pluck('content_cache_health.content_cache_id');
  if (free.length === 0) return [];
  const claimed = await queries('content_cache_health')
    .whereIn('content_cache_health.content_cache_id', free)
    // Another origin may have been faster.
    .where('content_cache_health.lease_until', '<=', lease.now)
    .update({ lease_holder: lease.holder, lease_until: lease.until })
    .returning('content_cache_id');
  return claimed.map((row) => row.content_cache_id);
}

/** Before it stops: the next origin need not wait. */
export async function releaseLeases(queries: Queryable, holder: string): Promise<void> {
  await queries('content_cache_health')
    .where('content_cache_health.lease_holder', holder)
    .update({ lease_holder: null, lease_until: 0 });
}

function watched(queries: Queryable): Query {
  return queries('content_caches')
    .join('content_cache_health', 'content_cache_health.content_cache_id', 'content_caches.id')
    .select('content_caches.id', 'content_caches.name', 'content_caches.host', 'content_caches.ca_pem')
    .select('content_cache_health.*');
}

interface Row {
  readonly state: HealthState;
  readonly since: number | string;
  readonly reason: FindingReason | null;
  readonly message: string | null;
  readonly troubled_at: number | string | null;
  readonly probed_at: number | string | null;
  readonly latency_ms: number | string | null;
  readonly clock_skew_ms: number | string | null;
  readonly version: string | null;
  readonly protocol: string | null;
  readonly disk_size_bytes: number | string | null;
  readonly disk_free_bytes: number | string | null;
  readonly stored_blobs: number | string | null;
  readonly stored_bytes: number | string | null;
}

function toRow(record: HealthRecord): Row {
  return {
    state: record.state,
    since: record.since,
    reason: record.lastError?.reason ?? null,
    message: record.lastError?.message ?? null,
    troubled_at: record.lastError?.at ?? null,
    probed_at: record.probedAt ?? null,
    latency_ms: record.latencyMs ?? null,
    clock_skew_ms: record.clockSkewMs ?? null,
    version: record.version ?? null,
    protocol: record.protocol ?? null,
    disk_size_bytes: record.disk?.sizeBytes ?? null,
    disk_free_bytes: record.disk?.freeBytes ?? null,
    stored_blobs: record.stored?.blobs ?? null,
    stored_bytes: record.stored?.bytes ?? null,
  };
}

function fromRow(
  row: Row & { id: string; name: string; host: string; ca_pem: string | null; revision: number | string },
): WatchedCache {
  const diskSize = numberOf(row.disk_size_bytes);
  const storedBlobs = numberOf(row.stored_blobs);
  return {
    cache: { id: row.id, name: row.name, host: row.host, caPem: row.ca_pem ?? undefined },
    revision: Number(row.revision),
    record: {
      state: row.state,
      since: Number(row.since),
      lastError:
        row.reason === null
          ? undefined
          : { at: Number(row.troubled_at), reason: row.reason, message: row.message ?? '' },
      probedAt: numberOf(row.probed_at),
      latencyMs: numberOf(row.latency_ms),
      clockSkewMs: numberOf(row.clock_skew_ms),
      version: row.version ?? undefined,
      protocol: row.protocol ?? undefined,
      disk:
        diskSize === undefined ? undefined : { sizeBytes: diskSize, freeBytes: Number(row.disk_free_bytes) },
      stored: storedBlobs === undefined ? undefined : { blobs: storedBlobs, bytes: Number(row.stored_bytes) },
    },
  };
}

/** PostgreSQL gives big integers as text. */
function numberOf(value: number | string | null): number | undefined {
  return value === null ? undefined : Number(value);
}
