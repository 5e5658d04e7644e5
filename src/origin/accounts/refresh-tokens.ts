/** Refresh tokens: what `docker login` keeps instead of the password. Random, shown once, stored hashed. */
import { createHash, randomBytes } from 'node:crypto';
import type { Queryable } from '../database.ts';
import { type Account, findAccount } from './accounts.ts';

const lifetimeMs = 365 * 24 * 3_600_000;

/** A new token for the account at this service. */
export async function createRefreshToken(
  queries: Queryable,
  grant: { account: Account; service: string; clientId: string },
  now: number,
): Promise<string> {
  const token = `dtr_refresh_${randomBytes(32).toString('base64url')}`;
  await queries('refresh_tokens').insert({
    token_hash: hashOf(token),
    account_id: grant.account.id,
    service: grant.service,
    client_id: grant.clientId.slice(0, 255),
    created_at: now,
    expires_at: now + lifetimeMs,
  });
  return token;
}

/** The active account that the token was given to, if it is alive and for this service. */
export async function findAccountByRefreshToken(
  queries: Queryable,
  token: string,
  service: string,
  now: number,
): Promise<Account | undefined> {
  const row = await queries('refresh_tokens')
    .join('accounts', 'accounts.id', 'refresh_tokens.account_id')
    .where('refresh_tokens.token_hash', hashOf(token))
    .where('refresh_tokens.service', service)
    .where('refresh_tokens.expires_at', '>', now)
    .select('accounts.name')
    .first();
  if (row === undefined) return undefined;
  const account = await findAccount(queries, row.name);
  return account?.isActive ? account : undefined;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
