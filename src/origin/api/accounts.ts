/** `/api/v0/accounts`: users, service accounts and organizations. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { addAccount, changeAccount } from '../accounts/account-changes.ts';
import { deleteAccount } from '../accounts/account-deletion.ts';
import { type Account, countAccounts, getAccount, getUser, listAccounts } from '../accounts/accounts.ts';
import type { Authenticator } from '../accounts/authenticate.ts';
import {
  countMembers,
  countOrganizationsOf,
  findMembership,
  listOrganizationsOf,
} from '../accounts/organizations.ts';
import { changePassword } from '../accounts/password-change.ts';
import type { Passwords } from '../accounts/passwords.ts';
import { countTeams } from '../accounts/teams.ts';
import type { Database, Queryable } from '../database.ts';
import { toAccount } from './account.ts';
import {
  adminsOnly,
  callerOf,
  eventContextOf,
  notAuthorized,
  selfOrAdmins,
  selfOwnersOrAdmins,
} from './caller.ts';
import type { components, operations } from './contract.d.ts';
import { assertUnchanged, sendWithEtag } from './etag.ts';
import { pageOf, sendPageHeaders } from './paging.ts';

export interface AccountOptions {
  readonly database: Database;
  readonly passwords: Passwords;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
}

/** Reading an account is for everybody who signed in. */
export function createAccountGuards(database: Database): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.post('/api/v0/accounts', adminsOnly);
  guards.delete('/api/v0/accounts/:namespace', adminsOnly);
  guards.patch('/api/v0/accounts/:username', selfOwnersOrAdmins(database));
  guards.use('/api/v0/accounts/:username/changePassword', selfOrAdmins);
  guards.use('/api/v0/accounts/:username/organizations', selfOrAdmins);
  return guards;
}

export function createAccountRoutes(options: AccountOptions): Router {
  const { database, clock } = options;
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });

  routes.get('/api/v0/accounts', async (request, response) => {
    const { filter, query } = request.query as unknown as ListQuery;
    const selection = { filter, prefix: query };
    const page = await listAccounts(queries, selection, pageOf(request));
    await sendPageHeaders(request, response, page, () => countAccounts(queries, selection));
    response.json({ accounts: page.records.map(toAccount) });
  });

  routes.post('/api/v0/accounts', async (request, response) => {
    const body: components['schemas']['CreateAccount'] = request.body;
    const account = await addAccount(options, eventContextOf(response), body);
    response.status(201).location(`/api/v0/accounts/${account.name}`).json(toAccount(account));
  });

  routes.get('/api/v0/accounts/:namespace', async (request, response) => {
    const account = await getAccount(queries, request.params.namespace);
    sendWithEtag(response, await describe(queries, account, callerOf(response)));
  });

  routes.patch('/api/v0/accounts/:namespace', async (request, response) => {
    const { fullName, isAdmin, isActive }: components['schemas']['UpdateAccount'] = request.body;
    const caller = callerOf(response);
    // Who they are is theirs to change; what they may is not.
    if (!caller.isAdmin && (isAdmin ?? isActive ?? null) !== null) throw notAuthorized();
    const changes = {
      fullName: fullName ?? undefined,
      isAdmin: isAdmin ?? undefined,
      isActive: isActive ?? undefined,
    };
    const shown = await database.transaction(async (tx) => {
      const account = await getAccount(tx, request.params.namespace);
      assertUnchanged(request, await describe(tx, account, caller));
      const changed = await changeAccount(tx, eventContextOf(response), account, changes, clock());
      return describe(tx, changed, caller);
    });
    sendWithEtag(response, shown);
  });

  routes.delete('/api/v0/accounts/:namespace', async (request, response) => {
    await deleteAccount(options, eventContextOf(response), async (tx) => {
      const account = await getAccount(tx, request.params.namespace);
      assertUnchanged(request, await describe(tx, account, callerOf(response)));
      return account;
    });
    response.status(204).end();
  });

  routes.post('/api/v0/accounts/:username/changePassword', async (request, response) => {
    const body: components['schemas']['ChangePassword'] = request.body;
    const change = { name: request.params.username, ...body };
    response.json(toAccount(await changePassword(options, eventContextOf(response), change)));
  });

  routes.get('/api/v0/accounts/:username/organizations', async (request, response) => {
    const user = await getUser(queries, request.params.username);
    const page = await listOrganizationsOf(queries, user, pageOf(request));
    await sendPageHeaders(request, response, page, () => countOrganizationsOf(queries, user));
    const memberOrgs = page.records.map(({ organization, isOwner }) => ({
      org: toAccount(organization),
      isAdmin: isOwner,
    }));
    response.json({ memberOrgs });
  });

  return routes;
}

/** The check by the contract has filled in the default. */
type ListQuery = Required<Pick<NonNullable<operations['ListAccounts']['parameters']['query']>, 'filter'>> & {
  readonly query?: string;
};

/** How many are in an organization is for those who are, and for admins. */
async function describe(
  queries: Queryable,
  account: Account,
  caller: Account,
): Promise<components['schemas']['Account']> {
  const shown = toAccount(account);
  if (!account.isOrg) return shown;
  if (!caller.isAdmin && (await findMembership(queries, account.name, caller)) === undefined) return shown;
  const [membersCount, teamsCount] = [
    await countMembers(queries, account),
    await countTeams(queries, account),
  ];
  return { ...shown, membersCount, teamsCount };
}
