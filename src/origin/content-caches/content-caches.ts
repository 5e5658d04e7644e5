/** Content caches that admins registered. */
import { randomUUID } from 'node:crypto';
import { DomainError } from '../../shared/errors.ts';
import type { Queryable } from '../database.ts';
import { parseCacheHost } from './cache-host.ts';
import { revise } from './revisions.ts';

export interface ContentCache {
  readonly id: string;
  readonly name: string;
  /** `scheme://host[:port]`, canonical. */
  readonly host: string;
}

const nameGrammar = /^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,126}[A-Za-z0-9])?$/;

/** @throws DomainError `input-invalid`, `content-cache-name-taken` */
export async function createContentCache(
  queries: Queryable,
  input: { name: string; host: string },
  now: number,
): Promise<ContentCache> {
  if (!nameGrammar.test(input.name)) {
    throw new DomainError(
      'input-invalid',
      'name: 1 to 128 letters, digits, spaces, dots, dashes and underscores expected, beginning and ending with a letter or digit',
      { detail: { field: 'name' } },
    );
  }
  const cache = { id: randomUUID(), name: input.name, host: parseCacheHost(input.host) };
  const inserted = await queries('content_caches')
    .insert({ ...cache, created_at: now })
    .onConflict('name')
    .ignore()
    .returning('id');
  if (inserted.length === 0) {
    throw new DomainError(
      'content-cache-name-taken',
      `there is already a content cache named ${input.name}`,
      {
        detail: { field: 'name' },
      },
    );
  }
  return cache;
}

export async function listContentCaches(queries: Queryable): Promise<ContentCache[]> {
  return queries('content_caches').select('id', 'name', 'host').orderBy('content_caches.name');
}

export async function findContentCache(queries: Queryable, id: string): Promise<ContentCache | undefined> {
  return queries('content_caches').select('id', 'name', 'host').where('content_caches.id', id).first();
}

/**
 * Users who had chosen it go where rules and defaults say from now on; network rules that named it go with it. Deleting what is
 * not there is no error.
 */
export async function deleteContentCache(queries: Queryable, id: string): Promise<void> {
  await queries('content_caches').where('content_caches.id', id).delete();
  await revise(queries, 'network-rules');
}
