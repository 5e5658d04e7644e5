/** Access tokens: passwords for machines. Random, shown once, stored hashed, revocable one by one. */
import { createHash, randomBytes } from 'node:crypto';
import { DomainError } from '../../shared/errors.ts';
import type { Queryable, Transaction } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import type { Account } from './accounts.ts';

export type TokenAccess = 'read-only' | 'read-write';

export interface AccessToken {
  /** Hex SHA-256 of the token: its id. */
  readonly hash: string;
  readonly accountId: string;
  readonly label: string;
  readonly access: TokenAccess;
  readonly isActive: boolean;
  /** The name of who made it. */
  readonly generatedBy: string;
  readonly creatorUserAgent: string;
  /** Times in ms since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly lastUsedAt: number | undefined;
}

const prefix = 'dtr_token_';
const maximumPerAccount = 1000;
/** How precise `lastUsedAt` is: a write per request would be too many. */
const useResolutionMs = 60_000;

/** Whether a password is an access token rather than a password. */
export function isAccessToken(password: string): boolean {
  return password.startsWith(prefix);
}

/** The only time that the token itself is seen. @throws DomainError `too-many-access-tokens` */
export async function createAccessToken(
  tx: Transaction,
  account: Account,
  wanted: {
    label: string;
    access: TokenAccess;
    expiresAt: number | undefined;
    generatedBy: string;
    creatorUserAgent: string;
  },
  now: number,
): Promise<{ token: string; accessToken: AccessToken }> {
  if ((await countAccessTokens(tx, account.id)) >= maximumPerAccount) {
    throw new DomainError(
      'too-many-access-tokens',
      `an account has at most ${maximumPerAccount} access tokens: revoke some`,
    );
  }
  const token = `${prefix}${randomBytes(32).toString('base64url')}`;
  const row: AccessTokenRow = {
    token_hash: hashOf(token),
    account_id: account.id,
    label: wanted.label,
    access: wanted.access,
    is_active: true,
    generated_by: wanted.generatedBy,
    creator_user_agent: wanted.creatorUserAgent.slice(0, 255),
    created_at: now,
    expires_at: wanted.expiresAt ?? null,
    last_used_at: null,
  };
  await tx('access_tokens').insert(row);
  return { token, accessToken: toAccessToken(row) };
}

/** The access token itself turned into what is known of it, if it is active and has not expired. */
export async function findLiveAccessToken(
  queries: Queryable,
  token: string,
  now: number,
): Promise<AccessToken | undefined> {
  const found = await findAccessToken(queries, hashOf(token));
  return found !== undefined && isLive(found, now) ? found : undefined;
}

export function isLive(token: AccessToken, now: number): boolean {
  return token.isActive && (token.expiresAt === undefined || now < token.expiresAt);
}

/** Notes that it was used, to the minute. */
export async function noteTokenUse(queries: Queryable, token: AccessToken, now: number): Promise<void> {
  if (token.lastUsedAt !== undefined && now - token.lastUsedAt < useResolutionMs) return;
  await queries('access_tokens').where({ token_hash: token.hash }).update({ last_used_at: now });
}

export async function findAccessToken(queries: Queryable, hash: string): Promise<AccessToken | undefined> {
  const row = await queries<AccessTokenRow>('access_tokens').where('access_tokens.token_hash', hash).first();
  return row === undefined ? undefined : toAccessToken(row);
}

/** The newest first; the key of a page is the hash of its first token. */
export async function listAccessTokens(
  queries: Queryable,
  accountId: string,
  page: Page,
): Promise<PageOf<AccessToken>> {
  const query = queries<AccessTokenRow>('access_tokens')
    .where('access_tokens.account_id', accountId)
    .orderBy([
      { column: 'access_tokens.created_at', order: 'desc' },
      { column: 'access_tokens.token_hash', order: 'desc' },
    ])
    .limit(page.size + 1);
  const first = page.start === undefined ? undefined : await findAccessToken(queries, page.start);
  if (first !== undefined) {
    query.where((following) =>
      following
        .where('access_tokens.created_at', '<', first.createdAt)
        .orWhere((same) =>
          same
            .where('access_tokens.created_at', first.createdAt)
            .where('access_tokens.token_hash', '<=', first.hash),
        ),
    );
  }
  return cutPage((await query).map(toAccessToken), page.size, ({ hash }) => hash);
}

export async function countAccessTokens(queries: Queryable, accountId: string): Promise<number> {
  const [row] = await queries('access_tokens')
    .where('access_tokens.account_id', accountId)
    .count({ total: '*' });
  return Number(row?.total ?? 0);
}

/** One that is not active is refused from the next request on. */
export async function changeAccessToken(
  tx: Transaction,
  hash: string,
  changes: { label?: string | undefined; isActive?: boolean | undefined },
): Promise<void> {
  const update = {
    ...(changes.label === undefined ? {} : { label: changes.label }),
    ...(changes.isActive === undefined ? {} : { is_active: changes.isActive }),
  };
  if (Object.keys(update).length > 0) await tx('access_tokens').where({ token_hash: hash }).update(update);
}

/** Revokes those of an account that fit all that is given. How many they were. */
export async function removeAccessTokens(
  tx: Transaction,
  accountId: string,
  which: {
    hash?: string | undefined;
    usedBefore?: number | undefined;
    generatedBy?: string | undefined;
  } = {},
): Promise<number> {
  const query = tx('access_tokens').where('access_tokens.account_id', accountId);
  const { hash, usedBefore, generatedBy } = which;
  if (hash !== undefined) query.where('access_tokens.token_hash', hash);
  if (generatedBy !== undefined) query.where('access_tokens.generated_by', generatedBy);
  if (usedBefore !== undefined) {
    query.where((unused) =>
      unused
        .where('access_tokens.last_used_at', '<', usedBefore)
        .orWhere((never) =>
          never.whereNull('access_tokens.last_used_at').where('access_tokens.created_at', '<', usedBefore),
        ),
    );
  }
  return query.delete();
}

interface AccessTokenRow {
  token_hash: string;
  account_id: string;
  label: string;
  access: TokenAccess;
  is_active: boolean | number;
  generated_by: string;
  creator_user_agent: string;
  created_at: number | string;
  expires_at: number | string | null;
  last_used_at: number | string | null;
}

function toAccessToken(row: AccessTokenRow): AccessToken {
  const time = (value: number | string | null) => (value === null ? undefined : Number(value));
  return {
    hash: row.token_hash,
    accountId: row.account_id,
    label: row.label,
    access: row.access,
    isActive: Boolean(row.is_active),
    generatedBy: row.generated_by,
    creatorUserAgent: row.creator_user_agent,
    createdAt: Number(row.created_at),
    expiresAt: time(row.expires_at),
    lastUsedAt: time(row.last_used_at),
  };
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
