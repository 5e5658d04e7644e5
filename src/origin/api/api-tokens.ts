/** `/api/v0/api_tokens`: access tokens, the passwords of machines. */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import {
  type AccessToken,
  changeAccessToken,
  countAccessTokens,
  createAccessToken,
  findAccessToken,
  listAccessTokens,
  removeAccessTokens,
} from '../accounts/access-tokens.ts';
import { accountObject } from '../accounts/account-changes.ts';
import { type Account, findAccountById, getUser } from '../accounts/accounts.ts';
import type { Database, Queryable, Transaction } from '../database.ts';
import { type NewEvent, recordEvent } from '../events/events.ts';
import { callerOf, eventContextOf, notAuthorized } from './caller.ts';
import type { components } from './contract.d.ts';
import { pageOf, sendPageHeaders } from './paging.ts';
import { formatTime, parseTime } from './time.ts';

const collection = '/api/v0/api_tokens';
const one = `${collection}/:hashedtoken` as const;

/** The tokens of others are for admins: the same refusal whether there is such a user or not. */
export function createApiTokenGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  const ownOrAdmins: RequestHandler = (request, response, next) => {
    const caller = callerOf(response);
    const { username = caller.name } = request.query;
    if (!caller.isAdmin && username !== caller.name) throw notAuthorized();
    next();
  };
  guards.use(collection, ownOrAdmins);
  return guards;
}

export function createApiTokenRoutes({ database, clock }: { database: Database; clock: Clock }): Router {
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });
  const note = (tx: Transaction, response: Response, event: NewEvent) =>
    recordEvent(tx, eventContextOf(response), event, clock());

  routes.get(collection, async (request, response) => {
    const { id } = await getUserOf(queries, request, response);
    const page = await listAccessTokens(queries, id, pageOf(request));
    await sendPageHeaders(request, response, page, () => countAccessTokens(queries, id));
    response.json(page.records.map(toToken));
  });

  routes.post(collection, async (request, response) => {
    const body: components['schemas']['CreateAPIToken'] = request.body;
    const { tokenLabel: label = '', access = 'read-write' } = body;
    const wanted = {
      label,
      access,
      expiresAt: body.expiresAt == null ? undefined : parseExpiry(body.expiresAt, clock()),
      generatedBy: callerOf(response).name,
      creatorUserAgent: request.headers['user-agent'] ?? '',
    };
    const { token, accessToken } = await database.transaction(async (tx) => {
      const user = await getUserOf(tx, request, response);
      const created = await createAccessToken(tx, user, wanted, clock());
      const content = { access, expiresAt: toToken(created.accessToken).expiresAt };
      await note(tx, response, { type: 'CREATE', ...about(created.accessToken, user), content });
      return created;
    });
    response.json({ ...toToken(accessToken), token });
  });

  routes.delete(collection, async (request, response) => {
    const { usedbefore, generatedby } = request.query as { usedbefore?: string; generatedby?: string };
    const which = {
      usedBefore: usedbefore === undefined ? undefined : parseTime(usedbefore, 'usedbefore'),
      generatedBy: generatedby,
    };
    const deleted = await database.transaction(async (tx) => {
      const user = await getUserOf(tx, request, response);
      const removed = await removeAccessTokens(tx, user.id, which);
      const object = { type: 'api_token', id: '', name: '' };
      const event = { type: 'DELETE', object, target: accountObject(user), content: { deleted: removed } };
      if (removed > 0) await note(tx, response, event);
      return removed;
    });
    response.json({ deleted });
  });

  routes.get(one, async (request, response) => {
    const { token } = await getVisible(queries, request.params.hashedtoken, callerOf(response));
    response.json(toToken(token));
  });

  routes.patch(one, async (request, response) => {
    const { tokenLabel, isActive }: components['schemas']['UpdateAPIToken'] = request.body;
    const changed = await database.transaction(async (tx) => {
      const { token, user } = await getVisible(tx, request.params.hashedtoken, callerOf(response));
      const after = { ...token, label: tokenLabel ?? token.label, isActive: isActive ?? token.isActive };
      if (after.label === token.label && after.isActive === token.isActive) return token;
      await changeAccessToken(tx, token.hash, after);
      const content = { tokenLabel: after.label, isActive: after.isActive };
      await note(tx, response, { type: 'UPDATE', ...about(after, user), content });
      return after;
    });
    response.json(toToken(changed));
  });

  routes.delete(one, async (request, response) => {
    await database.transaction(async (tx) => {
      const { token, user } = await getVisible(tx, request.params.hashedtoken, callerOf(response));
      await removeAccessTokens(tx, user.id, { hash: token.hash });
      await note(tx, response, { type: 'DELETE', ...about(token, user) });
    });
    response.json({ deleted: 1 });
  });

  return routes;
}

/** Whose tokens the query asks for: the caller's own where it does not say. @throws DomainError `user-unknown` */
function getUserOf(queries: Queryable, request: Request, response: Response): Promise<Account> {
  const { username = callerOf(response).name } = request.query as { username?: string };
  return getUser(queries, username);
}

/** The tokens of others do not exist, but for admins. @throws DomainError `access-token-unknown` */
async function getVisible(
  queries: Queryable,
  hash: string,
  caller: Account,
): Promise<{ token: AccessToken; user: Account }> {
  const token = await findAccessToken(queries, hash);
  if (token !== undefined && (caller.isAdmin || token.accountId === caller.id)) {
    const user = await findAccountById(queries, token.accountId);
    if (user !== undefined) return { token, user };
  }
  throw new DomainError('access-token-unknown', 'An access token with the given hash does not exist.');
}

function parseExpiry(text: string, now: number): number {
  const time = parseTime(text, 'expiresAt');
  if (time > now) return time;
  throw new DomainError('input-invalid', 'expiresAt: a time in the future expected', {
    detail: { field: 'expiresAt' },
  });
}

/** The token in the trail: by its label, and by its hash, which opens nothing. */
function about({ hash, label }: AccessToken, user: Account) {
  return { object: { type: 'api_token', id: hash, name: label }, target: accountObject(user) };
}

function toToken(token: AccessToken): components['schemas']['APIToken'] {
  const timeOrNull = (ms: number | undefined) => (ms === undefined ? null : formatTime(ms));
  return {
    hashedToken: token.hash,
    tokenLabel: token.label,
    isActive: token.isActive,
    access: token.access,
    createdAt: formatTime(token.createdAt),
    expiresAt: timeOrNull(token.expiresAt),
    lastUsed: timeOrNull(token.lastUsedAt),
    generatedBy: token.generatedBy,
    creatorUa: token.creatorUserAgent,
  };
}
