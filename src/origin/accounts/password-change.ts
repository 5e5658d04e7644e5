/** A new password. Whoever knows the one before is signed out: it may have been stolen. */
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import { accountObject } from './account-changes.ts';
import { type Account, getUser } from './accounts.ts';
import type { Authenticator } from './authenticate.ts';
import type { Passwords } from './passwords.ts';
import { endSignIns } from './sessions.ts';

interface Tools {
  readonly database: Database;
  readonly passwords: Passwords;
  readonly clock: Clock;
}

interface PasswordChange {
  /** Of whose password it is. */
  readonly name: string;
  /** Needed by who changes their own: a session that was left open does not take the account over. */
  readonly oldPassword?: string | undefined;
  readonly newPassword: string;
}

/**
 * Ends every session and refresh token of the user; access tokens stay.
 * @throws DomainError `user-unknown`, `input-invalid`; `too-many-sign-ins` for wrong old passwords, which count as failed sign-ins
 */
export async function changePassword(
  tools: Tools & { authenticator: Authenticator },
  context: EventContext,
  { name, oldPassword, newPassword }: PasswordChange,
): Promise<Account> {
  const user = await getUserWithPassword(tools.database, name);
  if (context.actor?.id === user.id) {
    if (oldPassword === undefined) throw invalid('oldPassword', 'required to change your own password');
    const signIn = await tools.authenticator.authenticateByPassword(name, oldPassword, context);
    if (signIn === undefined) throw invalid('oldPassword', 'that is not your password');
  }
  await setPassword(tools, context, user, newPassword);
  return user;
}

/**
 * Asks for nothing: for an admin of the machine. Ends what `changePassword` ends.
 * @throws DomainError `user-unknown`, `input-invalid`
 */
export async function resetPassword(
  tools: Tools,
  context: EventContext,
  { name, newPassword }: Omit<PasswordChange, 'oldPassword'>,
): Promise<Account> {
  const user = await getUserWithPassword(tools.database, name);
  await setPassword(tools, context, user, newPassword);
  return user;
}

async function getUserWithPassword({ queries }: Database, name: string): Promise<Account> {
  const user = await getUser(queries, name);
  if (user.isServiceAccount) throw invalid('newPassword', 'a service account has no password');
  return user;
}

async function setPassword(
  { database, passwords, clock }: Tools,
  context: EventContext,
  user: Account,
  newPassword: string,
): Promise<void> {
  const passwordHash = await passwords.hash(newPassword, 'newPassword');
  await database.transaction(async (tx) => {
    await tx('accounts').where('accounts.id', user.id).update({ password_hash: passwordHash });
    await endSignIns(tx, user.id);
    await recordEvent(tx, context, { type: 'CHANGE_PASSWORD', object: accountObject(user) }, clock());
  });
}

function invalid(field: string, why: string): DomainError {
  return new DomainError('input-invalid', `${field}: ${why}`, { detail: { field } });
}
