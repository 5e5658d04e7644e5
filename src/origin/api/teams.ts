/** `/api/v0/accounts/{orgname}/teams`: teams, and who is in them. */
import { type Response, Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import type { Account } from '../accounts/accounts.ts';
import { getOrganization } from '../accounts/organizations.ts';
import {
  changeTeam,
  countTeams,
  createTeam,
  deleteTeam,
  findTeam,
  getTeam,
  getTeamMember,
  listTeamMembers,
  listTeams,
  putTeamMember,
  removeTeamMember,
  type TeamView,
} from '../accounts/teams.ts';
import type { Database, Queryable } from '../database.ts';
import { toAccount } from './account.ts';
import { callerOf, eventContextOf, membersOrAdmins } from './caller.ts';
import type { components } from './contract.d.ts';
import { assertUnchanged, sendWithEtag } from './etag.ts';
import { pageOf, sendPageHeaders } from './paging.ts';
import { toTeam } from './team.ts';

const collection = '/api/v0/accounts/:orgname/teams';
const members = `${collection}/:teamname/members` as const;

export function createTeamGuards(database: Database): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.use(collection, membersOrAdmins(database, /^\/[^/]+\/members\/([^/]+)$/));
  return guards;
}

export function createTeamRoutes({ database, clock }: { database: Database; clock: Clock }): Router {
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });

  routes.get(collection, async (request, response) => {
    const organization = await getOrganization(queries, request.params.orgname);
    const page = await listTeams(queries, organization, callerOf(response), pageOf(request));
    await sendPageHeaders(request, response, page, () => countTeams(queries, organization));
    response.json({ teams: page.records.map(toTeam) });
  });

  routes.post(collection, async (request, response) => {
    const body: components['schemas']['CreateTeam'] = request.body;
    const { orgname } = request.params;
    const team = await database.transaction(async (tx) => {
      const organization = await getOrganization(tx, orgname);
      const { name } = await createTeam(tx, eventContextOf(response), organization, body, clock());
      return getTeam(tx, organization, callerOf(response), name);
    });
    response.status(201).location(`/api/v0/accounts/${orgname}/teams/${team.name}`).json(toTeam(team));
  });

  routes.get(`${collection}/:teamname`, async (request, response) => {
    const { team } = await getNamed(queries, request.params, response);
    sendWithEtag(response, toTeam(team));
  });

  routes.patch(`${collection}/:teamname`, async (request, response) => {
    const changes: components['schemas']['UpdateTeam'] = request.body;
    const changed = await database.transaction(async (tx) => {
      const { organization, team } = await getNamed(tx, request.params, response);
      assertUnchanged(request, toTeam(team));
      await changeTeam(tx, eventContextOf(response), organization, team, changes, clock());
      return getTeam(tx, organization, callerOf(response), changes.name ?? team.name);
    });
    sendWithEtag(response, toTeam(changed));
  });

  routes.delete(`${collection}/:teamname`, async (request, response) => {
    const { orgname, teamname } = request.params;
    await database.transaction(async (tx) => {
      const organization = await getOrganization(tx, orgname);
      const team = await findTeam(tx, organization, callerOf(response), teamname);
      assertUnchanged(request, team && toTeam(team));
      if (team !== undefined) await deleteTeam(tx, eventContextOf(response), organization, team, clock());
    });
    response.status(204).end();
  });

  routes.get(members, async (request, response) => {
    const { team } = await getNamed(queries, request.params, response);
    const page = await listTeamMembers(queries, team, pageOf(request));
    await sendPageHeaders(request, response, page, async () => team.membersCount);
    response.json({ members: page.records.map(toTeamMember) });
  });

  routes.get(`${members}/:member`, async (request, response) => {
    const { team } = await getNamed(queries, request.params, response);
    response.json(toTeamMember(await getTeamMember(queries, team, request.params.member)));
  });

  routes.put(`${members}/:member`, async (request, response) => {
    const { member } = request.params;
    const account = await database.transaction(async (tx) => {
      const { organization, team } = await getNamed(tx, request.params, response);
      return putTeamMember(tx, eventContextOf(response), organization, team, member, clock());
    });
    response.json(toTeamMember(account));
  });

  routes.delete(`${members}/:member`, async (request, response) => {
    const { member } = request.params;
    await database.transaction(async (tx) => {
      const { organization, team } = await getNamed(tx, request.params, response);
      await removeTeamMember(tx, eventContextOf(response), organization, team, member, clock());
    });
    response.status(204).end();
  });

  return routes;
}

/** What the path names. @throws DomainError `account-unknown`, `team-unknown` */
async function getNamed(
  queries: Queryable,
  { orgname, teamname }: { orgname: string; teamname: string },
  response: Response,
): Promise<{ organization: Account; team: TeamView }> {
  const organization = await getOrganization(queries, orgname);
  return { organization, team: await getTeam(queries, organization, callerOf(response), teamname) };
}

function toTeamMember(account: Account): components['schemas']['TeamMember'] {
  return { member: toAccount(account) };
}
