/** The API door: `/api/v0`, by the contract `openapi.yaml`, and its docs. */
import express, { type Express, type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type { BlobStore } from '../../shared/blob-store/blob-store.ts';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logging.ts';
import type { Passwords } from '../accounts/passwords.ts';
import type { CacheHealth } from '../content-caches/health.ts';
import type { Redirector } from '../content-caches/redirect.ts';
import type { Database } from '../database.ts';
import { ImageFactsReader } from '../images/image-facts.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { createAccountRepositoryGuards, createAccountRepositoryRoutes } from './account-repositories.ts';
import { createAccountGuards, createAccountRoutes } from './accounts.ts';
import { createApiTokenGuards, createApiTokenRoutes } from './api-tokens.ts';
import { authenticate, type CallerOptions, sameOriginOnly, selfOwnersOrAdmins } from './caller.ts';
import { createContentCacheChoiceGuards, createContentCacheChoiceRoutes } from './content-cache-choice.ts';
import { createContentCacheRuleGuards, createContentCacheRuleRoutes } from './content-cache-rules.ts';
import { createContentCacheUsageGuards, createContentCacheUsageRoutes } from './content-cache-usage.ts';
import { createContentCacheGuards, createContentCacheRoutes } from './content-caches.ts';
import { checkByContract } from './contract-check.ts';
import { createDocs } from './docs.ts';
import { enziAliases, enziNames } from './enzi.ts';
import { answerApiError } from './errors.ts';
import { createEventRoutes } from './events.ts';
import { createIndexRoutes } from './index-search.ts';
import { createJobGuards, createJobRoutes } from './jobs.ts';
import { createManifestRoutes } from './manifests.ts';
import { createMetaGuards, createMetaRoutes, type SystemFacts } from './meta.ts';
import { createNamespaceAccessGuards, createNamespaceAccessRoutes } from './namespace-access.ts';
import { loadContract } from './openapi.ts';
import { createOrganizationGuards, createOrganizationRoutes } from './organizations.ts';
import { createPrefetchRuleGuards, createPrefetchRuleRoutes } from './prefetch-rules.ts';
import { createRepositoryGuards, createRepositoryRoutes } from './repositories.ts';
import { createRepositoryAccessGuards, createRepositoryAccessRoutes } from './repository-access.ts';
import { createSessionRoutes, sessionsOnly } from './session.ts';
import { createSettingsRoutes } from './settings.ts';
import { createTagRoutes } from './tags.ts';
import { createTeamGuards, createTeamRoutes } from './teams.ts';

export interface ApiOptions extends CallerOptions {
  readonly database: Database;
  readonly blobStore: BlobStore;
  readonly passwords: Passwords;
  readonly health: CacheHealth;
  readonly system: SystemFacts;
  readonly redirector: Pick<Redirector, 'preview'>;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The order matters: who calls and whether they may comes before the request is looked at, so that nobody
 * learns from a complaint about a field that an operation exists for others.
 */
export function createApi(options: ApiOptions): Express {
  const contract = loadContract();
  const imageFacts = new ImageFactsReader(options);
  const app = express();
  app.disable('x-powered-by');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.set('query parser', 'simple');
  app.use(securityHeaders);
  app.use(createDocs(contract));

  app.use(enziAliases);
  app.use('/api/v0', withoutTrailingSlash, noStore, sameOriginOnly(options.externalUrl));
  app.use('/api/v0', unlessSigningIn(authenticate(options)), onlyJson, enziNames(options.database));
  app.use(exceptOptions(createGuards(options)));
  app.use(
    checkByContract(contract.document, (request, status, mismatch) => {
      options.logger.error(
        { path: request.path, status, ...mismatch },
        'an answer does not match the contract',
      );
    }),
  );
  app.use(createContentCacheRoutes(options));
  app.use(createContentCacheUsageRoutes(options));
  app.use(createContentCacheRuleRoutes(options));
  app.use(createContentCacheChoiceRoutes(options));
  app.use(createJobRoutes(options));
  app.use(createPrefetchRuleRoutes(options));
  app.use(createAccountRoutes(options));
  app.use(createSettingsRoutes(options));
  app.use(createOrganizationRoutes(options));
  app.use(createTeamRoutes(options));
  app.use(createApiTokenRoutes(options));
  app.use(createEventRoutes(options));
  app.use(createMetaRoutes(options));
  app.use(createRepositoryRoutes(options));
  app.use(createTagRoutes({ ...options, imageFacts }));
  app.use(createManifestRoutes({ ...options, imageFacts }));
  app.use(createRepositoryAccessRoutes(options));
  app.use(createNamespaceAccessRoutes(options));
  app.use(createAccountRepositoryRoutes(options));
  app.use(createIndexRoutes(options));
  app.use(createSessionRoutes(options));
  app.use(answerApiError);
  return app;
}

/** Who may do what, by methods and paths alone. */
function createGuards({ database }: ApiOptions): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.use(createContentCacheGuards());
  guards.use(createContentCacheUsageGuards());
  guards.use(createContentCacheRuleGuards());
  guards.use(createContentCacheChoiceGuards());
  guards.use(createJobGuards());
  guards.use(createPrefetchRuleGuards());
  guards.use(createAccountGuards(database));
  guards.use(createOrganizationGuards(database));
  guards.use(createTeamGuards(database));
  guards.use(createApiTokenGuards());
  guards.use(createMetaGuards());
  guards.use('/api/v0/accounts/:username/settings', selfOwnersOrAdmins(database));
  guards.use(createAccountRepositoryGuards());
  guards.use(createRepositoryGuards({ database }));
  guards.use(createRepositoryAccessGuards({ database }));
  guards.use(createNamespaceAccessGuards({ database }));
  guards.get('/api/v0/session', sessionsOnly);
  guards.delete('/api/v0/session', sessionsOnly);
  return guards;
}

/** Express answers OPTIONS by itself wherever it knows a path: here it is no operation of the contract. */
function exceptOptions(guards: Router): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'OPTIONS') return next();
    return guards(request, response, next);
  };
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

/** Who signs in is nobody yet. */
function unlessSigningIn(authenticated: RequestHandler): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'POST' && request.path === '/session') return next();
    return authenticated(request, response, next);
  };
}

const noStore: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-store');
  next();
};

const onlyJson: RequestHandler = (request, _response, next) => {
  if (!request.accepts('application/json')) throw new DomainError('not-acceptable', 'Not Acceptable');
  next();
};
