/** Who is asking: a user's name with a password or an access token. The one way in for every door. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, Queryable } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import {
  findAccessToken,
  findLiveAccessToken,
  isAccessToken,
  isLive,
  noteTokenUse,
} from './access-tokens.ts';
import { type Account, findAccount, findCredentials } from './accounts.ts';
import type { Passwords } from './passwords.ts';
import type { SignInLimits } from './sign-in-limits.ts';

/** Somebody who signed in, and with what. */
export interface SignIn {
  readonly account: Account;
  /** May change nothing: by an access token that only reads. */
  readonly readOnly: boolean;
  /** What they showed, so that it can be told later whether it still holds. Not a secret. */
  readonly credential: string;
}

/** Which way somebody comes. */
export type ComingFrom = Pick<EventContext, 'door' | 'client'>;

/** Clients send the password with every token request: a success is remembered this long, never a failure. */
const rememberMs = 60_000;
/** The same user at the same door from the same address is one line in the trail for this long. */
const noteAgainMs = 10 * 60_000;
const maximumRemembered = 10_000;

export class Authenticator {
  readonly #database: Database;
  readonly #passwords: Passwords;
  readonly #limits: SignInLimits;
  readonly #clock: Clock;
  readonly #secret = randomBytes(32);
  readonly #remembered = new Map<string, { passwordHash: string; until: number }>();
  /** Sign-ins that the trail has a line of, until another one is due. */
  readonly #noted = new Map<string, number>();

  constructor(options: { database: Database; passwords: Passwords; limits: SignInLimits; clock: Clock }) {
    this.#database = options.database;
    this.#passwords = options.passwords;
    this.#limits = options.limits;
    this.#clock = options.clock;
  }

  /**
   * The active user with that name and that password or access token, or `undefined`. The trail tells of it.
   * @throws DomainError `too-many-sign-ins`
   */
  async authenticate(name: string, password: string, from: ComingFrom): Promise<SignIn | undefined> {
    const signIn = isAccessToken(password)
      ? await this.#byAccessToken(name, password, from)
      : await this.#byPassword(name, password, from);
    await this.#note(name, signIn?.account, from);
    return signIn;
  }

  /** As `authenticate`, with the password alone. Service accounts have none. */
  async authenticateByPassword(
    name: string,
    password: string,
    from: ComingFrom,
  ): Promise<SignIn | undefined> {
    const signIn = await this.#byPassword(name, password, from);
    await this.#note(name, signIn?.account, from);
    return signIn;
  }

  async #byAccessToken(name: string, token: string, from: ComingFrom): Promise<SignIn | undefined> {
    await this.#admit(name, from);
    const { queries } = this.#database;
    const now = this.#clock();
    const found = await findLiveAccessToken(queries, token, now);
    const account = found === undefined ? undefined : await findAccount(queries, name);
    if (found === undefined || !account?.isActive || account.id !== found.accountId) {
      await this.#limits.failed(name, from.client);
      return undefined;
    }
    await noteTokenUse(queries, found, now);
    return { account, readOnly: found.access === 'read-only', credential: `token:${found.hash}` };
  }

  async #byPassword(name: string, password: string, from: ComingFrom): Promise<SignIn | undefined> {
    // The account is read each time: a deactivated user or a changed password counts at once.
    const credentials = await findCredentials(this.#database.queries, name);
    const key = createHmac('sha256', this.#secret).update(`${name}\n${password}`).digest('base64');
    const remembered = this.#remembered.get(key);
    const known =
      credentials !== undefined &&
      remembered?.passwordHash === credentials.passwordHash &&
      remembered.until > this.#clock();
    if (!known) {
      this.#remembered.delete(key);
      const right = await this.#passwords.verify(password, credentials?.passwordHash, {
        admit: () => this.#admit(name, from),
        failed: () => this.#limits.failed(name, from.client),
      });
      if (!right || credentials === undefined) return undefined;
      if (this.#remembered.size >= maximumRemembered) this.#remembered.clear();
      const until = this.#clock() + rememberMs;
      this.#remembered.set(key, { passwordHash: credentials.passwordHash, until });
      this.#limits.succeeded(name, from.client);
    }
    const { account, passwordHash } = credentials;
    return { account, readOnly: false, credential: passwordCredential(passwordHash) };
  }

  async #admit(name: string, from: ComingFrom): Promise<void> {
    try {
      await this.#limits.assertAllowed(name, from.client);
    } catch (error) {
      if (error instanceof DomainError) await this.#note(name, undefined, from, 'too many failed sign-ins');
      throw error;
    }
  }

  /** A success once in a while, a refusal each time; one for having failed too often once in a while, too. */
  async #note(name: string, account: Account | undefined, from: ComingFrom, reason?: string): Promise<void> {
    const now = this.#clock();
    if (account !== undefined || reason !== undefined) {
      const key = `${reason ?? ''}\n${name}\n${from.door}\n${from.client}`;
      if ((this.#noted.get(key) ?? 0) > now) return;
      if (this.#noted.size >= maximumRemembered) this.#noted.clear();
      this.#noted.set(key, now + noteAgainMs);
    }
    const actor = { id: account?.id, name };
    const type = account === undefined ? 'account' : 'user';
    const event = {
      type: 'LOGIN',
      object: { type, id: account?.id ?? '', name },
      ...(reason === undefined ? {} : { content: { reason } }),
      refused: account === undefined,
    };
    await this.#database.transaction((tx) => recordEvent(tx, { ...from, actor }, event, now));
  }
}

/** The account, if what was shown when `credential` was noted still lets it in; with whether it may only read. */
export async function findAccountByCredential(
  queries: Queryable,
  name: string,
  credential: string,
  now: number,
): Promise<SignIn | undefined> {
  const [kind, value = ''] = credential.split(':');
  if (kind === 'token') {
    const token = await findAccessToken(queries, value);
    const account = await findAccount(queries, name);
    if (token === undefined || !isLive(token, now)) return undefined;
    if (!account?.isActive || account.id !== token.accountId) return undefined;
    return { account, readOnly: token.access === 'read-only', credential };
  }
  const found = await findCredentials(queries, name);
  if (found === undefined || passwordCredential(found.passwordHash) !== credential) return undefined;
  return { account: found.account, readOnly: false, credential };
}

/** Changes with the password, and tells nothing of it: the hash is salted. */
function passwordCredential(passwordHash: string): string {
  return `password:${createHash('sha256').update(passwordHash).digest('base64url').slice(0, 22)}`;
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
