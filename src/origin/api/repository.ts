/** A repository as the API shows it, and to whom. */
import { isRepositoryName, type RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import { type AccessLevel, highestLevel } from '../access/levels.ts';
import { findRepositoryLevel } from '../access/rights.ts';
import type { Account } from '../accounts/accounts.ts';
import type { Queryable } from '../database.ts';
import { findRepository, namespaceOf, type Repository } from '../images/repositories.ts';
import {
  findRepositoryDetails,
  type RepositoryDetails,
  type RepositorySummary,
} from '../images/repository-details.ts';
import { notAuthorized } from './caller.ts';
import type { components } from './contract.d.ts';

/** Of a path with `/{namespace}/{reponame}`. */
export interface RepositoryPath {
  readonly namespace: string;
  readonly reponame: string;
}

/**
 * The repository that the path names, if the caller has that level in it. What they may not see does not exist.
 * @throws DomainError `repository-unknown`; `access-denied` for who may see it but no more
 */
export async function getRepositoryFor(
  queries: Queryable,
  caller: Account,
  needed: AccessLevel,
  path: RepositoryPath,
): Promise<Repository> {
  return authorized(queries, caller, needed, await findRepository(queries, nameOf(path)));
}

/** As `getRepositoryFor`, with everything that is to be said of it. */
export async function getRepositoryDetailsFor(
  queries: Queryable,
  caller: Account,
  needed: AccessLevel,
  path: RepositoryPath,
): Promise<RepositoryDetails> {
  return authorized(queries, caller, needed, await findRepositoryDetails(queries, nameOf(path)));
}

async function authorized<R extends Repository>(
  queries: Queryable,
  caller: Account,
  needed: AccessLevel,
  repository: R | undefined,
): Promise<R> {
  const level = repository && (await findRepositoryLevel(queries, caller, repository));
  if (repository === undefined || level === undefined) throw noSuchRepository();
  if (highestLevel([level, needed]) !== level) throw notAuthorized();
  return repository;
}

/** @throws DomainError `repository-unknown` for what cannot be a name */
function nameOf({ namespace, reponame }: RepositoryPath): RepositoryName {
  const name = `${namespace}/${reponame}`;
  if (!isRepositoryName(name)) throw noSuchRepository();
  return name;
}

export function toRepository(
  repository: RepositorySummary | RepositoryDetails,
): components['schemas']['Repository'] {
  const { id, name, visibility, immutableTags, redirect, pulls, pushes } = repository;
  const namespace = namespaceOf(name);
  return {
    id,
    namespace,
    namespaceType: repository.namespaceType,
    name: name.slice(namespace.length + 1),
    shortDescription: repository.shortDescription,
    ...('longDescription' in repository ? { longDescription: repository.longDescription } : {}),
    visibility,
    scanOnPush: false,
    immutableTags,
    redirect,
    enableManifestLists: true,
    tagLimit: 0,
    pulls,
    pushes,
  };
}

export function noSuchRepository(): DomainError {
  return new DomainError('repository-unknown', 'A repository with the given name does not exist.');
}
