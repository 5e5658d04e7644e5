/** Repositories: `<namespace>/<name>`, where the namespace is an account. */
import { randomUUID } from 'node:crypto';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, Queryable, Transaction } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import { getSystemSettings } from '../settings/system-settings.ts';

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
 * @throws DomainError `name-invalid`; `repository-unknown` when its namespace does not allow that
 */
export async function getOrCreateRepository(
  tx: Transaction,
  context: EventContext,
  name: RepositoryName,
  now: number,
): Promise<Repository> {
  const existing = await findRepository(tx, name);
  if (existing !== undefined) return existing;
  assertTwoComponents(name);
  const namespace = await findNamespace(tx, namespaceOf(name));
  if (namespace === undefined || !mayCreateOnPush(namespace, await getSystemSettings(tx))) {
    throw unknownRepository(name);
  }
  await insertRepository(tx, context, { namespaceId: namespace.id, name, visibility: 'private' }, now);
  return getRepository(tx, name);
}

export interface NewRepository {
  readonly namespaceId: string;
  readonly name: RepositoryName;
  readonly visibility: Repository['visibility'];
  readonly shortDescription?: string | undefined;
  /** Markdown. */
  readonly longDescription?: string | undefined;
  readonly immutableTags?: boolean;
}

/** False when there is one with that name already. */
export async function insertRepository(
  tx: Transaction,
  context: EventContext,
  repository: NewRepository,
  now: number,
): Promise<boolean> {
  const { name, visibility, shortDescription = '', longDescription = '', immutableTags = false } = repository;
  const id = randomUUID();
  const inserted = await tx('repositories')
    .insert({
      id,
      namespace_id: repository.namespaceId,
      name,
      visibility,
      short_description: shortDescription,
      search_text: searchTextOf({ name, shortDescription }),
      long_description: longDescription,
      immutable_tags: immutableTags,
      created_at: now,
    })
    .onConflict('name')
    .ignore()
    .returning('id');
  if (inserted.length === 0) return false;
  const object = { type: 'repository', id, name };
  await recordEvent(tx, context, { type: 'CREATE', object, content: { visibility, immutableTags } }, now);
  return true;
}

/** What a search looks at. */
export function searchTextOf(repository: {
  readonly name: RepositoryName;
  readonly shortDescription: string;
}): string {
  return `${repository.name}\n${repository.shortDescription}`.toLowerCase();
}

export function unknownRepository(name: RepositoryName): DomainError {
  return new DomainError('repository-unknown', 'a repository with the given name does not exist', {
    detail: { name },
  });
}
