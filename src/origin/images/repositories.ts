/** Repositories: `<namespace>/<name>`, where the namespace is an account. */
import { randomUUID } from 'node:crypto';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, Queryable, Transaction } from '../database.ts';

export interface Repository {
  readonly id: string;
  readonly namespaceId: string;
  readonly name: RepositoryName;
  readonly visibility: 'public' | 'private';
}

/** An account as a namespace of repositories. */
export interface Namespace {
  readonly id: string;
  /** Whether a push creates a repository in it; `undefined`: as the system says. */
  readonly createRepositoryOnPush: boolean | undefined;
}

/** For whoever selects repositories. */
export const repositoryColumns = [
  'repositories.id',
  'repositories.namespace_id as namespaceId',
  'repositories.name',
  'repositories.visibility',
];

export function namespaceOf(name: RepositoryName): string {
  return name.slice(0, name.indexOf('/'));
}

/** What is said of a repository beside its name and who may see it. */
export interface RepositoryDetails {
  readonly shortDescription: string;
  readonly longDescription: string;
  /** A tag that is there cannot be pushed again. */
  readonly immutableTags: boolean;
  readonly pulls: number;
  readonly pushes: number;
}

export async function getRepositoryDetails(queries: Queryable, id: string): Promise<RepositoryDetails> {
  const row = await queries('repositories').where('repositories.id', id).first('repositories.*');
  return {
    shortDescription: row.short_description,
    longDescription: row.long_description,
    immutableTags: Boolean(row.immutable_tags),
    pulls: Number(row.pulls),
    pushes: Number(row.pushes),
  };
}

/** This registry's names have two components. @throws DomainError `name-invalid` */
function assertTwoComponents(name: RepositoryName): void {
  if (name.split('/').length !== 2) {
    throw new DomainError('name-invalid', 'a repository is named <namespace>/<name>', { detail: { name } });
  }
}

export async function findNamespace(queries: Queryable, name: string): Promise<Namespace | undefined> {
  const row = await queries('accounts')
    .where('accounts.name', name)
    .first('accounts.id', 'accounts.create_repository_on_push');
  if (row === undefined) return undefined;
  const onPush: boolean | number | null = row.create_repository_on_push;
  return { id: row.id, createRepositoryOnPush: onPush === null ? undefined : Boolean(onPush) };
}

/** Whether a push to a repository that does not exist creates it. */
export function mayCreateOnPush(
  namespace: Namespace,
  system: { readonly createRepositoryOnPush: boolean },
): boolean {
  return namespace.createRepositoryOnPush ?? system.createRepositoryOnPush;
}

/** Compiles what every request to the registry asks: which repository has that name now. */
export function prepareFindRepositoryId(
  database: Database,
): (name: RepositoryName) => Promise<string | undefined> {
  const find = database.prepare<{ id: string }>((queries) =>
    queries('repositories').where('repositories.name', ':1').select('repositories.id'),
  );
  return async (name) => (await find(name))?.id;
}

export async function findRepository(
  queries: Queryable,
  name: RepositoryName,
): Promise<Repository | undefined> {
  return queries('repositories').where('repositories.name', name).first(repositoryColumns);
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
  const namespace = await findNamespace(tx, namespaceOf(name));
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

export function unknownRepository(name: RepositoryName): DomainError {
  return new DomainError('repository-unknown', 'a repository with the given name does not exist', {
    detail: { name },
  });
}
