/** What is below `/api/v0/accounts` but about repositories: who may do what in which, and deleting all of an account. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { countAccess, listRepositoryAccess } from '../access/grants.ts';
import { findRepositoryLevel } from '../access/rights.ts';
import { type Account, getAccount, getUser } from '../accounts/accounts.ts';
import { findMembership, getOrganization } from '../accounts/organizations.ts';
import { getTeam, type TeamView } from '../accounts/teams.ts';
import type { Database, Queryable } from '../database.ts';
import { listRepositorySummaries } from '../images/repository-details.ts';
import { RepositoryRemoval } from '../images/repository-removal.ts';
import { toAccount } from './account.ts';
import { adminsOnly, callerOf, eventContextOf, notAuthorized, selfOrAdmins } from './caller.ts';
import { pageOf, sendPageHeaders } from './paging.ts';
import { getRepositoryDetailsFor, noSuchRepository, toRepository } from './repository.ts';
import { toTeam } from './team.ts';

export function createAccountRepositoryGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.use('/api/v0/accounts/:username/repositoryAccess', selfOrAdmins);
  guards.delete('/api/v0/accounts/:namespace/repositories', adminsOnly);
  return guards;
}

export function createAccountRepositoryRoutes(options: { database: Database; clock: Clock }): Router {
  const { database, clock } = options;
  const { queries } = database;
  const removal = new RepositoryRemoval({ database, clock });
  const routes = Router({ caseSensitive: true, strict: true });

  routes.get('/api/v0/accounts/:orgname/teams/:teamname/repositoryAccess', async (request, response) => {
    const team = await getTeamFor(queries, callerOf(response), request.params);
    const page = await listRepositoryAccess(queries, team, pageOf(request));
    await sendPageHeaders(request, response, page, () => countAccess(queries, 'repositories', team.id));
    const levels = new Map(page.records.map(({ repositoryId, level }) => [repositoryId, level]));
    const repositories = await listRepositorySummaries(queries, [...levels.keys()]);
    response.json({
      team: toTeam(team),
      repositoryAccessList: repositories.map((repository) => ({
        accessLevel: levels.get(repository.id),
        repository: toRepository(repository),
      })),
    });
  });

  routes.get(
    '/api/v0/accounts/:username/repositoryAccess/:namespace/:reponame',
    async (request, response) => {
      const repository = await getRepositoryDetailsFor(
        queries,
        callerOf(response),
        'read-only',
        request.params,
      );
      const user = await getUser(queries, request.params.username);
      const accessLevel = await findRepositoryLevel(queries, user, repository);
      if (accessLevel === undefined) throw noSuchRepository();
      response.json({ accessLevel, repository: toRepository(repository), user: toAccount(user) });
    },
  );

  routes.delete('/api/v0/accounts/:namespace/repositories', async (request, response) => {
    const account = await getAccount(queries, request.params.namespace);
    await removal.deleteAllOf(eventContextOf(response), account.id);
    response.status(204).end();
  });

  return routes;
}

/**
 * For the members of the team, the owners of the organization, and admins: others may not pull from all that is listed. To who
 * is not in the organization it makes no difference whether there is such a team.
 * @throws DomainError `access-denied`; `account-unknown`, `team-unknown`
 */
async function getTeamFor(
  queries: Queryable,
  caller: Account,
  { orgname, teamname }: { orgname: string; teamname: string },
): Promise<TeamView> {
  const membership = await findMembership(queries, orgname, caller);
  if (!caller.isAdmin && membership === undefined) throw notAuthorized();
  const team = await getTeam(queries, await getOrganization(queries, orgname), caller, teamname);
  if (caller.isAdmin || membership?.isOwner || team.isMember) return team;
  throw notAuthorized();
}
