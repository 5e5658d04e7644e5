/** Who calls the API, and whether they may: asked before anything of the request is looked at. */
import type { Request, RequestHandler, Response } from 'express';
import { DomainError } from '../../shared/errors.ts';
import type { Account } from '../accounts/accounts.ts';
import { type Authenticator, parseBasicCredentials } from '../accounts/authenticate.ts';
import { requestRecord } from '../request-log.ts';

/** The account that an API token was given to, if it is alive and the account active. */
export type FindApiToken = (token: string) => Promise<Account | undefined>;

/** Finds out who calls. @throws DomainError `not-authenticated` */
export function authenticate(authenticator: Authenticator, findApiToken: FindApiToken): RequestHandler {
  return async (request, response, next) => {
    const account = await findAccount(request.headers.authorization, authenticator, findApiToken);
    if (account === undefined) {
      // A page's script shows its own sign-in: the browser's pop-up would only be in the way.
      if (request.headers['sec-fetch-dest'] !== 'empty')
        response.setHeader('WWW-Authenticate', 'Basic realm="dtr"');
      throw new DomainError('not-authenticated', 'The client is not authenticated.');
    }
    response.locals.caller = account;
    requestRecord(response).user = account.name;
    next();
  };
}

/** The account that `authenticate` found. */
export function callerOf(response: Response): Account {
  return response.locals.caller as Account;
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

/**
 * Refuses what a page of another site makes a browser send: it would carry the credentials that the browser kept.
 * @throws DomainError `access-denied`
 */
export const sameOriginOnly: RequestHandler = (request, _response, next) => {
  const site = request.headers['sec-fetch-site'];
  if (!isSafe(request) && site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new DomainError('access-denied', 'requests from other sites are refused');
  }
  next();
};

function isSafe(request: Request): boolean {
  return request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS';
}

function notAuthorized(): DomainError {
  return new DomainError('access-denied', 'The client is not authorized.');
}

async function findAccount(
  header: string | undefined,
  authenticator: Authenticator,
  findApiToken: FindApiToken,
): Promise<Account | undefined> {
  const bearer = /^Bearer +(\S+)$/i.exec(header ?? '');
  if (bearer !== null) return findApiToken(bearer[1] as string);
  const credentials = parseBasicCredentials(header);
  return credentials && authenticator.authenticate(credentials.name, credentials.password);
}
