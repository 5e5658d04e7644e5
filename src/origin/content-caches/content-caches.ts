/** Content caches that admins registered. */
import { randomUUID } from 'node:crypto';
import { DomainError } from '../../shared/errors.ts';
import type { Queryable, Transaction } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import { parseCaPem } from './ca-pem.ts';
import { parseCacheHost } from './cache-host.ts';
import { revise } from './revisions.ts';

/** The system's default, among its settings. */
export const defaultCacheKey = 'defaultContentCacheId';

export interface ContentCache {
  readonly id: string;
  readonly name: string;
  /** `scheme://host[:port]`, canonical. */
  readonly host: string;
  /** Whether pulls are sent there at all. */
  readonly isEnabled: boolean;
  /** PEM of the CA that signed its certificate, if it was registered with one. */
  readonly caPem: string | undefined;
}

const nameGrammar = /^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,126}[A-Za-z0-9])?$/;

/** @throws DomainError `input-invalid`, `content-cache-name-taken` */
export async function createContentCache(
  queries: Queryable,
  input: { name: string; host: string; isEnabled?: boolean; caPem?: string },
  now: number,
): Promise<ContentCache> {
  const cache = {
    id: randomUUID(),
    name: checkedName(input.name),
    host: parseCacheHost(input.host),
    isEnabled: input.isEnabled ?? true,
    caPem: parseCaPem(input.caPem ?? ''),
  };
  const inserted = await queries('content_caches')
    .insert({ id: cache.id, ...toColumns(cache), created_at: now })
    .onConflict('name_key')
    .ignore()
    .returning('id');
  if (inserted.length === 0) throw nameTaken(input.name);
  return cache;
}

/**
 * Changes what is given. The next pull of its users follows it.
 * @throws DomainError `input-invalid`, `content-cache-name-taken`, `content-cache-unknown`
 */
export async function changeContentCache(
  tx: Transaction,
  id: string,
  changes: {
    name?: string | undefined;
    host?: string | undefined;
    isEnabled?: boolean | undefined;
    caPem?: string | undefined;
  },
): Promise<ContentCache> {
  const cache = await getContentCache(tx, id);
  const changed: ContentCache = {
    id,
    name: changes.name === undefined ? cache.name : checkedName(changes.name),
    host: changes.host === undefined ? cache.host : parseCacheHost(changes.host),
    isEnabled: changes.isEnabled ?? cache.isEnabled,
    caPem: changes.caPem === undefined ? cache.caPem : parseCaPem(changes.caPem),
  };
  const twin = await tx('content_caches')
    .where('content_caches.name_key', keyOf(changed.name))
    .whereNot('content_caches.id', id)
    .first('content_caches.id');
  if (twin !== undefined) throw nameTaken(changed.name);
  await tx('content_caches').where({ id }).update(toColumns(changed));
  await revise(tx, 'network-rules');
  return changed;
}

/** By name; `page.start` is the name of the first one, in lower case. */
export async function listContentCaches(queries: Queryable, page: Page): Promise<PageOf<ContentCache>> {
  const query = queries('content_caches')
    .orderBy('content_caches.name_key')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('content_caches.name_key', '>=', page.start);
  const rows: ContentCacheRow[] = await query.select(columns);
  const { records, next } = cutPage(rows, page.size, (row) => row.name_key);
  return { records: records.map(toContentCache), next };
}

/** Those with these ids; without any, all that are enabled. */
export async function listContentCachesOf(
  queries: Queryable,
  ids: readonly string[] | undefined,
): Promise<ContentCache[]> {
  const rows: ContentCacheRow[] = await queries('content_caches')
    .orderBy('content_caches.name_key')
    .select(columns);
  const caches = rows.map(toContentCache);
  return ids === undefined
    ? caches.filter(({ isEnabled }) => isEnabled)
    : caches.filter(({ id }) => ids.includes(id));
}

export async function countContentCaches(queries: Queryable): Promise<number> {
  const [row] = await queries('content_caches').count({ total: '*' });
  return Number(row?.total ?? 0);
}

export async function findContentCache(queries: Queryable, id: string): Promise<ContentCache | undefined> {
  const row = await queries('content_caches').where('content_caches.id', id).first(columns);
  return row === undefined ? undefined : toContentCache(row);
}

/** @throws DomainError `content-cache-unknown` */
export async function getContentCache(queries: Queryable, id: string): Promise<ContentCache> {
  const cache = await findContentCache(queries, id);
  if (cache !== undefined) return cache;
  throw unknownContentCache();
}

export function unknownContentCache(): DomainError {
  return new DomainError('content-cache-unknown', 'A content cache with the given uuid does not exist.');
}

/**
 * Users who had chosen it go where rules and defaults say from now on; network rules that named it go with it, and it is no default
 * any more. Deleting what is not there is no error.
 */
export async function deleteContentCache(queries: Queryable, id: string): Promise<void> {
  await queries('content_caches').where('content_caches.id', id).delete();
  await queries('system_settings')
    .where({ key: defaultCacheKey, value: JSON.stringify(id) })
    .delete();
  await revise(queries, 'network-rules');
}

interface ContentCacheRow {
  id: string;
  name: string;
  name_key: string;
  host: string;
  is_enabled: boolean | number;
  ca_pem: string | null;
}

const columns = ['id', 'name', 'name_key', 'host', 'is_enabled', 'ca_pem'].map(
  (column) => `content_caches.${column}`,
);

function toContentCache(row: ContentCacheRow): ContentCache {
  return {
    id: row.id,
    name: row.name,
    host: row.host,
    isEnabled: Boolean(row.is_enabled),
    caPem: row.ca_pem ?? undefined,
  };
}

function toColumns({ name, host, isEnabled, caPem }: ContentCache) {
  return { name, name_key: keyOf(name), host, is_enabled: isEnabled, ca_pem: caPem ?? null };
}

function keyOf(name: string): string {
  return name.toLowerCase();
}

function checkedName(name: string): string {
  if (nameGrammar.test(name)) return name;
  throw new DomainError(
    'input-invalid',
    'name: 1 to 128 letters, digits, spaces, dots, dashes and underscores expected, beginning and ending with a letter or digit',
    { detail: { field: 'name' } },
  );
}

function nameTaken(name: string): DomainError {
  return new DomainError('content-cache-name-taken', `there is already a content cache named ${name}`, {
    detail: { field: 'name' },
  });
}
