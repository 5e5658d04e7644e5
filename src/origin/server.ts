/**
 * The origin: its doors in order, its limits, and how it ends. A request walks down this page:
 * `/v2/` to the registry door; everything else through Express to the token server, the public files, the web UI, and the
 * API with its docs.
 */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import express from 'express';
import { DirectoryBlobStore } from '../shared/blob-store/directory.ts';
import type { Clock } from '../shared/clock.ts';
import { DomainError } from '../shared/errors.ts';
import { serverOptions } from '../shared/http/server-options.ts';
import { type AnyServer, describeListenError, drain, listen } from '../shared/http/shutdown.ts';
import type { Logger } from '../shared/logging.ts';
import type { FindVerificationKey } from '../shared/signed-token.ts';
import { Authenticator, findAccountByCredential } from './accounts/authenticate.ts';
import { Passwords } from './accounts/passwords.ts';
import { findSession } from './accounts/sessions.ts';
import { SignInLimits } from './accounts/sign-in-limits.ts';
import { createApi } from './api/router.ts';
import { ensureCertificate, readCertificate, type ServerCertificate } from './certificates.ts';
import type { OriginConfiguration } from './configuration.ts';
import { ContentCacheServices } from './content-cache-services.ts';
import { type Database, openDatabase } from './database.ts';
import { ensureAdmin, ensureReplicaId } from './first-start.ts';
import { Housekeeping } from './housekeeping.ts';
import { prepareFindLinkedBlob } from './images/blob-links.ts';
import { GarbageCollection } from './images/garbage-collection.ts';
import { prepareFindManifest } from './images/manifests.ts';
import { PullCounts } from './images/pull-counts.ts';
import { Removals } from './images/removals.ts';
import { prepareFindRepositoryId } from './images/repositories.ts';
import { Uploads } from './images/uploads.ts';
import { ApiTokens } from './keys/api-token.ts';
import { RegistryTokens } from './keys/registry-token.ts';
import { SigningKeys } from './keys/signing-keys.ts';
import { Authorizer } from './registry/authorize.ts';
import { BlobHandlers } from './registry/blobs.ts';
import { ListingHandlers } from './registry/listings.ts';
import { ManifestHandlers } from './registry/manifests.ts';
import { createRegistryDoor, type RegistryDoor } from './registry/router.ts';
import { UploadHandlers } from './registry/uploads.ts';
import { recordRequest } from './request-log.ts';
import { createTokenServer } from './token/token-server.ts';
import { createPublicFiles } from './web/public-files.ts';
import { createUi } from './web/ui.ts';

export interface Origin {
  readonly port: number;
  /** Where the metrics are, if they are anywhere. */
  readonly metricsPort: number | undefined;
  /** Takes no new request, lets the running ones end, then closes everything that was opened. */
  close(): Promise<void>;
}

/** Starts the origin. @throws an error whose message is one line for the admin */
export async function startOrigin(
  configuration: OriginConfiguration,
  dependencies: { logger: Logger; clock: Clock },
): Promise<Origin> {
  const { logger, clock } = dependencies;
  const { dataDirectory } = configuration;
  const database = await openDatabase(dataDirectory);
  const blobStore = new DirectoryBlobStore(dataDirectory);
  const removals = new Removals({ database, blobStore, clock });
  const uploads = new Uploads({ database, blobStore, removals, clock });
  const pulls = new PullCounts({ database, logger });
  try {
    await blobStore.prepare();
    const passwords = new Passwords();
    await ensureAdmin({ database, passwords, dataDirectory, logger, clock });
    const replicaId = await ensureReplicaId(dataDirectory);
    const certificate = await loadCertificate(configuration, clock());
    const keys = await SigningKeys.load(database, clock);
    const contentCaches = new ContentCacheServices({
      ...dependencies,
      configuration,
      database,
      keys,
      ownCa: certificate?.ca,
    });
    const listener = createListener({
      ...dependencies,
      configuration,
      database,
      blobStore,
      uploads,
      pulls,
      passwords,
      keys,
      contentCaches,
      certificate,
      replicaId,
    });
    const server: AnyServer =
      certificate === undefined
        ? createHttpServer(serverOptions, listener)
        : createHttpsServer(
            { ...serverOptions, cert: certificate.certificate, key: certificate.key },
            listener,
          );
    // Without this Node would invite every announced body before anyone has asked who sends it.
    server.on('checkContinue', listener);
    const port = await listen(server, configuration.listen).catch((error) => {
      throw new Error(describeListenError(error, configuration.listen), { cause: error });
    });
    const { metricsPort } = await contentCaches.start();
    pulls.start();
    logger.info({ port, externalUrl: configuration.externalUrl, dataDirectory, metricsPort }, 'listening');
    const housekeeping = startHousekeeping({
      ...dependencies,
      configuration,
      database,
      keys,
      blobStore,
      removals,
    });
    return {
      port,
      metricsPort,
      close: async () => {
        await drain(server, configuration.drainMs);
        await housekeeping.stop();
        await uploads.close();
        await pulls.close();
        await contentCaches.stop();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function startHousekeeping(parts: {
  configuration: OriginConfiguration;
  logger: Logger;
  clock: Clock;
  database: Database;
  keys: SigningKeys;
  blobStore: DirectoryBlobStore;
  removals: Removals;
}): Housekeeping {
  const { configuration } = parts;
  const { intervalMs, ...policy } = configuration.garbageCollection;
  const collection = new GarbageCollection(parts);
  const housekeeping = new Housekeeping({
    ...parts,
    collection,
    policy,
    intervalMs,
    eventAgeMs: configuration.eventAgeMs,
  });
  housekeeping.start();
  return housekeeping;
}

interface Parts {
  readonly configuration: OriginConfiguration;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly database: Database;
  readonly blobStore: DirectoryBlobStore;
  readonly uploads: Uploads;
  readonly pulls: PullCounts;
  readonly passwords: Passwords;
  readonly keys: SigningKeys;
  readonly contentCaches: ContentCacheServices;
  readonly certificate: ServerCertificate | undefined;
  readonly replicaId: string;
}

function createListener(parts: Parts): RequestListener {
  const { logger, configuration } = parts;
  const { trustedProxies } = configuration;
  const { metrics } = parts.contentCaches;
  const registryTokens = createRegistryTokens(parts);
  const registry = createRegistry(parts, registryTokens);
  const app = createApp(parts, registryTokens);
  return (request, response) => {
    const record = recordRequest(request, response, { logger, trustedProxies, metrics });
    const path = request.url ?? '';
    if (path.startsWith('/v2/') || path === '/v2' || path.startsWith('/v2?')) {
      registry(request, response, record);
      return;
    }
    if (request.headers.expect !== undefined) response.writeContinue();
    Object.assign(response, { locals: { record } });
    app(request, response);
  };
}

/** The name by which clients ask for tokens: the origin's host, as the original has it. */
function serviceOf(configuration: OriginConfiguration): string {
  return new URL(configuration.externalUrl).host;
}

function createRegistryTokens({ configuration, keys, clock }: Parts): RegistryTokens {
  return new RegistryTokens({
    keys,
    issuer: configuration.externalUrl,
    service: serviceOf(configuration),
    lifetimeSeconds: configuration.registryTokenSeconds,
    clock,
  });
}

function createRegistry(parts: Parts, tokens: RegistryTokens): RegistryDoor {
  const { configuration, database, blobStore, uploads, pulls, keys, contentCaches, clock } = parts;
  const authorizer = new Authorizer({
    tokens,
    realm: `${configuration.externalUrl}/auth/token`,
    service: serviceOf(configuration),
    findRepositoryId: prepareFindRepositoryId(database),
  });
  const findLinkedBlob = prepareFindLinkedBlob(database);
  return createRegistryDoor({
    authorizer,
    blobs: new BlobHandlers({
      authorizer,
      database,
      blobStore,
      findLinkedBlob,
      redirector: contentCaches.redirector,
      findVerificationKey: ownKeys(keys, configuration.externalUrl),
      clock,
    }),
    listings: new ListingHandlers({ authorizer, database }),
    manifests: new ManifestHandlers({
      authorizer,
      database,
      findManifest: prepareFindManifest(database),
      pulls,
      clock,
    }),
    uploads: new UploadHandlers({ authorizer, database, uploads, clock }),
  });
}

/** The origin trusts signed URLs of its own making only. */
function ownKeys(keys: SigningKeys, issuer: string): FindVerificationKey {
  return async (claimedIssuer, keyId) => {
    const key = claimedIssuer === issuer ? keys.find(keyId) : undefined;
    if (key === undefined) {
      throw new DomainError('signature-invalid', 'the signed URL is refused: this origin did not sign it');
    }
    return key;
  };
}

function createApp(parts: Parts, registryTokens: RegistryTokens): express.Express {
  const { configuration, database, blobStore, passwords, keys, contentCaches, clock, logger } = parts;
  const { certificate, replicaId } = parts;
  const limits = new SignInLimits(configuration.signInLimits, clock);
  const authenticator = new Authenticator({ database, passwords, limits, clock });
  const apiTokens = new ApiTokens({
    keys,
    issuer: configuration.externalUrl,
    lifetimeSeconds: configuration.apiTokenSeconds,
    clock,
  });
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(
    createTokenServer({
      database,
      authenticator,
      registryTokens,
      apiTokens,
      service: serviceOf(configuration),
      clock,
    }),
  );
  app.use(
    createPublicFiles({
      ca: certificate?.ca,
      keySet: () => keys.publicKeySet(configuration.externalUrl),
      database,
    }),
  );
  app.use(createUi({ database }));
  app.use(
    createApi({
      database,
      blobStore,
      authenticator,
      passwords,
      health: contentCaches.health,
      redirector: contentCaches.redirector,
      jobs: contentCaches.jobs,
      clock,
      logger,
      externalUrl: configuration.externalUrl,
      system: { logLevel: configuration.logLevel, ca: certificate?.ca, replicaId },
      findApiToken: async (token) => {
        const claims = apiTokens.verify(token);
        return (
          claims && findAccountByCredential(database.queries, claims.subject, claims.credential, clock())
        );
      },
      findSession: (id) => findSession(database.queries, id, clock()),
    }),
  );
  return app;
}

async function loadCertificate(
  { tls, externalUrl, dataDirectory }: OriginConfiguration,
  now: number,
): Promise<ServerCertificate | undefined> {
  switch (tls.kind) {
    case 'off':
      return undefined;
    case 'files':
      return readCertificate(tls);
    case 'own-ca': {
      const host = new URL(externalUrl).hostname.replace(/^\[|\]$/g, '');
      const hosts = [...new Set([host, 'localhost', '127.0.0.1', '::1'])];
      return ensureCertificate(dataDirectory, hosts, now);
    }
  }
}
