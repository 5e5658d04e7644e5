/** Accounts: users and organisations, each a namespace of repositories. */
import { randomUUID } from 'node:crypto';
import { DomainError } from '../../shared/errors.ts';
import type { Queryable } from '../database.ts';

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

interface AccountRow {
  id: string;
  name: string;
  full_name: string;
  is_org: boolean | number;
  is_admin: boolean | number;
  is_active: boolean | number;
  is_service: boolean | number;
  password_hash: string | null;
}

/** One component of a repository name, so that every account can be a namespace. */
const nameGrammar = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const maximumNameLength = 128;

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
  if (!nameGrammar.test(account.name) || account.name.length > maximumNameLength) {
    throw new DomainError(
      'input-invalid',
      `name: at most ${maximumNameLength} lower-case letters and digits, separated by one of . _ __ or -`,
      { detail: { field: 'name' } },
    );
  }
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
  const row = await queries<AccountRow>('accounts').where('accounts.name', name).first();
  return row === undefined ? undefined : toAccount(row);
}

export async function findAccountById(queries: Queryable, id: string): Promise<Account | undefined> {
  const row = await queries<AccountRow>('accounts').where('accounts.id', id).first();
  return row === undefined ? undefined : toAccount(row);
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
  const row = await queries<AccountRow>('accounts')
    .where('accounts.name', name)
    .where('accounts.is_active', true)
    .where('accounts.is_org', false)
    .first();
  if (row === undefined || row.password_hash === null) return undefined;
  return { account: toAccount(row), passwordHash: row.password_hash };
}

export async function isAnyAccount(queries: Queryable): Promise<boolean> {
  return (await queries('accounts').select('accounts.id').first()) !== undefined;
}

function toAccount(row: Omit<AccountRow, 'password_hash'>): Account {
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
