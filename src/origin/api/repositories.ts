/** `/api/v0/repositories`: what a repository is, and who may see it. */
import { type Request, Router } from 'express';
import { isRepositoryName, type RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { AccessLevel } from '../access/levels.ts';
import { findRepositoryLevel } from '../access/rights.ts';
import { type Account, findAccount } from '../accounts/accounts.ts';
import type { Database, Queryable } from '../database.ts';
import {
  changeVisibility,
  findRepository,
  getRepositoryDetails,
  namespaceOf,
  type Repository,
} from '../images/repositories.ts';
import { callerOf } from './caller.ts';
import type { components } from './contract.d.ts';

type RepositoryPath = { namespace: string; reponame: string };

export function createRepositoryRoutes({ database }: { database: Database }): Router {
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get('/api/v0/repositories/:namespace/:reponame', async (request, response) => {
    const repository = await getVisible(database.queries, callerOf(response), nameOf(request));
    response.json(await toRepository(database.queries, repository));
  });
  routes.patch('/api/v0/repositories/:namespace/:reponame', async (request, response) => {
    const { visibility }: components['schemas']['UpdateRepository'] = request.body;
    const repository = await database.transaction(async (tx) => {
      const found = await getVisible(tx, callerOf(response), nameOf(request));
      if ((await levelOf(tx, callerOf(response), found)) !== 'admin') {
        throw new DomainError('access-denied', 'The client is not authorized.');
      }
      if (visibility !== undefined) await changeVisibility(tx, found.id, visibility);
      return toRepository(tx, { ...found, visibility: visibility ?? found.visibility });
    });
    response.json(repository);
  });
  return routes;
}

function nameOf({ params }: Request<RepositoryPath>): RepositoryName {
  const name = `${params.namespace}/${params.reponame}`;
  if (!isRepositoryName(name)) throw noSuchRepository();
  return name;
}

/** What the caller may not see does not exist. @throws DomainError `repository-unknown` */
async function getVisible(queries: Queryable, caller: Account, name: RepositoryName): Promise<Repository> {
  const repository = await findRepository(queries, name);
  if (repository === undefined || (await levelOf(queries, caller, repository)) === undefined) {
    throw noSuchRepository();
  }
  return repository;
}

function levelOf(
  queries: Queryable,
  caller: Account,
  repository: Repository,
): Promise<AccessLevel | undefined> {
  return findRepositoryLevel(queries, caller, repository);
}

async function toRepository(
  queries: Queryable,
  { id, name, visibility }: Repository,
): Promise<components['schemas']['Repository']> {
  const namespace = namespaceOf(name);
  const owner = await findAccount(queries, namespace);
  return {
    id,
    namespace,
    namespaceType: owner?.isOrg ? 'organization' : 'user',
    name: name.slice(namespace.length + 1),
    visibility,
    ...(await getRepositoryDetails(queries, id)),
    scanOnPush: false,
    enableManifestLists: true,
    tagLimit: 0,
  };
}

function noSuchRepository(): DomainError {
  return new DomainError('repository-unknown', 'A repository with the given name does not exist.');
}
