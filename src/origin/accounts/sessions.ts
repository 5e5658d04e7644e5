/** Sessions: who is signed in to the web UI. The browser holds a random id; what it stands for is here. */
import { createHash, randomBytes } from 'node:crypto';
import type { Queryable, Transaction } from '../database.ts';
import { type Account, findAccountById } from './accounts.ts';

export interface Session {
  readonly account: Account;
  /** What requests that change something must carry beside the cookie. */
  readonly csrfToken: string;
  /** ms since the epoch; later if it is used until then. */
  readonly expiresAt: number;
}

/** Without a request for so long, it ends. */
const idleMs = 12 * 3_600_000;
/** However much it is used, it ends after this. */
const lifetimeMs = 7 * 24 * 3_600_000;
/** How precise the last use is: a write per request would be too many. */
const useResolutionMs = 60_000;

/** A new session with a new id: never one that the browser brought along. */
export async function createSession(
  tx: Transaction,
  account: Account,
  now: number,
): Promise<{ id: string; session: Session }> {
  const id = randomBytes(32).toString('base64url');
  const csrfToken = randomBytes(24).toString('base64url');
  await tx('sessions').insert({
    id_hash: hashOf(id),
    account_id: account.id,
    csrf_token: csrfToken,
    created_at: now,
    last_used_at: now,
    expires_at: now + lifetimeMs,
  });
  return { id, session: { account, csrfToken, expiresAt: now + idleMs } };
}

/** The session with that id, if it is alive and its account active; noted as used. */
export async function findSession(queries: Queryable, id: string, now: number): Promise<Session | undefined> {
  const idHash = hashOf(id);
  const row = await queries('sessions').where('sessions.id_hash', idHash).first('sessions.*');
  if (row === undefined) return undefined;
  const [lastUsedAt, endsAt] = [Number(row.last_used_at), Number(row.expires_at)];
  if (now >= endsAt || now - lastUsedAt >= idleMs) return undefined;
  const account = await findAccountById(queries, row.account_id);
  if (account === undefined || !account.isActive) return undefined;
  if (now - lastUsedAt >= useResolutionMs) {
    await queries('sessions').where({ id_hash: idHash }).update({ last_used_at: now });
  }
  return { account, csrfToken: row.csrf_token, expiresAt: Math.min(now + idleMs, endsAt) };
}

export async function removeSession(queries: Queryable, id: string): Promise<void> {
  await queries('sessions')
    .where({ id_hash: hashOf(id) })
    .delete();
}

/** Ends every session of the account, and what `docker login` keeps for it. Access tokens stay. */
export async function endSignIns(tx: Transaction, accountId: string): Promise<void> {
  for (const table of ['sessions', 'refresh_tokens']) {
    await tx(table).where({ account_id: accountId }).delete();
  }
}

/** Forgets sessions and refresh tokens that have expired. */
export async function removeExpiredSignIns(queries: Queryable, now: number): Promise<void> {
  await queries('sessions').where('sessions.expires_at', '<=', now).delete();
  await queries('sessions')
    .where('sessions.last_used_at', '<=', now - idleMs)
    .delete();
  await queries('refresh_tokens').where('refresh_tokens.expires_at', '<=', now).delete();
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
