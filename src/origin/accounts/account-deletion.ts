/**
 * Deleting accounts: first nobody can sign in to it any more; then its repositories go, in many short transactions; then the
 * account. That it is being deleted is written down first, so that the next start finishes what was interrupted. It ends where it
 * is when an admin makes the account active again.
 */
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, Transaction } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import { RepositoryRemoval } from '../images/repository-removal.ts';
import { accountObject, assertNotLastAdmin, canAdminister } from './account-changes.ts';
import { type Account, type AccountRow, accountColumns, toAccount } from './accounts.ts';
import { endSignIns } from './sessions.ts';

interface Parts {
  readonly database: Database;
  readonly clock: Clock;
}

/**
 * `find` gives the account, or `undefined` when there is nothing to delete.
 * @throws DomainError `last-admin`; `changed-meanwhile` when somebody made it active again
 */
export async function deleteAccount(
  parts: Parts,
  context: EventContext,
  find: (tx: Transaction) => Promise<Account | undefined>,
): Promise<void> {
  const account = await parts.database.transaction(async (tx) => {
    const found = await find(tx);
    return found && begin(tx, context, found, parts.clock());
  });
  if (account === undefined || (await finish(parts, context, account))) return;
  throw new DomainError('changed-meanwhile', `${account.name} was made active again: what was left is kept`);
}

/**
 * Finishes what another run of the origin began, in the name of who asked for it. Gives the names of the accounts.
 * @throws the reason of `signal`, which ends it between two transactions
 */
export async function finishDeletions(parts: Parts, signal: AbortSignal): Promise<string[]> {
  const rows: (AccountRow & DeletionRow)[] = await parts.database
    .queries('account_deletions')
    .join('accounts', 'accounts.id', 'account_deletions.account_id')
    .orderBy('account_deletions.begun_at')
    .select(accountColumns)
    .select(deletionColumns);
  const gone: string[] = [];
  for (const row of rows) {
    if (await finish(parts, contextOf(row), toAccount(row), signal)) gone.push(row.name);
  }
  return gone;
}

/** Organizations are made inactive, too: of them it means that their deletion has begun. */
async function begin(
  tx: Transaction,
  context: EventContext,
  account: Account,
  now: number,
): Promise<Account> {
  const { actor, door, client } = context;
  await tx('account_deletions')
    .insert({
      account_id: account.id,
      begun_at: now,
      actor_id: actor?.id ?? null,
      actor_name: actor?.name ?? null,
      door,
      client: client ?? null,
    })
    .onConflict('account_id')
    .ignore();
  if (!account.isActive) return account;
  if (canAdminister(account)) await assertNotLastAdmin(tx, account);
  await tx('accounts').where('accounts.id', account.id).update({ is_active: false });
  await endSignIns(tx, account.id);
  const content = { isActive: false };
  await recordEvent(tx, context, { type: 'UPDATE', object: accountObject(account), content }, now);
  return { ...account, isActive: false };
}

/** False when somebody made it active again meanwhile. */
async function finish(
  { database, clock }: Parts,
  context: EventContext,
  account: Account,
  signal?: AbortSignal,
): Promise<boolean> {
  const removal = new RepositoryRemoval({ database, clock });
  const isWanted = (tx: Transaction) => isBegun(tx, account);
  let end: Awaited<ReturnType<typeof removeEmpty>>;
  do {
    await removal.deleteAllOf(context, account.id, { isWanted, signal });
    end = await database.transaction((tx) => removeEmpty(tx, context, account, clock()));
  } while (end === 'not-empty');
  return end === 'gone';
}

/** `not-empty`: somebody pushed to a new repository of it meanwhile. */
async function removeEmpty(
  tx: Transaction,
  context: EventContext,
  account: Account,
  now: number,
): Promise<'gone' | 'kept' | 'not-empty'> {
  const here = await tx('accounts').where('accounts.id', account.id).first('id');
  if (here === undefined) return 'gone';
  if (!(await isBegun(tx, account))) return 'kept';
  const repository = await tx('repositories').where('repositories.namespace_id', account.id).first('id');
  if (repository !== undefined) return 'not-empty';
  await tx('accounts').where('accounts.id', account.id).delete();
  await recordEvent(tx, context, { type: 'DELETE', object: accountObject(account) }, now);
  return 'gone';
}

async function isBegun(tx: Transaction, account: Account): Promise<boolean> {
  const row = await tx('account_deletions').where({ account_id: account.id }).first('account_id');
  return row !== undefined;
}

const deletionColumns = ['actor_id', 'actor_name', 'door', 'client'].map(
  (column) => `account_deletions.${column}`,
);

interface DeletionRow {
  readonly actor_id: string | null;
  readonly actor_name: string | null;
  readonly door: EventContext['door'];
  readonly client: string | null;
}

function contextOf({ actor_id, actor_name, door, client }: DeletionRow): EventContext {
  return {
    actor: actor_name === null ? undefined : { id: actor_id ?? undefined, name: actor_name },
    door,
    client: client ?? undefined,
  };
}
