/**
 * The token door: `/auth/token` (Docker token spec: GET with Basic or anonymous; POST forms of its OAuth2 part).
 */
import express from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import { answerError } from '../../shared/http/answer-error.ts';
import { grantAccess } from '../access/grant.ts';
import { parseScopes, type Scope } from '../access/scopes.ts';
import {
  type Authenticator,
  type ComingFrom,
  parseBasicCredentials,
  type SignIn,
} from '../accounts/authenticate.ts';
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
  /** `undefined`: nobody in particular. */
  readonly signIn: SignIn | undefined;
  readonly scopes: readonly Scope[];
  readonly clientId: string;
  /** Whether to give a refresh token as well. */
  readonly offline: boolean;
}

export function createTokenServer(options: TokenServerOptions): express.Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.get('/auth/token', async (request, response) => {
    const query = new URL(request.url, 'http://origin').searchParams;
    const signIn = await authenticateBasic(options.authenticator, request.headers.authorization, response);
    noteUser(response, signIn);
    if (signIn !== undefined && !query.has('service') && !query.has('scope')) {
      const { account, credential } = signIn;
      const { token, issuedAt } = options.apiTokens.sign({ subject: account.name, credential });
      answerToken(response, token, issuedAt, options.apiTokens.lifetimeSeconds);
      return;
    }
    assertService(options, query.get('service'));
    await grant(options, response, {
      signIn,
      scopes: parseScopes(query.getAll('scope')),
      clientId: query.get('client_id') ?? '',
      offline: query.get('offline_token') === 'true',
    });
  });
  router.post(
    '/auth/token',
    express.urlencoded({ extended: false, limit: '16kb' }),
    async (request, response) => {
      const form = formOf(request.body);
      assertService(options, form.get('service'));
      const signIn = await authenticateForm(options, form, response);
      noteUser(response, signIn);
      await grant(options, response, {
        signIn,
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
  const { signIn } = asked;
  const access = await grantAccess(options.database.queries, signIn, asked.scopes);
  const { token, issuedAt } = options.registryTokens.sign(signIn?.account.name ?? '', access);
  // Who came with an access token keeps that: a refresh token for it would outlive its being revoked.
  const refreshToken =
    asked.offline && signIn?.credential.startsWith('password:')
      ? await createRefreshToken(
          options.database.queries,
          { account: signIn.account, service: options.service, clientId: asked.clientId },
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
): Promise<SignIn | undefined> {
  if (header === undefined) return undefined;
  const credentials = parseBasicCredentials(header);
  const signIn =
    credentials === undefined
      ? undefined
      : await authenticator.authenticate(credentials.name, credentials.password, comingFrom(response));
  if (signIn !== undefined) return signIn;
  response.setHeader('WWW-Authenticate', 'Basic realm="dtr"');
  throw wrongCredentials();
}

async function authenticateForm(
  options: TokenServerOptions,
  form: URLSearchParams,
  response: express.Response,
): Promise<SignIn> {
  const required = (name: string) => {
    const value = form.get(name);
    if (value === null || value === '') {
      throw new DomainError('input-invalid', `${name}: missing`, { detail: { field: name } });
    }
    return value;
  };
  let signIn: SignIn | undefined;
  switch (form.get('grant_type')) {
    case 'password':
      signIn = await options.authenticator.authenticate(
        required('username'),
        required('password'),
        comingFrom(response),
      );
      break;
    case 'refresh_token':
      signIn = await byRefreshToken(options, required('refresh_token'));
      break;
    default:
      throw new DomainError('grant-unsupported', 'grant_type: password or refresh_token expected', {
        detail: { field: 'grant_type' },
      });
  }
  if (signIn === undefined) throw wrongCredentials();
  return signIn;
}

async function byRefreshToken(options: TokenServerOptions, token: string): Promise<SignIn | undefined> {
  const { database, service, clock } = options;
  const account = await findAccountByRefreshToken(database.queries, token, service, clock());
  return account && { account, readOnly: false, credential: 'refresh-token' };
}

function comingFrom(response: express.Response): ComingFrom {
  return { door: 'token', client: requestRecord(response).client };
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

function noteUser(response: express.Response, signIn: SignIn | undefined): void {
  if (signIn !== undefined) requestRecord(response).user = signIn.account.name;
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
