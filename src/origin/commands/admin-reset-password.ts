/** `dtr admin reset-password`: the way back in when a password is lost, also while the origin runs. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { systemClock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import { resetPassword } from '../accounts/password-change.ts';
import { Passwords } from '../accounts/passwords.ts';
import { openDatabaseBeside } from '../database.ts';

export interface ResetPasswordOptions {
  readonly data: string;
  readonly user: string;
  readonly passwordStdin: boolean;
}

/** @throws an error whose message is one line for the admin */
export async function resetPasswordOf({ data, user, passwordStdin }: ResetPasswordOptions): Promise<void> {
  const database = await openDatabaseBeside(resolve(data));
  try {
    const newPassword = passwordStdin
      ? (await text(process.stdin)).replace(/\r?\n$/, '')
      : randomBytes(18).toString('base64url');
    const tools = { database, passwords: new Passwords(), clock: systemClock };
    // Whoever works on the data may do everything: nobody in particular.
    const context = { actor: undefined, door: 'command', client: undefined } as const;
    const { isActive } = await resetPassword(tools, context, { name: user, newPassword });
    console.log(
      passwordStdin ? `${user} has the new password` : `the new password of ${user}: ${newPassword}`,
    );
    if (!isActive)
      console.error(`${user} is not active: an admin has to activate the account before it can sign in`);
  } catch (error) {
    throw error instanceof DomainError ? inTheWordsOfTheCommand(error, user) : error;
  } finally {
    await database.close();
  }
}

function inTheWordsOfTheCommand(error: DomainError, user: string): Error {
  if (error.code === 'user-unknown') return new Error(`--user ${user}: there is no such user`);
  return new Error(error.message.replace(/^newPassword: /, `the new password of ${user}: `));
}
