/** Repositories: `<namespace>/<name>`, where the namespace is an account. */
import { randomUUID } from 'node:crypto';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Queryable, Transaction } from '../database.ts';

export interface Repository {
  readonly id: string;
  readonly name: RepositoryName;
  readonly visibility: 'public' | 'private';
}

export function namespaceOf(name: RepositoryName): string {
  return name.slice(0, name.indexOf('/'));
}

/** This registry's names have two components. @throws DomainError `name-invalid` */
function assertTwoComponents(name: RepositoryName): void {
  if (name.split('/').length !== 2) {
    throw new DomainError('name-invalid', 'a repository is named <namespace>/<name>', { detail: { name } });
  }
}

export async function findRepository(
  queries: Queryable,
  name: RepositoryName,
): Promise<Repository | undefined> {
  return queries('repositories')
    .where('repositories.name', name)
    .select('repositories.id', 'repositories.name', 'repositories.visibility')
    .first();
}

/** @throws DomainError `repository-unknown` */
export async function getRepository(queries: Queryable, name: RepositoryName): Promise<Repository> {
  const repository = await findRepository(queries, name);
  if (repository === undefined) throw unknownRepository(name);
  return repository;
}

/**
 * The repository, created private if this is its first push.
 * @throws DomainError `name-invalid`; `repository-unknown` when the namespace is no account
 */
export async function getOrCreateRepository(
  tx: Transaction,
  name: RepositoryName,
  now: number,
): Promise<Repository> {
  const existing = await findRepository(tx, name);
  if (existing !== undefined) return existing;
  assertTwoComponents(name);
  const namespace = await tx('accounts')
    .where('accounts.name', namespaceOf(name))
    .select('accounts.id')
    .first();
  if (namespace === undefined) {
    throw new DomainError(
      'repository-unknown',
      `there is no user or organization named ${namespaceOf(name)}`,
      {
        detail: { name },
      },
    );
  }
  await tx('repositories')
    .insert({ id: randomUUID(), namespace_id: namespace.id, name, visibility: 'private', created_at: now })
    .onConflict('name')
    .ignore();
  return getRepository(tx, name);
}

/** The next request sees it. Tokens given before are good until they expire. */
export async function changeVisibility(
  tx: Transaction,
  id: string,
  visibility: Repository['visibility'],
): Promise<void> {
  await tx('repositories').where({ id }).update({ visibility });
}

/** Names after `last` in lexical order: all of them for `everything`, else those that `reader` may pull. */
export async function listRepositoryNames(
  queries: Queryable,
  page: { reader: string; everything: boolean; last: string; count: number },
): Promise<string[]> {
  const query = queries('repositories')
    .where('repositories.name', '>', page.last)
    .orderBy('repositories.name')
    .limit(page.count)
    .pluck('repositories.name');
  if (!page.everything) {
    query.where((visible) =>
      visible
        .where('repositories.visibility', 'public')
        .orWhereIn(
          'repositories.namespace_id',
          queries('accounts').where('accounts.name', page.reader).select('accounts.id'),
        ),
    );
  }
  return query;
}

export function unknownRepository(name: RepositoryName): DomainError {
  return new DomainError('repository-unknown', 'a repository with the given name does not exist', {
    detail: { name },
  });
}
