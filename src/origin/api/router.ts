/** The API door: `/api/v0`, by the contract `openapi.yaml`, and its docs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Express, type RequestHandler } from 'express';
import { middleware as validateByContract } from 'express-openapi-validator';
import helmet from 'helmet';
import { parse } from 'yaml';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logging.ts';
import type { Authenticator } from '../accounts/authenticate.ts';
import type { Passwords } from '../accounts/passwords.ts';
import type { Database } from '../database.ts';
import { createAccountRoutes } from './accounts.ts';
import { adminsOnly, authenticate, type FindApiToken, sameOriginOnly, selfOrAdmins } from './caller.ts';
import { createContentCacheRoutes } from './content-caches.ts';
import { createDocs } from './docs.ts';
import { answerApiError } from './errors.ts';

export interface ApiOptions {
  readonly database: Database;
  readonly authenticator: Authenticator;
  readonly passwords: Passwords;
  readonly findApiToken: FindApiToken;
  readonly clock: Clock;
  readonly logger: Logger;
}

export const contractPath = join(import.meta.dirname, '../../../openapi.yaml');

/**
 * The order matters: who calls and whether they may comes before the request is looked at, so that nobody
 * learns from a complaint about a field that an operation exists for others.
 */
export function createApi(options: ApiOptions): Express {
  const contract = parse(readFileSync(contractPath, 'utf8'));
  const app = express();
  app.disable('x-powered-by');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.set('query parser', 'simple');
  app.use(securityHeaders);
  app.use(createDocs(contract));
  app.get('/', (_request, response) => response.redirect(302, '/docs/api/'));

  app.use('/api/v0', withoutTrailingSlash, noStore, sameOriginOnly);
  app.use('/api/v0', authenticate(options.authenticator, options.findApiToken), onlyJson);
  app.post(['/api/v0/content_caches', '/api/v0/accounts'], adminsOnly);
  app.delete('/api/v0/content_caches/:contentcacheuuid', adminsOnly);
  app.use('/api/v0/accounts/:username/settings', selfOrAdmins);
  app.use('/api/v0', express.json({ limit: '100kb' }));
  app.use(allowOf(contract));
  app.use(
    validateByContract({
      apiSpec: contract,
      validateSecurity: false,
      validateRequests: { allowUnknownQueryParameters: false },
      validateResponses: {
        // Our own mistake, not the client's: logged, and answered as one.
        onError: (error, _body, request) => {
          options.logger.error({ err: error, path: request.path }, 'an answer does not match the contract');
          throw new Error('an answer does not match the contract', { cause: error });
        },
      },
      ignorePaths: (path: string) => !path.startsWith('/api/v0/'),
    }),
  );
  app.use(createContentCacheRoutes(options));
  app.use(createAccountRoutes(options));
  app.use((_request, _response) => {
    throw new DomainError('path-unknown', 'no such page or operation');
  });
  app.use(answerApiError);
  return app;
}

const securityHeaders: RequestHandler = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      formAction: ["'none'"],
    },
  },
  referrerPolicy: { policy: 'no-referrer' },
  // The certificate may be of a CA that only some of the people trust yet: no browser is bound to it for a year.
  strictTransportSecurity: false,
});

/** Version 2.4 of the original spelled collections with a slash at the end. */
const withoutTrailingSlash: RequestHandler = (request, _response, next) => {
  request.url = request.url.replace(/^(\/content_caches|\/accounts)\/(?=$|\?)/, '$1');
  next();
};

const noStore: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-store');
  next();
};

const onlyJson: RequestHandler = (request, _response, next) => {
  if (!request.accepts('application/json')) throw new DomainError('not-acceptable', 'Not Acceptable');
  next();
};

/** Sets `Allow` on the way to a 405, from the methods that the contract has for the path. */
function allowOf(contract: { paths: Record<string, object> }): RequestHandler {
  const methodsOf = Object.entries(contract.paths).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    methods: Object.keys(operations).filter((key) => key !== 'parameters'),
  }));
  return (request, response, next) => {
    const found = methodsOf.find(({ pattern }) => pattern.test(request.path));
    const method = request.method === 'HEAD' ? 'get' : request.method.toLowerCase();
    if (found !== undefined && !found.methods.includes(method)) {
      response.setHeader('Allow', found.methods.map((name) => name.toUpperCase()).join(', '));
    }
    next();
  };
}
