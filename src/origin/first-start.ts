/** The first start: an admin with a random password, since there are no default credentials. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../shared/clock.ts';
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
