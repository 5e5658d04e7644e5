/** Organizations: their members, some of whom are owners. */
import { DomainError } from '../../shared/errors.ts';
import type { Queryable, Transaction } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import { accountObject } from './account-changes.ts';
import {
  type Account,
  type AccountRow,
  accountColumns,
  findAccount,
  getUser,
  toAccount,
} from './accounts.ts';

export interface Member {
  readonly account: Account;
  /** Manages the organization's repositories, teams and members. */
  readonly isOwner: boolean;
}

/** An organization that a user is a member of. */
interface MemberOrganization {
  readonly organization: Account;
  readonly isOwner: boolean;
}

/** @throws DomainError `account-unknown`, for users, too */
export async function getOrganization(queries: Queryable, name: string): Promise<Account> {
  const account = await findAccount(queries, name);
  if (account?.isOrg !== true) {
    throw new DomainError('account-unknown', 'An organization with the given name does not exist.', {
      detail: { name },
    });
  }
  return account;
}

/** Whether the user is in the organization of that name, and an owner of it; `undefined` when not. */
export async function findMembership(
  queries: Queryable,
  organizationName: string,
  user: Account,
): Promise<{ isOwner: boolean } | undefined> {
  const row = await queries('accounts')
    .join('organization_members', 'organization_members.organization_id', 'accounts.id')
    .where('accounts.name', organizationName)
    .where('organization_members.user_id', user.id)
    .first('organization_members.is_admin');
  return row === undefined ? undefined : { isOwner: Boolean(row.is_admin) };
}

/** @throws DomainError `member-unknown`, whether there is such a user or not */
export async function getMember(queries: Queryable, organization: Account, name: string): Promise<Member> {
  const row = await members(queries, organization)
    .where('accounts.name', name)
    .first<MemberRow | undefined>(...accountColumns, 'organization_members.is_admin as is_owner');
  if (row === undefined) throw new DomainError('member-unknown', 'The user is not a member.');
  return toMember(row);
}

/** By name, which is the key of a page. */
export async function listMembers(
  queries: Queryable,
  organization: Account,
  page: Page,
): Promise<PageOf<Member>> {
  const query = members(queries, organization)
    .orderBy('organization_members.user_name')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('organization_members.user_name', '>=', page.start);
  const rows: MemberRow[] = await query.select(
    ...accountColumns,
    'organization_members.is_admin as is_owner',
  );
  return cutPage(rows.map(toMember), page.size, ({ account }) => account.name);
}

export async function countMembers(queries: Queryable, organization: Account): Promise<number> {
  const [row] = await queries('organization_members')
    .where('organization_members.organization_id', organization.id)
    .count({ total: '*' });
  return Number(row?.total ?? 0);
}

/**
 * Makes the user a member, or changes whether they are an owner; `isOwner` left out is as it is, or no owner.
 * @throws DomainError `user-unknown`
 */
export async function putMember(
  tx: Transaction,
  context: EventContext,
  organization: Account,
  { name, isOwner }: { name: string; isOwner?: boolean | undefined },
  now: number,
): Promise<Member> {
  const account = await getUser(tx, name);
  const key = { organization_id: organization.id, user_id: account.id };
  const row = await tx('organization_members').where(key).first('organization_members.is_admin');
  const before = row === undefined ? undefined : Boolean(row.is_admin);
  const after = isOwner ?? before ?? false;
  if (after === before) return { account, isOwner: after };
  await tx('organization_members')
    .insert({ ...key, user_name: account.name, is_admin: after, created_at: now })
    .onConflict(['organization_id', 'user_id'])
    .merge({ is_admin: after });
  const content = { isAdmin: after };
  await recordEvent(tx, context, { type: 'GRANT', ...membership(organization, account), content }, now);
  return { account, isOwner: after };
}

/** Takes the user out of the organization and all of its teams, if they are in it. */
export async function removeMember(
  tx: Transaction,
  context: EventContext,
  organization: Account,
  name: string,
  now: number,
): Promise<void> {
  const user = await findAccount(tx, name);
  if (user === undefined) return;
  const removed = await tx('organization_members')
    .where({ organization_id: organization.id, user_id: user.id })
    .delete();
  if (removed === 0) return;
  await tx('team_members')
    .where('team_members.user_id', user.id)
    .whereIn(
      'team_members.team_id',
      tx('teams').where('teams.organization_id', organization.id).select('teams.id'),
    )
    .delete();
  await recordEvent(tx, context, { type: 'REVOKE', ...membership(organization, user) }, now);
}

/** By name, which is the key of a page. */
export async function listOrganizationsOf(
  queries: Queryable,
  user: Account,
  page: Page,
): Promise<PageOf<MemberOrganization>> {
  const query = queries('organization_members')
    .join('accounts', 'accounts.id', 'organization_members.organization_id')
    .where('organization_members.user_id', user.id)
    .orderBy('accounts.name')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('accounts.name', '>=', page.start);
  const rows: MemberRow[] = await query.select(
    ...accountColumns,
    'organization_members.is_admin as is_owner',
  );
  const organizations = rows.map((row) => ({ organization: toAccount(row), isOwner: Boolean(row.is_owner) }));
  return cutPage(organizations, page.size, ({ organization }) => organization.name);
}

export async function countOrganizationsOf(queries: Queryable, user: Account): Promise<number> {
  const [row] = await queries('organization_members')
    .where('organization_members.user_id', user.id)
    .count({ total: '*' });
  return Number(row?.total ?? 0);
}

interface MemberRow extends AccountRow {
  is_owner: boolean | number;
}

function toMember(row: MemberRow): Member {
  return { account: toAccount(row), isOwner: Boolean(row.is_owner) };
}

function members(queries: Queryable, organization: Account) {
  return queries('organization_members')
    .join('accounts', 'accounts.id', 'organization_members.user_id')
    .where('organization_members.organization_id', organization.id);
}

function membership(organization: Account, user: Account) {
  return { object: accountObject(organization), target: accountObject(user) };
}
