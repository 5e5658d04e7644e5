/** The content cache: what it is made of, its requests from the top, and how it ends. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { DirectoryBlobStore } from '../shared/blob-store/directory.ts';
import type { Clock } from '../shared/clock.ts';
import { parseRoute, splitTarget } from '../shared/distribution/route.ts';
import { DomainError } from '../shared/errors.ts';
import { answerError } from '../shared/http/answer-error.ts';
import { nextBatch } from '../shared/http/request-batches.ts';
import { serverOptions } from '../shared/http/server-options.ts';
import { type AnyServer, describeListenError, drain, listen } from '../shared/http/shutdown.ts';
import type { Logger } from '../shared/logging.ts';
import {
  cacheIdHeader,
  goesRound,
  parseVia,
  protocolHeader,
  protocolVersion,
  viaHeader,
} from '../shared/protocol.ts';
import { answerJson } from './answer-json.ts';
import { BlobDoor } from './blobs.ts';
import { Breakers } from './breakers.ts';
import { CommandDoor, commandAt } from './commands.ts';
import type { CacheConfiguration, CacheTls, Upstream } from './configuration.ts';
import { createDebugServer } from './debug-server.ts';
import { Deliveries } from './deliveries.ts';
import { Entries } from './entries.ts';
import { Eviction, sweepIntervalMs } from './eviction.ts';
import { Fills } from './fills.ts';
import { Health } from './health.ts';
import { KeySets } from './key-sets.ts';
import { CacheMetrics } from './metrics.ts';
import { Prefetches } from './prefetches.ts';
import { Purge } from './purge.ts';
import { type RequestRecord, recordRequest } from './request-log.ts';
import { StoringTrouble } from './storing-trouble.ts';
import { UpstreamClient } from './upstreams.ts';
import { Usage } from './usage.ts';

/** What a fill left unfinished is kept for this long, to go on from there. */
const leftoversMs = 86_400_000;

export interface ContentCache {
  readonly port: number;
  /** Where metrics and health are, if they are anywhere. */
  readonly debugPort: number | undefined;
  /** Uses these certificates and CAs from now on; running connections go on. Nothing else of it is looked at. */
  reload(configuration: Pick<CacheConfiguration, 'tls' | 'cas'>): void;
  /** Takes no new request, lets the running ones end, writes down what should be remembered. */
  close(): Promise<void>;
}

/**
 * Starts the cache.
 * @param rootDirectory where blobs and keys are kept
 * @throws an error whose message is one line for the admin
 */
export async function startContentCache(
  configuration: CacheConfiguration,
  { rootDirectory, logger, clock }: { rootDirectory: string; logger: Logger; clock: Clock },
): Promise<ContentCache> {
  const { blobTtlMs, upstreams } = configuration;
  const store = new DirectoryBlobStore(rootDirectory);
  await store.prepare().catch((cause) => {
    throw new Error(`cannot write to ${rootDirectory}: ${(cause as Error).message}`, { cause });
  });
  const metrics = new CacheMetrics();
  metrics.observe('disk_bytes', 'Size of the disk', async () => (await store.disk()).sizeBytes);
  metrics.observe('disk_free_bytes', 'Free bytes of the disk', async () => (await store.disk()).freeBytes);
  const entries = new Entries({ directory: rootDirectory, clock, logger });
  const eviction = new Eviction({ entries, store, clock, logger, metrics, limits: configuration });
  const client = new UpstreamClient(configuration.cas, configuration.timeouts, logger);
  const breakers = new Breakers({ lastResorts: lastResortsOf(upstreams) });
  const keyDirectory = join(rootDirectory, 'key-sets');
  const keySets = new KeySets({ upstreams, client, breakers, directory: keyDirectory, clock, logger });
  const usage = new Usage({ directory: rootDirectory, clock, logger });
  await usage.load();
  const trouble = new StoringTrouble(store);
  const deliveries = new Deliveries({ clock });
  const fills = new Fills({
    store,
    client,
    breakers,
    logger,
    metrics,
    usage,
    maximumFills: configuration.maxFills,
    onStored: (digest, sizeBytes) => entries.touch(digest, sizeBytes),
    onUnstored: (reason, sizeBytes) => trouble.happened(reason, sizeBytes),
    makeRoom: (sizeBytes) => eviction.makeRoom(sizeBytes),
  });
  const parts = { store, entries, fills, keySets, clock, logger, metrics, usage, deliveries };
  const door = new BlobDoor({ ...parts, cacheId: client.id });
  const health = new Health({
    store,
    health: configuration.health,
    hasKeys: () => keySets.hasKeys(),
    logger,
  });
  const prefetches = new Prefetches(parts);
  const commands = new CommandDoor({
    ...parts,
    host: configuration.host,
    health,
    trouble,
    prefetches,
    purge: new Purge(parts),
  });
  const server = createServer(
    configuration,
    createListener({ ...parts, door, commands, cacheId: client.id, health, configuration }),
  );
  const port = await listen(server, configuration.listen).catch((error) => {
    throw new Error(describeListenError(error, configuration.listen), { cause: error });
  });
  const debug = await startDebugServer(configuration, { metrics, health });
  await keySets.start();
  health.start();
  // Beside the requests: the index does not decide whether a blob is served.
  const reconciling = entries.reconcile(store).catch((error) => {
    logger.error({ err: error }, 'the index of stored blobs could not be held against the disk');
  });
  const sweep = async () => {
    await eviction.sweep();
    await fills.removeLeftovers(clock() - leftoversMs);
  };
  const sweeping = setInterval(() => {
    sweep().catch((error) => logger.error({ err: error }, 'eviction failed'));
  }, sweepIntervalMs(blobTtlMs));
  for (const note of configuration.notes) logger.info({ note }, 'configuration');
  logger.info({ port, rootDirectory, upstreams: configuration.upstreams }, 'listening');
  return {
    port,
    debugPort: debug?.port,
    reload: ({ tls, cas }) => {
      if (tls !== undefined && 'setSecureContext' in server) server.setSecureContext(secureContext(tls));
      client.trust(cas);
    },
    close: async () => {
      clearInterval(sweeping);
      health.stop();
      prefetches.close();
      await drain(server, configuration.drainMs);
      await client.close();
      await fills.close();
      await entries.close();
      await usage.save();
      await reconciling;
      if (debug !== undefined) await drain(debug.server, 0);
    },
  };
}

function createServer({ tls }: CacheConfiguration, listener: RequestListener): AnyServer {
  if (tls === undefined) return createHttpServer(serverOptions, listener);
  const requestCert = tls.clientCas.length > 0;
  const options = { ...serverOptions, ...secureContext(tls), requestCert, rejectUnauthorized: requestCert };
  return createHttpsServer(options, listener);
}

function secureContext({ certificate, key, clientCas, minimum, ciphers }: CacheTls): SecureContextOptions {
  return {
    cert: certificate,
    key,
    minVersion: minimum,
    ...(clientCas.length === 0 ? {} : { ca: [...clientCas] }),
    ...(ciphers === undefined ? {} : { ciphers }),
  };
}

async function startDebugServer(
  { debug }: CacheConfiguration,
  parts: { metrics: CacheMetrics; health: Health },
): Promise<{ server: AnyServer; port: number } | undefined> {
  if (debug === undefined) return undefined;
  const server = createDebugServer({ ...parts, metricsPath: debug.metricsPath });
  const port = await listen(server, debug.listen).catch((error) => {
    throw new Error(describeListenError(error, debug.listen), { cause: error });
  });
  return { server, port };
}

interface ListenerParts {
  readonly door: BlobDoor;
  readonly commands: CommandDoor;
  readonly keySets: KeySets;
  readonly cacheId: string;
  readonly health: Health;
  readonly configuration: CacheConfiguration;
  readonly logger: Logger;
  readonly metrics: CacheMetrics;
  readonly usage: Usage;
}

function createListener(parts: ListenerParts): RequestListener {
  const { logger, metrics, usage, configuration } = parts;
  const headers = Object.entries(configuration.headers);
  const access = configuration.log.access;
  return (request, response) => {
    const record = recordRequest(request, response, { logger, metrics, usage, access });
    for (const [name, values] of headers) response.setHeader(name, values);
    route(parts, request, response, record).catch((error) => {
      record.failure = error;
      answerError(response, error);
    });
  };
}

async function route(
  parts: ListenerParts,
  request: IncomingMessage,
  response: ServerResponse,
  record: RequestRecord,
): Promise<void> {
  const { door, commands, health, configuration } = parts;
  if (request.readableEnded) await nextBatch();
  const { path: whole, query } = splitTarget(request.url ?? '');
  const { prefix } = configuration;
  const path = prefix !== '/' && whole.startsWith(prefix) ? whole.slice(prefix.length - 1) : whole;
  const command = commandAt(path);
  if (command !== undefined) return commands.handle(request, response, command, query);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    throw new DomainError('method-not-allowed', 'a content cache is only read from: push to the origin');
  }
  if (path === '/_ping') return answerJson(response, 200, { Error: '', Healthy: true });
  if (path === '/health') return answerHealth(response, health);
  if (path === '/.well-known/jwks.json') return relayKeys(parts, query, response);
  const target = parseRoute(path);
  switch (target.kind) {
    case 'blob':
      return door.handle(request, response, target, query, record);
    case 'base':
      // By this an origin sees that it is a content cache.
      response.setHeader(protocolHeader, protocolVersion);
      return answerJson(response, 200, {});
    case 'catalog':
      // By its documentation the original answers so, to anybody: it is how admins see that a cache lives.
      return answerJson(response, 200, { repositories: [] });
    default:
      throw new DomainError('path-unknown', 'a content cache serves blobs only: ask the origin');
  }
}

function answerHealth(response: ServerResponse, health: Health): void {
  const problems = Object.entries(health.problems()).map(([name, reason]) => `${name}: ${reason}`);
  const healthy = problems.length === 0;
  answerJson(response, healthy ? 200 : 503, { Error: problems.join('; '), Healthy: healthy });
}

/** The public keys of an origin for the caches below this one. */
async function relayKeys(
  { keySets, cacheId }: ListenerParts,
  query: string,
  response: ServerResponse,
): Promise<void> {
  const parameters = new URLSearchParams(query);
  const keySet = await keySets.relay(
    parameters.get('origin') ?? undefined,
    parameters.get('key') ?? undefined,
    goesRound(parseVia(response.req.headers[viaHeader]), cacheId),
  );
  if (keySet === undefined) {
    throw new DomainError('path-unknown', 'this cache has no public keys of that origin');
  }
  response.setHeader(cacheIdHeader, cacheId);
  response.setHeader(protocolHeader, protocolVersion);
  answerJson(response, 200, keySet);
}

/** Hops without another behind them: origins, and the only one of a list. */
function lastResortsOf(upstreams: readonly Upstream[]): string[] {
  return upstreams.flatMap(({ originHost, hosts }) => originHost ?? (hosts.length === 1 ? hosts : []));
}
