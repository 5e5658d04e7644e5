/** Accounts: users and organisations, each a namespace of repositories. */
import { randomUUID } from 'node:crypto';
import { DomainError } from '../../shared/errors.ts';
import type { Queryable } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly fullName: string;
  readonly isOrg: boolean;
  readonly isAdmin: boolean;
  readonly isActive: boolean;
  /** A user without a password, for machines: signs in with access tokens. */
  readonly isServiceAccount: boolean;
}

export interface AccountRow {
  id: string;
  name: string;
  full_name: string;
  is_org: boolean | number;
  is_admin: boolean | number;
  is_active: boolean | number;
  is_service: boolean | number;
}

/** What makes an `AccountRow`: not the password's hash, which is for signing in alone. */
export const accountColumns = [
  'id',
  'name',
  'full_name',
  'is_org',
  'is_admin',
  'is_active',
  'is_service',
].map((column) => `accounts.${column}`);

/** One component of a repository name, so that every account can be a namespace. */
const nameGrammar = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const maximumNameLength = 128;

/** @throws DomainError `input-invalid` when it is no name of an account or a team */
export function assertName(name: string): void {
  if (nameGrammar.test(name) && name.length <= maximumNameLength) return;
  throw new DomainError(
    'input-invalid',
    `name: at most ${maximumNameLength} lower-case letters and digits, separated by one of . _ __ or -`,
    { detail: { field: 'name' } },
  );
}

/** @throws DomainError `input-invalid`, `account-name-taken` */
export async function createAccount(
  queries: Queryable,
  account: {
    name: string;
    fullName?: string;
    isOrg?: boolean;
    isAdmin?: boolean;
    isActive?: boolean;
    isServiceAccount?: boolean;
    passwordHash: string | null;
  },
  now: number,
): Promise<Account> {
  assertName(account.name);
  const row = {
    id: randomUUID(),
    name: account.name,
    full_name: account.fullName ?? '',
    is_org: account.isOrg ?? false,
    is_admin: account.isAdmin ?? false,
    is_active: account.isActive ?? true,
    is_service: account.isServiceAccount ?? false,
    password_hash: account.passwordHash,
  };
  const inserted = await queries('accounts')
    .insert({ ...row, created_at: now })
    .onConflict('name')
    .ignore()
    .returning('id');
  if (inserted.length === 0) {
    throw new DomainError('account-name-taken', `there is already an account named ${account.name}`, {
      detail: { field: 'name' },
    });
  }
  return toAccount(row);
}

export async function findAccount(queries: Queryable, name: string): Promise<Account | undefined> {
  const row = await queries('accounts').where('accounts.name', name).first(accountColumns);
  return row === undefined ? undefined : toAccount(row);
}

export async function findAccountById(queries: Queryable, id: string): Promise<Account | undefined> {
  const row = await queries('accounts').where('accounts.id', id).first(accountColumns);
  return row === undefined ? undefined : toAccount(row);
}

/** The user or organization with that name. @throws DomainError `account-unknown` */
export async function getAccount(queries: Queryable, name: string): Promise<Account> {
  const account = await findAccount(queries, name);
  if (account === undefined) {
    throw new DomainError('account-unknown', 'An account with the given name does not exist.', {
      detail: { name },
    });
  }
  return account;
}

/** The user with that name. Organisations are not users. @throws DomainError `user-unknown` */
export async function getUser(queries: Queryable, name: string): Promise<Account> {
  const account = await findAccount(queries, name);
  if (account === undefined || account.isOrg) {
    throw new DomainError('user-unknown', 'A user with the given name does not exist.', {
      detail: { name },
    });
  }
  return account;
}

/** An active user with the hash of their password, if they have one. */
export async function findCredentials(
  queries: Queryable,
  name: string,
): Promise<{ account: Account; passwordHash: string } | undefined> {
  const row = await queries('accounts')
    .where('accounts.name', name)
    .where('accounts.is_active', true)
    .where('accounts.is_org', false)
    .whereNotNull('accounts.password_hash')
    .first(...accountColumns, 'accounts.password_hash');
  if (row === undefined) return undefined;
  return { account: toAccount(row), passwordHash: row.password_hash };
}

export async function isAnyAccount(queries: Queryable): Promise<boolean> {
  return (await queries('accounts').select('accounts.id').first()) !== undefined;
}

/** Which accounts a list is of. */
interface AccountSelection {
  readonly filter: 'all' | 'users' | 'orgs' | 'admins' | 'non-admins' | 'active-users' | 'inactive-users';
  /** What their names begin with. */
  readonly prefix?: string | undefined;
}

/** By name, which is the key of a page. */
export async function listAccounts(
  queries: Queryable,
  selection: AccountSelection,
  page: Page,
): Promise<PageOf<Account>> {
  const query = selected(queries, selection)
    .orderBy('accounts.name')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('accounts.name', '>=', page.start);
  const rows: AccountRow[] = await query.select(accountColumns);
  return cutPage(rows.map(toAccount), page.size, ({ name }) => name);
}

export async function countAccounts(queries: Queryable, selection: AccountSelection): Promise<number> {
  const [row] = await selected(queries, selection).count({ total: '*' });
  return Number(row?.total ?? 0);
}

function selected(queries: Queryable, { filter, prefix }: AccountSelection) {
  const query = queries('accounts');
  // A range and no LIKE, which no index would help.
  if (prefix !== undefined && prefix !== '') {
    query.where('accounts.name', '>=', prefix).where('accounts.name', '<', `${prefix}\u{10ffff}`);
  }
  switch (filter) {
    case 'all':
      return query;
    case 'users':
      return query.where('accounts.is_org', false);
    case 'orgs':
      return query.where('accounts.is_org', true);
    case 'admins':
      return query.where('accounts.is_admin', true);
    case 'non-admins':
      return query.where('accounts.is_org', false).where('accounts.is_admin', false);
    case 'active-users':
    case 'inactive-users':
      return query.where('accounts.is_org', false).where('accounts.is_active', filter === 'active-users');
  }
}

export function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    name: row.name,
    fullName: row.full_name,
    isOrg: Boolean(row.is_org),
    isAdmin: Boolean(row.is_admin),
    isActive: Boolean(row.is_active),
    isServiceAccount: Boolean(row.is_service),
  };
}
