/** Adding and changing accounts. Somebody who can administer the system is always left. */
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, Transaction } from '../database.ts';
import { type EventContext, type EventObject, recordEvent } from '../events/events.ts';
import {
  type Account,
  type AccountRow,
  accountColumns,
  assertName,
  createAccount,
  toAccount,
} from './accounts.ts';
import type { Passwords } from './passwords.ts';
import { endSignIns } from './sessions.ts';

/** What is left out stays as it is. */
interface AccountChanges {
  readonly fullName?: string | undefined;
  readonly isAdmin?: boolean | undefined;
  readonly isActive?: boolean | undefined;
}

/** The account as the trail names it. */
export function accountObject({ id, name, isOrg }: Account): EventObject {
  return { type: isOrg ? 'organization' : 'user', id, name };
}

/** Of an account that is to be. */
interface NewAccount extends AccountChanges {
  readonly name: string;
  readonly isOrg?: boolean | undefined;
  readonly isServiceAccount?: boolean | undefined;
  /** Of users, and of nobody else. */
  readonly password?: string | undefined;
}

/** @throws DomainError `input-invalid`, `account-name-taken` */
export async function addAccount(
  { database, passwords, clock }: { database: Database; passwords: Passwords; clock: Clock },
  context: EventContext,
  wanted: NewAccount,
): Promise<Account> {
  const { name, password, isOrg = false, isServiceAccount = false } = wanted;
  const { fullName = '', isAdmin = false, isActive = true } = wanted;
  assertName(name);
  assertFits(isOrg, { isAdmin, isActive });
  if (isOrg && isServiceAccount) throw invalid('isServiceAccount', 'an organization is no service account');
  const signsInByPassword = !isOrg && !isServiceAccount;
  if (signsInByPassword && password === undefined) throw invalid('password', 'required for a user');
  if (!signsInByPassword && password !== undefined) {
    throw invalid('password', `${isOrg ? 'an organization' : 'a service account'} has none`);
  }
  const passwordHash = password === undefined ? null : await passwords.hash(password);
  return database.transaction(async (tx) => {
    const row = { name, fullName, isOrg, isAdmin, isActive, isServiceAccount, passwordHash };
    const account = await createAccount(tx, row, clock());
    const content = { fullName, isAdmin, isActive, isServiceAccount };
    await recordEvent(tx, context, { type: 'CREATE', object: accountObject(account), content }, clock());
    return account;
  });
}

/**
 * Whoever is deactivated is signed out everywhere. Who is made active again is not deleted any more, and keeps what is left.
 * @throws DomainError `input-invalid` for what an organization cannot be; `last-admin`
 */
export async function changeAccount(
  tx: Transaction,
  context: EventContext,
  account: Account,
  changes: AccountChanges,
  now: number,
): Promise<Account> {
  const content = differing(account, changes);
  if (Object.keys(content).length === 0) return account;
  assertFits(account.isOrg, content);
  const changed = { ...account, ...content };
  if (canAdminister(account) && !canAdminister(changed)) await assertNotLastAdmin(tx, account);
  // Knex leaves out what is undefined: only what differs is written.
  await tx('accounts').where('accounts.id', account.id).update({
    full_name: content.fullName,
    is_admin: content.isAdmin,
    is_active: content.isActive,
  });
  if (account.isActive && !changed.isActive) await endSignIns(tx, account.id);
  if (changed.isActive) await tx('account_deletions').where({ account_id: account.id }).delete();
  await recordEvent(tx, context, { type: 'UPDATE', object: accountObject(account), content }, now);
  return changed;
}

/** Service accounts do not count: with their tokens gone, nobody could give them new ones. */
export function canAdminister({ isAdmin, isActive, isServiceAccount }: Account): boolean {
  return isAdmin && isActive && !isServiceAccount;
}

/** Of two admins who go at the same time, one stays: the rows are locked, where the database locks rows. */
export async function assertNotLastAdmin(tx: Transaction, account: Account): Promise<void> {
  const rows: AccountRow[] = await tx('accounts')
    .where('accounts.is_admin', true)
    .orderBy('accounts.name')
    .forUpdate()
    .select(accountColumns);
  const others = rows.map(toAccount).filter(({ id }) => id !== account.id);
  if (others.some(canAdminister)) return;
  throw new DomainError('last-admin', `${account.name} is the last active system admin`);
}

/** What of the changes is one. */
function differing(
  account: Account,
  changes: AccountChanges,
): Partial<Pick<Account, 'fullName' | 'isAdmin' | 'isActive'>> {
  const members = ['fullName', 'isAdmin', 'isActive'] as const;
  return Object.fromEntries(
    members.flatMap((member) => {
      const value = changes[member];
      return value === undefined || value === account[member] ? [] : [[member, value]];
    }),
  );
}

function assertFits(isOrg: boolean, { isAdmin, isActive }: AccountChanges): void {
  if (!isOrg) return;
  if (isAdmin === true) throw invalid('isAdmin', 'an organization is no system admin');
  if (isActive === false) throw invalid('isActive', 'an organization is always active');
}

function invalid(field: string, why: string): DomainError {
  return new DomainError('input-invalid', `${field}: ${why}`, { detail: { field } });
}
