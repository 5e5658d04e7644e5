/**
 * The token door: `/auth/token` (Docker token spec: GET with Basic or anonymous; POST forms of its OAuth2 part).
 */
import express from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import { answerError } from '../../shared/http/answer-error.ts';
import { grantAccess } from '../access/grant.ts';
import { parseScopes, type Scope } from '../access/scopes.ts';
import type { Account } from '../accounts/accounts.ts';
import { type Authenticator, parseBasicCredentials } from '../accounts/authenticate.ts';
import { createRefreshToken, findAccountByRefreshToken } from '../accounts/refresh-tokens.ts';
import type { Database } from '../database.ts';
import type { ApiTokens } from '../keys/api-token.ts';
import type { RegistryTokens } from '../keys/registry-token.ts';
import { requestRecord } from '../request-log.ts';

export interface TokenServerOptions {
  readonly database: Database;
  readonly authenticator: Authenticator;
  readonly registryTokens: RegistryTokens;
  readonly apiTokens: ApiTokens;
  /** The name that clients must ask for: the origin's host. */
  readonly service: string;
  readonly clock: Clock;
}

/** What a client asked for, whichever way it asked. */
interface TokenRequest {
  readonly account: Account | undefined;
  readonly scopes: readonly Scope[];
  readonly clientId: string;
  /** Whether to give a refresh token as well. */
  readonly offline: boolean;
}

export function createTokenServer(options: TokenServerOptions): express.Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.get('/auth/token', async (request, response) => {
    const query = new URL(request.url, 'http://origin').searchParams;
    const account = await authenticateBasic(options.authenticator, request.headers.authorization, response);
    noteUser(response, account);
    if (account !== undefined && !query.has('service') && !query.has('scope')) {
      const { token, issuedAt } = options.apiTokens.sign(account.name);
      answerToken(response, token, issuedAt, options.apiTokens.lifetimeSeconds);
      return;
    }
    assertService(options, query.get('service'));
    await grant(options, response, {
      account,
      scopes: parseScopes(query.getAll('scope')),
      clientId: query.get('client_id') ?? '',
      offline: account !== undefined && query.get('offline_token') === 'true',
    });
  });
  router.post(
    '/auth/token',
    express.urlencoded({ extended: false, limit: '16kb' }),
    async (request, response) => {
      const form = formOf(request.body);
      assertService(options, form.get('service'));
      const account = await authenticateForm(options, form);
      noteUser(response, account);
      await grant(options, response, {
        account,
        scopes: parseScopes(form.getAll('scope')),
        clientId: form.get('client_id') ?? '',
        offline: form.get('access_type') === 'offline',
      });
    },
  );
  router.all('/auth/token', (_request, response) => {
    response.setHeader('Allow', 'GET, HEAD, POST');
    throw new DomainError('method-not-allowed', 'this endpoint answers GET and POST');
  });
  router.use('/auth', ((error, _request, response, _next) => {
    const record = requestRecord(response);
    record.error = error;
    answerError(response, isClientError(error) ? formInvalid(error) : error, record.requestId);
  }) satisfies express.ErrorRequestHandler);
  return router;
}

async function grant(
  options: TokenServerOptions,
  response: express.Response,
  asked: TokenRequest,
): Promise<void> {
  const { account } = asked;
  const access = await grantAccess(options.database.queries, account, asked.scopes);
  const { token, issuedAt } = options.registryTokens.sign(account?.name ?? '', access);
  const refreshToken =
    asked.offline && account !== undefined
      ? await createRefreshToken(
          options.database.queries,
          { account, service: options.service, clientId: asked.clientId },
          options.clock(),
        )
      : undefined;
  const scope = access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
  answerToken(response, token, issuedAt, options.registryTokens.lifetimeSeconds, {
    ...(scope === '' ? {} : { scope }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  });
}

/** Both names of the token: which one a client reads depends on the client and the way it asked. */
function answerToken(
  response: express.Response,
  token: string,
  issuedAt: number,
  lifetimeSeconds: number,
  more: Record<string, string> = {},
): void {
  response.setHeader('Cache-Control', 'no-store');
  response.json({
    token,
    access_token: token,
    expires_in: lifetimeSeconds,
    issued_at: new Date(issuedAt * 1000).toISOString(),
    ...more,
  });
}

/** `undefined` for an anonymous request. @throws DomainError `not-authenticated` for credentials that are wrong */
async function authenticateBasic(
  authenticator: Authenticator,
  header: string | undefined,
  response: express.Response,
): Promise<Account | undefined> {
  if (header === undefined) return undefined;
  const credentials = parseBasicCredentials(header);
  const account =
    credentials === undefined
      ? undefined
      : await authenticator.authenticate(credentials.name, credentials.password);
  if (account !== undefined) return account;
  response.setHeader('WWW-Authenticate', 'Basic realm="dtr"');
  throw wrongCredentials();
}

async function authenticateForm(options: TokenServerOptions, form: URLSearchParams): Promise<Account> {
  const required = (name: string) => {
    const value = form.get(name);
    if (value === null || value === '') {
      throw new DomainError('input-invalid', `${name}: missing`, { detail: { field: name } });
    }
    return value;
  };
  let account: Account | undefined;
  switch (form.get('grant_type')) {
    case 'password':
      account = await options.authenticator.authenticate(required('username'), required('password'));
      break;
    case 'refresh_token':
      account = await findAccountByRefreshToken(
        options.database.queries,
        required('refresh_token'),
        options.service,
        options.clock(),
      );
      break;
    default:
      throw new DomainError('grant-unsupported', 'grant_type: password or refresh_token expected', {
        detail: { field: 'grant_type' },
      });
  }
  if (account === undefined) throw wrongCredentials();
  return account;
}

function assertService(options: TokenServerOptions, service: string | null): void {
  if (service !== null && service !== options.service) {
    throw new DomainError('input-invalid', `service: ${options.service} expected`, {
      detail: { field: 'service' },
    });
  }
}

/** The parsed form of a body, which express leaves `undefined` for another content type. */
function formOf(body: unknown): URLSearchParams {
  if (typeof body !== 'object' || body === null) {
    throw new DomainError('media-type-unsupported', 'application/x-www-form-urlencoded expected');
  }
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body)) {
    for (const item of Array.isArray(value) ? value : [value]) form.append(name, String(item));
  }
  return form;
}

function noteUser(response: express.Response, account: Account | undefined): void {
  if (account !== undefined) requestRecord(response).user = account.name;
}

function wrongCredentials(): DomainError {
  return new DomainError('not-authenticated', 'incorrect username or password');
}

/** Errors of the body parser carry a status of their own. */
function isClientError(error: unknown): error is Error & { status: number } {
  const status = (error as { status?: unknown })?.status;
  return typeof status === 'number' && status >= 400 && status < 500;
}

function formInvalid(error: Error & { status: number }): DomainError {
  return new DomainError(error.status === 413 ? 'too-large' : 'input-invalid', error.message, {
    cause: error,
  });
}
