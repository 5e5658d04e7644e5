/** `/api/v0/accounts/{orgname}/members`: who is in an organization. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import {
  countMembers,
  getMember,
  getOrganization,
  listMembers,
  type Member,
  putMember,
  removeMember,
} from '../accounts/organizations.ts';
import type { Database } from '../database.ts';
import { toAccount } from './account.ts';
import { eventContextOf, membersOrAdmins } from './caller.ts';
import type { components } from './contract.d.ts';
import { pageOf, sendPageHeaders } from './paging.ts';

const collection = '/api/v0/accounts/:orgname/members';

export function createOrganizationGuards(database: Database): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.use(collection, membersOrAdmins(database, /^\/([^/]+)$/));
  return guards;
}

export function createOrganizationRoutes({ database, clock }: { database: Database; clock: Clock }): Router {
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });

  routes.get(collection, async (request, response) => {
    const organization = await getOrganization(queries, request.params.orgname);
    const page = await listMembers(queries, organization, pageOf(request));
    await sendPageHeaders(request, response, page, () => countMembers(queries, organization));
    response.json({ members: page.records.map(toMember) });
  });

  routes.get(`${collection}/:member`, async (request, response) => {
    const organization = await getOrganization(queries, request.params.orgname);
    response.json(toMember(await getMember(queries, organization, request.params.member)));
  });

  routes.put(`${collection}/:member`, async (request, response) => {
    // The body may be left out.
    const role: components['schemas']['MemberRole'] = request.body ?? {};
    const wanted = { name: request.params.member, isOwner: role.isAdmin };
    const member = await database.transaction(async (tx) => {
      const organization = await getOrganization(tx, request.params.orgname);
      return putMember(tx, eventContextOf(response), organization, wanted, clock());
    });
    response.json(toMember(member));
  });

  routes.patch(`${collection}/:member`, async (request, response) => {
    const { isAdmin }: components['schemas']['MemberRole'] = request.body;
    const member = await database.transaction(async (tx) => {
      const organization = await getOrganization(tx, request.params.orgname);
      const { account } = await getMember(tx, organization, request.params.member);
      const wanted = { name: account.name, isOwner: isAdmin };
      return putMember(tx, eventContextOf(response), organization, wanted, clock());
    });
    response.json(toMember(member));
  });

  routes.delete(`${collection}/:member`, async (request, response) => {
    await database.transaction(async (tx) => {
      const organization = await getOrganization(tx, request.params.orgname);
      await removeMember(tx, eventContextOf(response), organization, request.params.member, clock());
    });
    response.status(204).end();
  });

  return routes;
}

function toMember({ account, isOwner }: Member): components['schemas']['Member'] {
  return { member: toAccount(account), isAdmin: isOwner };
}
