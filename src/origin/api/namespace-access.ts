/** `/api/v0/repositoryNamespaces/{namespace}/teamAccess`: what teams may do in every repository of their organization. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import {
  countNamespaceAccess,
  findNamespaceAccess,
  giveAccess,
  listNamespaceAccess,
  takeAccess,
} from '../access/grants.ts';
import type { AccessLevel } from '../access/levels.ts';
import { isOwner } from '../access/rights.ts';
import { type Account, findAccount, getAccount } from '../accounts/accounts.ts';
import { findMembership } from '../accounts/organizations.ts';
import { getTeam, type TeamView } from '../accounts/teams.ts';
import type { Database, Queryable } from '../database.ts';
import { callerOf, eventContextOf, notAuthorized } from './caller.ts';
import type { components } from './contract.d.ts';
import { pageOf, sendPageHeaders } from './paging.ts';
import { toTeam } from './team.ts';

/** Who may give access, before the body is read. */
export function createNamespaceAccessGuards({ database: { queries } }: { database: Database }): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.put(
    '/api/v0/repositoryNamespaces/:namespace/teamAccess/:teamname',
    async (request, response, next) => {
      const caller = callerOf(response);
      if (!caller.isAdmin) await getOwned(queries, caller, request.params.namespace);
      next();
    },
  );
  return guards;
}

export function createNamespaceAccessRoutes(options: { database: Database; clock: Clock }): Router {
  const { database, clock } = options;
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });
  const path = '/api/v0/repositoryNamespaces/:namespace/teamAccess';

  routes.get(path, async (request, response) => {
    const caller = callerOf(response);
    const { namespace } = request.params;
    const organization = await getOwned(queries, caller, namespace);
    const page = await listNamespaceAccess(queries, organization, caller, pageOf(request));
    await sendPageHeaders(request, response, page, () => countNamespaceAccess(queries, organization));
    response.json({
      namespace,
      teamAccessList: page.records.map(({ level, team }) => ({ accessLevel: level, team: toTeam(team) })),
    });
  });

  routes.get(`${path}/:teamname`, async (request, response) => {
    const caller = callerOf(response);
    const { namespace, teamname } = request.params;
    if (!caller.isAdmin && (await findMembership(queries, namespace, caller)) === undefined) {
      throw notAuthorized();
    }
    const team = await getTeam(queries, await getAccount(queries, namespace), caller, teamname);
    const level = await findNamespaceAccess(queries, team);
    if (level === undefined) throw noSuchAccess();
    response.json(toNamespaceAccess(namespace, team, level));
  });

  routes.put(`${path}/:teamname`, async (request, response) => {
    const { accessLevel }: components['schemas']['Access'] = request.body;
    const access = await database.transaction(async (tx) => {
      const grant = await getGrant(tx, callerOf(response), request.params);
      await giveAccess(tx, eventContextOf(response), grant, accessLevel, clock());
      return toNamespaceAccess(grant.organization.name, grant.team, accessLevel);
    });
    response.json(access);
  });

  routes.delete(`${path}/:teamname`, async (request, response) => {
    await database.transaction(async (tx) => {
      const grant = await getGrant(tx, callerOf(response), request.params);
      await takeAccess(tx, eventContextOf(response), grant, clock());
    });
    response.status(204).end();
  });

  return routes;
}

/** The account, for its owners and for admins: the same refusal whether there is one or not. */
async function getOwned(queries: Queryable, caller: Account, name: string): Promise<Account> {
  const account = await findAccount(queries, name);
  const owned = account !== undefined && (await isOwner(queries, caller, account.id));
  if (!owned && !caller.isAdmin) throw notAuthorized();
  return account ?? getAccount(queries, name);
}

/** @throws DomainError `access-denied`, `account-unknown`; `team-unknown`, in the namespace of a user for every team */
async function getGrant(
  queries: Queryable,
  caller: Account,
  { namespace, teamname }: { namespace: string; teamname: string },
): Promise<{ organization: Account; team: TeamView }> {
  const organization = await getOwned(queries, caller, namespace);
  return { organization, team: await getTeam(queries, organization, caller, teamname) };
}

function toNamespaceAccess(
  namespace: string,
  team: TeamView,
  accessLevel: AccessLevel,
): components['schemas']['NamespaceTeamAccess'] {
  return { namespace, accessLevel, team: toTeam(team) };
}

function noSuchAccess(): DomainError {
  return new DomainError(
    'namespace-access-unknown',
    'An access grant for the given team in the given namespace does not exist.',
  );
}
