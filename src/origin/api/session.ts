/** `/api/v0/session`: signing in, as a browser does. */
import { type RequestHandler, Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Authenticator } from '../accounts/authenticate.ts';
import { createSession, removeSession, type Session } from '../accounts/sessions.ts';
import type { Database } from '../database.ts';
import { recordEvent } from '../events/events.ts';
import { toAccount } from './account.ts';
import { comingFrom, eventContextOf, sessionOf } from './caller.ts';
import type { components } from './contract.d.ts';
import { clearSessionCookie, sessionIdOf, setSessionCookie } from './session-cookie.ts';

export interface SessionOptions {
  readonly database: Database;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly externalUrl: string;
}

export function createSessionRoutes(options: SessionOptions): Router {
  const { database, authenticator, clock, externalUrl } = options;
  const routes = Router({ caseSensitive: true, strict: true });
  routes.post('/api/v0/session', async (request, response) => {
    const { username, password }: components['schemas']['CreateSession'] = request.body;
    const from = { ...comingFrom(response), door: 'web' } as const;
    const signIn = await authenticator.authenticateByPassword(username, password, from);
    if (signIn === undefined) throw new DomainError('not-authenticated', 'incorrect username or password');
    const { id, session } = await database.transaction((tx) => createSession(tx, signIn.account, clock()));
    setSessionCookie(response, externalUrl, id);
    response.json(toSession(session));
  });
  routes.get('/api/v0/session', (_request, response) => {
    response.json(toSession(sessionOf(response) as Session));
  });
  routes.delete('/api/v0/session', async (request, response) => {
    const { id: objectId, name } = (sessionOf(response) as Session).account;
    await database.transaction(async (tx) => {
      await removeSession(tx, sessionIdOf(request, externalUrl) as string);
      const object = { type: 'user', id: objectId, name };
      await recordEvent(tx, eventContextOf(response), { type: 'LOGOUT', object }, clock());
    });
    clearSessionCookie(response, externalUrl);
    response.status(204).end();
  });
  return routes;
}

/** Who came with a password or a token has no session. @throws DomainError `not-authenticated` */
export const sessionsOnly: RequestHandler = (_request, response, next) => {
  if (sessionOf(response) !== undefined) return next();
  throw new DomainError('not-authenticated', 'The client is not authenticated by a session.');
};

function toSession({ account, csrfToken, expiresAt }: Session): components['schemas']['Session'] {
  return { account: toAccount(account), csrfToken, expiresAt: new Date(expiresAt).toISOString() };
}
