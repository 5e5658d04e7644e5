/** Who is asking: user name and password to an account. The one way in for every door. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../shared/clock.ts';
import type { Database } from '../database.ts';
import { type Account, findCredentials } from './accounts.ts';
import type { Passwords } from './passwords.ts';

/** Clients send the password with every token request: a success is remembered this long, never a failure. */
const rememberMs = 60_000;
const maximumRemembered = 10_000;

export class Authenticator {
  readonly #database: Database;
  readonly #passwords: Passwords;
  readonly #clock: Clock;
  readonly #secret = randomBytes(32);
  readonly #remembered = new Map<string, { passwordHash: string; until: number }>();

  constructor(options: { database: Database; passwords: Passwords; clock: Clock }) {
    this.#database = options.database;
    this.#passwords = options.passwords;
    this.#clock = options.clock;
  }

  /** The active user with that name and password, or `undefined`. */
  async authenticate(name: string, password: string): Promise<Account | undefined> {
    // The account is read each time: a deactivated user or a changed password counts at once.
    const credentials = await findCredentials(this.#database.queries, name);
    const key = createHmac('sha256', this.#secret).update(`${name}\n${password}`).digest('base64');
    const remembered = this.#remembered.get(key);
    if (
      credentials !== undefined &&
      remembered?.passwordHash === credentials.passwordHash &&
      remembered.until > this.#clock()
    ) {
      return credentials.account;
    }
    this.#remembered.delete(key);
    if (!(await this.#passwords.verify(password, credentials?.passwordHash))) return undefined;
    if (credentials === undefined) return undefined;
    if (this.#remembered.size >= maximumRemembered) this.#remembered.clear();
    this.#remembered.set(key, { passwordHash: credentials.passwordHash, until: this.#clock() + rememberMs });
    return credentials.account;
  }
}

/** The credentials of an `Authorization: Basic` header (RFC 7617), or `undefined` when it holds none. */
export function parseBasicCredentials(
  header: string | undefined,
): { name: string; password: string } | undefined {
  const match = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header ?? '');
  if (match === null) return undefined;
  const text = Buffer.from(match[1] as string, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
