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
  tools: { database: Database; passwords: Passwords; authenticator: Authenticator; clock: Clock },
  context: EventContext,
  { name, oldPassword, newPassword }: PasswordChange,
): Promise<Account> {
  const { database, passwords, authenticator, clock } = tools;
  const user = await getUser(database.queries, name);
  if (user.isServiceAccount) throw invalid('newPassword', 'a service account has no password');
  if (context.actor?.id === user.id) {
    if (oldPassword === undefined) throw invalid('oldPassword', 'required to change your own password');
    const signIn = await authenticator.authenticateByPassword(name, oldPassword, context);
    if (signIn === undefined) throw invalid('oldPassword', 'that is not your password');
  }
  const passwordHash = await passwords.hash(newPassword, 'newPassword');
  await database.transaction(async (tx) => {
    await tx('accounts').where('accounts.id', user.id).update({ password_hash: passwordHash });
    await endSignIns(tx, user.id);
    await recordEvent(tx, context, { type: 'CHANGE_PASSWORD', object: accountObject(user) }, clock());
  });
  return user;
}

function invalid(field: string, why: string): DomainError {
  return new DomainError('input-invalid', `${field}: ${why}`, { detail: { field } });
}
