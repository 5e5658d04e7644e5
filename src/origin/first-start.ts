/** What the first start makes: an admin with a random password, as there are no default credentials, and a name of its own. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../shared/clock.ts';
import { isSystemError } from '../shared/errors.ts';
import type { Logger } from '../shared/logging.ts';
import { createAccount, isAnyAccount } from './accounts/accounts.ts';
import type { Passwords } from './accounts/passwords.ts';
import type { Database } from './database.ts';

export const adminName = 'admin';

/** Where the first password is kept, readable by the server's user only. */
export function adminPasswordFile(dataDirectory: string): string {
  return join(dataDirectory, 'admin-password');
}

/** Makes the account `admin` when the database holds no account at all. */
export async function ensureAdmin(options: {
  database: Database;
  passwords: Passwords;
  dataDirectory: string;
  logger: Logger;
  clock: Clock;
}): Promise<void> {
  const { database, passwords, dataDirectory, logger, clock } = options;
  if (await isAnyAccount(database.queries)) return;
  const password = randomBytes(18).toString('base64url');
  const passwordHash = await passwords.hash(password);
  const file = adminPasswordFile(dataDirectory);
  // Before the account: a crash in between leaves a file that the next start replaces, never an unknown password.
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  await createAccount(database.queries, { name: adminName, isAdmin: true, passwordHash }, clock());
  logger.info({ account: adminName, passwordFile: file }, 'created the first account');
}

/** By which this origin is told from others on the same database: twelve hexadecimal digits, the same for ever. */
export async function ensureReplicaId(dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, 'replica-id');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  const id = randomBytes(6).toString('hex');
  await writeFile(file, `${id}\n`, { mode: 0o600 });
  return id;
}
