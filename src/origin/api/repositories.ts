/** `/api/v0/repositories`: where images are. */
import { type Request, type Response, Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { isRepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import { findNamespaceLevel } from '../access/rights.ts';
import {
  countVisibleRepositories,
  listVisibleRepositories,
  type VisibleFilter,
} from '../access/visible-repositories.ts';
import { type Account, getAccount } from '../accounts/accounts.ts';
import type { Database, Queryable } from '../database.ts';
import { insertRepository } from '../images/repositories.ts';
import {
  changeRepository,
  listRepositorySummaries,
  type RepositoryDetails,
} from '../images/repository-details.ts';
import { RepositoryRemoval } from '../images/repository-removal.ts';
import { callerOf, eventContextOf, notAuthorized } from './caller.ts';
import type { components } from './contract.d.ts';
import { assertUnchanged, setEtag } from './etag.ts';
import { pageOf, sendPageHeaders } from './paging.ts';
import { getRepositoryDetailsFor, getRepositoryFor, toRepository } from './repository.ts';

/** Who may change what, before the body is read. Admins may everything, whether it exists or not. */
export function createRepositoryGuards({ database: { queries } }: { database: Database }): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.post('/api/v0/repositories/:namespace', async (request, response, next) => {
    const caller = callerOf(response);
    if (!caller.isAdmin) await getNamespaceFor(queries, caller, request.params.namespace);
    next();
  });
  guards.patch('/api/v0/repositories/:namespace/:reponame', async (request, response, next) => {
    const caller = callerOf(response);
    if (!caller.isAdmin) await getRepositoryFor(queries, caller, 'admin', request.params);
    next();
  });
  return guards;
}

export function createRepositoryRoutes({ database, clock }: { database: Database; clock: Clock }): Router {
  const { queries } = database;
  const removal = new RepositoryRemoval({ database, clock });
  const routes = Router({ caseSensitive: true, strict: true });

  const sendList = async (request: Request, response: Response, filter: VisibleFilter): Promise<void> => {
    const caller = callerOf(response);
    const page = await listVisibleRepositories(queries, caller, filter, pageOf(request));
    await sendPageHeaders(request, response, page, () => countVisibleRepositories(queries, caller, filter));
    const repositories = await listRepositorySummaries(
      queries,
      page.records.map(({ id }) => id),
    );
    response.json({ repositories: repositories.map(toRepository) });
  };

  routes.get('/api/v0/repositories', async (request, response) => {
    const { query: contains } = request.query as { query?: string };
    await sendList(request, response, contains === undefined || contains === '' ? {} : { contains });
  });

  routes.get('/api/v0/repositories/:namespace', async (request, response) => {
    const namespace = await getAccount(queries, request.params.namespace);
    await sendList(request, response, { namespace });
  });

  routes.post('/api/v0/repositories/:namespace', async (request, response) => {
    const body: components['schemas']['CreateRepository'] = request.body;
    const path = { namespace: request.params.namespace, reponame: body.name };
    const created = await database.transaction(async (tx) => {
      const caller = callerOf(response);
      const { id: namespaceId } = await getNamespaceFor(tx, caller, path.namespace);
      const name = `${path.namespace}/${path.reponame}`;
      if (!isRepositoryName(name)) throw nameTooLong();
      const { visibility = 'private', shortDescription, longDescription, immutableTags } = body;
      const wanted = { namespaceId, name, visibility, shortDescription, longDescription, immutableTags };
      if (!(await insertRepository(tx, eventContextOf(response), wanted, clock()))) throw nameTaken();
      return getRepositoryDetailsFor(tx, caller, 'admin', path);
    });
    response.status(201).location(`/api/v0/repositories/${created.name}`).json(toRepository(created));
  });

  routes.get('/api/v0/repositories/:namespace/:reponame', async (request, response) => {
    const repository = await getRepositoryDetailsFor(
      queries,
      callerOf(response),
      'read-only',
      request.params,
    );
    setEtag(response, stateOf(repository));
    response.json(toRepository(repository));
  });

  routes.patch('/api/v0/repositories/:namespace/:reponame', async (request, response) => {
    const body: components['schemas']['UpdateRepository'] = request.body;
    const changed = await database.transaction(async (tx) => {
      const repository = await getRepositoryDetailsFor(tx, callerOf(response), 'admin', request.params);
      assertUnchanged(request, stateOf(repository));
      const { visibility, shortDescription, longDescription, immutableTags, redirect } = body;
      const changes = { visibility, shortDescription, longDescription, immutableTags, redirect };
      await changeRepository(tx, eventContextOf(response), repository, changes, clock());
      return getRepositoryDetailsFor(tx, callerOf(response), 'admin', request.params);
    });
    setEtag(response, stateOf(changed));
    response.json(toRepository(changed));
  });

  routes.delete('/api/v0/repositories/:namespace/:reponame', async (request, response) => {
    const caller = callerOf(response);
    await removal.delete(eventContextOf(response), async (tx) => {
      const repository = await getRepositoryDetailsFor(tx, caller, 'admin', request.params).catch(absent);
      assertUnchanged(request, repository && stateOf(repository));
      return repository;
    });
    response.status(204).end();
  });

  return routes;
}

/** The account in whose namespace the caller wants a repository. @throws DomainError `account-unknown`, `access-denied` */
async function getNamespaceFor(queries: Queryable, caller: Account, namespace: string): Promise<Account> {
  const account = await getAccount(queries, namespace);
  if ((await findNamespaceLevel(queries, caller, account)) !== 'admin') throw notAuthorized();
  return account;
}

/** What a change is held against: not how often it is pulled from. */
function stateOf({ pulls: _, pushes: __, ...state }: RepositoryDetails): object {
  return state;
}

/** Deleting what is not there is no error. */
function absent(error: unknown): undefined {
  if (error instanceof DomainError && error.code === 'repository-unknown') return;
  throw error;
}

function nameTooLong(): DomainError {
  return new DomainError('input-invalid', 'name: at most 255 characters together with the namespace', {
    detail: { field: 'name' },
  });
}

function nameTaken(): DomainError {
  return new DomainError('repository-name-taken', 'A repository with the same name already exists.', {
    detail: { field: 'name' },
  });
}
