/** `…/teamAccess` and `…/userAccess` of a repository: who may do what in it. For who has `admin` access to it. */
import { type RequestHandler, Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import {
  countAccess,
  giveAccess,
  listTeamAccess,
  listUserAccess,
  type TeamAccess,
  takeAccess,
} from '../access/grants.ts';
import { type Account, findAccountById, getUser } from '../accounts/accounts.ts';
import { getTeam, type TeamView } from '../accounts/teams.ts';
import type { Database, Queryable } from '../database.ts';
import type { Repository } from '../images/repositories.ts';
import type { RepositoryDetails } from '../images/repository-details.ts';
import { toAccount } from './account.ts';
import { callerOf, eventContextOf } from './caller.ts';
import type { components } from './contract.d.ts';
import { pageOf, sendPageHeaders } from './paging.ts';
import {
  getRepositoryDetailsFor,
  getRepositoryFor,
  type RepositoryPath,
  toRepository,
} from './repository.ts';
import { toTeam } from './team.ts';

/** So many teams are in the answer when one of them is given access: the original answers with the list. */
const listedTeams = 1000;

/** Who may give access, before the body is read. */
export function createRepositoryAccessGuards({ database: { queries } }: { database: Database }): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  const guard: RequestHandler<RepositoryPath> = async (request, response, next) => {
    const caller = callerOf(response);
    if (!caller.isAdmin) await getRepositoryFor(queries, caller, 'admin', request.params);
    next();
  };
  guards.put('/api/v0/repositories/:namespace/:reponame/teamAccess/:teamname', guard);
  guards.put('/api/v0/repositories/:namespace/:reponame/userAccess/:username', guard);
  return guards;
}

export function createRepositoryAccessRoutes(options: { database: Database; clock: Clock }): Router {
  const { database, clock } = options;
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });
  const path = '/api/v0/repositories/:namespace/:reponame';

  routes.get(`${path}/teamAccess`, async (request, response) => {
    const caller = callerOf(response);
    const repository = await getRepositoryDetailsFor(queries, caller, 'admin', request.params);
    const organization = await getNamespace(queries, repository);
    const page = await listTeamAccess(queries, organization, repository, caller, pageOf(request));
    await sendPageHeaders(request, response, page, () => countAccess(queries, 'teams', repository.id));
    response.json(toTeamAccessList(repository, page.records));
  });

  routes.put(`${path}/teamAccess/:teamname`, async (request, response) => {
    const caller = callerOf(response);
    const { accessLevel }: components['schemas']['Access'] = request.body;
    const list = await database.transaction(async (tx) => {
      const repository = await getRepositoryDetailsFor(tx, caller, 'admin', request.params);
      const grant = await getTeamGrant(tx, caller, repository, request.params.teamname);
      await giveAccess(tx, eventContextOf(response), grant, accessLevel, clock());
      const page = { start: undefined, size: listedTeams };
      const { records } = await listTeamAccess(tx, grant.organization, repository, caller, page);
      return toTeamAccessList(repository, records);
    });
    response.json(list);
  });

  routes.delete(`${path}/teamAccess/:teamname`, async (request, response) => {
    const caller = callerOf(response);
    await database.transaction(async (tx) => {
      const repository = await getRepositoryFor(tx, caller, 'admin', request.params);
      const grant = await getTeamGrant(tx, caller, repository, request.params.teamname);
      await takeAccess(tx, eventContextOf(response), grant, clock());
    });
    response.status(204).end();
  });

  routes.get(`${path}/userAccess`, async (request, response) => {
    const repository = await getRepositoryDetailsFor(queries, callerOf(response), 'admin', request.params);
    const page = await listUserAccess(queries, repository, pageOf(request));
    await sendPageHeaders(request, response, page, () => countAccess(queries, 'users', repository.id));
    response.json({
      repository: toRepository(repository),
      userAccessList: page.records.map(({ level, user }) => ({ accessLevel: level, user: toAccount(user) })),
    });
  });

  routes.put(`${path}/userAccess/:username`, async (request, response) => {
    const { accessLevel }: components['schemas']['Access'] = request.body;
    const access = await database.transaction(async (tx) => {
      const repository = await getRepositoryDetailsFor(tx, callerOf(response), 'admin', request.params);
      const user = await getUser(tx, request.params.username);
      await giveAccess(tx, eventContextOf(response), { user, repository }, accessLevel, clock());
      return { accessLevel, repository: toRepository(repository), user: toAccount(user) };
    });
    response.json(access);
  });

  routes.delete(`${path}/userAccess/:username`, async (request, response) => {
    await database.transaction(async (tx) => {
      const repository = await getRepositoryFor(tx, callerOf(response), 'admin', request.params);
      const user = await getUser(tx, request.params.username);
      await takeAccess(tx, eventContextOf(response), { user, repository }, clock());
    });
    response.status(204).end();
  });

  return routes;
}

/** The account whose namespace it is in: there is always one. */
async function getNamespace(queries: Queryable, { namespaceId }: Repository): Promise<Account> {
  return (await findAccountById(queries, namespaceId)) as Account;
}

/** @throws DomainError `team-unknown`, in the namespace of a user for every team */
async function getTeamGrant(
  queries: Queryable,
  caller: Account,
  repository: Repository,
  teamName: string,
): Promise<{ organization: Account; team: TeamView; repository: Repository }> {
  const organization = await getNamespace(queries, repository);
  return { organization, team: await getTeam(queries, organization, caller, teamName), repository };
}

function toTeamAccessList(
  repository: RepositoryDetails,
  access: readonly TeamAccess[],
): components['schemas']['RepositoryTeamAccessList'] {
  return {
    repository: toRepository(repository),
    teamAccessList: access.map(({ level, team }) => ({ accessLevel: level, team: toTeam(team) })),
  };
}
