/** Who calls the API, and whether they may: asked before anything of the request is looked at. */
import type { Request, RequestHandler, Response } from 'express';
import { DomainError } from '../../shared/errors.ts';
import { isOwner } from '../access/rights.ts';
import { type Account, findAccount } from '../accounts/accounts.ts';
import { type Authenticator, parseBasicCredentials, type SignIn } from '../accounts/authenticate.ts';
import { findMembership } from '../accounts/organizations.ts';
import type { Session } from '../accounts/sessions.ts';
import type { Database } from '../database.ts';
import type { EventContext } from '../events/events.ts';
import { requestRecord } from '../request-log.ts';
import { sessionIdOf } from './session-cookie.ts';

/** Finds out who calls, whichever way they show it. */
export interface CallerOptions {
  readonly authenticator: Authenticator;
  /** Who an API token was given to, if what was shown for it still holds. */
  readonly findApiToken: (token: string) => Promise<SignIn | undefined>;
  readonly findSession: (id: string) => Promise<Session | undefined>;
  /** `scheme://host[:port]` by which browsers reach this origin. */
  readonly externalUrl: string;
}

/** Finds out who calls. @throws DomainError `not-authenticated`, `csrf-token-invalid`, `access-denied`, `too-many-sign-ins` */
export function authenticate(options: CallerOptions): RequestHandler {
  return async (request, response, next) => {
    const signIn =
      request.headers.authorization === undefined
        ? await bySession(options, request, response)
        : await byHeader(options, request, response);
    if (signIn === undefined) {
      // A page's script shows its own sign-in: the browser's pop-up would only be in the way.
      if (request.headers['sec-fetch-dest'] !== 'empty')
        response.setHeader('WWW-Authenticate', 'Basic realm="dtr"');
      throw new DomainError('not-authenticated', 'The client is not authenticated.');
    }
    response.locals.caller = signIn.account;
    requestRecord(response).user = signIn.account.name;
    if (signIn.readOnly && !isSafe(request)) {
      throw new DomainError('access-denied', 'The client is not authorized: this access token only reads.');
    }
    next();
  };
}

/** The account that `authenticate` found. */
export function callerOf(response: Response): Account {
  return response.locals.caller as Account;
}

/** The session that the caller came with, if they did. */
export function sessionOf(response: Response): Session | undefined {
  return response.locals.session as Session | undefined;
}

/** For the trail: who calls, and from where. */
export function eventContextOf(response: Response): EventContext {
  const { id, name } = callerOf(response);
  return { actor: { id, name }, ...comingFrom(response) };
}

/** Which way a request came. */
export function comingFrom(response: Response): Pick<EventContext, 'door' | 'client'> {
  return {
    door: sessionOf(response) === undefined ? 'api' : 'web',
    client: requestRecord(response).client,
  };
}

/** @throws DomainError `access-denied` */
export const adminsOnly: RequestHandler = (_request, response, next) => {
  if (!callerOf(response).isAdmin) throw notAuthorized();
  next();
};

/** For the user that the path names, and for admins: the same refusal whether that user exists or not. */
export const selfOrAdmins: RequestHandler<{ username: string }> = (request, response, next) => {
  const caller = callerOf(response);
  if (!caller.isAdmin && caller.name !== request.params.username) throw notAuthorized();
  next();
};

/** As `selfOrAdmins`, and for the owners of the organization that the path names. */
export function selfOwnersOrAdmins(database: Database): RequestHandler<{ username: string }> {
  return async (request, response, next) => {
    const caller = callerOf(response);
    const { username } = request.params;
    if (caller.isAdmin || caller.name === username) return next();
    const account = await findAccount(database.queries, username);
    if (!account?.isOrg || !(await isOwner(database.queries, caller, account.id))) throw notAuthorized();
    next();
  };
}

/**
 * For members of the organization that the path names, and for admins: the same refusal whether there is such an organization or
 * not. Its owners, and admins, change something; but each member may end a membership of their own: the path of one is
 * `membership`.
 */
export function membersOrAdmins(database: Database, membership: RegExp): RequestHandler<{ orgname: string }> {
  return async (request, response, next) => {
    const caller = callerOf(response);
    if (caller.isAdmin) return next();
    const found = await findMembership(database.queries, request.params.orgname, caller);
    const leaves = request.method === 'DELETE' && membership.exec(request.path)?.[1] === caller.name;
    if (found === undefined || !(found.isOwner || isSafe(request) || leaves)) throw notAuthorized();
    next();
  };
}

/**
 * Refuses what a page of another site makes a browser send: it would carry the credentials that the browser kept.
 * @throws DomainError `access-denied`
 */
export function sameOriginOnly(externalUrl: string): RequestHandler {
  return (request, _response, next) => {
    const site = request.headers['sec-fetch-site'];
    const { origin } = request.headers;
    // Browsers that do not say where a request comes from say at least on whose behalf.
    const foreign = site === undefined ? origin !== undefined && origin !== externalUrl : !isOwnSite(site);
    if (!isSafe(request) && foreign) {
      throw new DomainError('access-denied', 'requests from other sites are refused');
    }
    next();
  };
}

function isOwnSite(site: string | string[]): boolean {
  return site === 'same-origin' || site === 'none';
}

export function notAuthorized(): DomainError {
  return new DomainError('access-denied', 'The client is not authorized.');
}

function isSafe(request: Request): boolean {
  return request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS';
}

async function byHeader(
  { authenticator, findApiToken }: CallerOptions,
  request: Request,
  response: Response,
): Promise<SignIn | undefined> {
  const header = request.headers.authorization;
  const bearer = /^Bearer +(\S+)$/i.exec(header ?? '');
  if (bearer !== null) return findApiToken(bearer[1] as string);
  const credentials = parseBasicCredentials(header);
  return (
    credentials && authenticator.authenticate(credentials.name, credentials.password, comingFrom(response))
  );
}

async function bySession(
  { findSession, externalUrl }: CallerOptions,
  request: Request,
  response: Response,
): Promise<SignIn | undefined> {
  const id = sessionIdOf(request, externalUrl);
  const session = id === undefined ? undefined : await findSession(id);
  if (session === undefined) return undefined;
  // The cookie comes along by itself, whoever made the browser send the request; this does not.
  if (!isSafe(request) && request.headers['x-csrf-token'] !== session.csrfToken) {
    throw new DomainError('csrf-token-invalid', 'X-CSRF-Token: the csrfToken of the session expected', {
      detail: { header: 'X-CSRF-Token' },
    });
  }
  response.locals.session = session;
  return { account: session.account, readOnly: false, credential: 'session' };
}
