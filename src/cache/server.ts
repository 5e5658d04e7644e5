/** The content cache: what it is made of, its requests from the top, and how it ends. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { DirectoryBlobStore } from '../shared/blob-store/directory.ts';
import type { Clock } from '../shared/clock.ts';
import { parseRoute, splitTarget } from '../shared/distribution/route.ts';
import { DomainError } from '../shared/errors.ts';
import { answerError } from '../shared/http/answer-error.ts';
import { serverLimits } from '../shared/http/server-limits.ts';
import { type AnyServer, describeListenError, drain, listen } from '../shared/http/shutdown.ts';
import type { Logger } from '../shared/logging.ts';
import { BlobDoor, type PullRecord } from './blobs.ts';
import type { CacheConfiguration } from './configuration.ts';
import { Entries } from './entries.ts';
import { evictIdle, sweepIntervalMs } from './eviction.ts';
import { Fills } from './fills.ts';
import { KeySets } from './key-sets.ts';
import { UpstreamClient } from './upstreams.ts';

export interface ContentCache {
  readonly port: number;
  /** Takes no new request, lets the running ones end, writes down what should be remembered. */
  close(): Promise<void>;
}

/** Starts the cache. @throws an error whose message is one line for the admin */
export async function startContentCache(
  configuration: CacheConfiguration,
  { logger, clock }: { logger: Logger; clock: Clock },
): Promise<ContentCache> {
  const { rootDirectory, blobTtlMs, tls } = configuration;
  const store = new DirectoryBlobStore(rootDirectory);
  await store.prepare().catch((cause) => {
    throw new Error(`cannot write to ${rootDirectory}: ${(cause as Error).message}`, { cause });
  });
  const entries = new Entries({ directory: rootDirectory, clock, logger });
  await entries.load(store);
  const client = new UpstreamClient(configuration.cas);
  const keySets = new KeySets({
    upstreams: configuration.upstreams,
    client,
    directory: join(rootDirectory, 'key-sets'),
    clock,
    logger,
  });
  const fills = new Fills({ store, client, logger, onStored: (digest) => entries.touch(digest) });
  await fills.removeLeftovers();
  const door = new BlobDoor({ store, entries, fills, keySets, clock });
  const listener = createListener({ door, keySets, logger, headers: configuration.headers });
  const server: AnyServer =
    tls === undefined
      ? createHttpServer(serverLimits, listener)
      : createHttpsServer(
          { ...serverLimits, cert: tls.certificate, key: tls.key, minVersion: tls.minimum },
          listener,
        );
  const port = await listen(server, configuration.listen).catch((error) => {
    throw new Error(describeListenError(error, configuration.listen), { cause: error });
  });
  await keySets.start();
  const sweep = async () => {
    if (blobTtlMs !== undefined) await evictIdle({ entries, store, clock, logger }, blobTtlMs);
    await entries.save();
  };
  const sweeping = setInterval(() => {
    sweep().catch((error) => logger.error({ err: error }, 'eviction failed'));
  }, sweepIntervalMs(blobTtlMs));
  for (const note of configuration.notes) logger.info({ note }, 'configuration');
  logger.info({ port, rootDirectory, upstreams: configuration.upstreams }, 'listening');
  return {
    port,
    close: async () => {
      clearInterval(sweeping);
      await drain(server, configuration.drainMs);
      await client.close();
      await fills.close();
      await entries.save();
    },
  };
}

interface ListenerParts {
  readonly door: BlobDoor;
  readonly keySets: KeySets;
  readonly logger: Logger;
  readonly headers: CacheConfiguration['headers'];
}

function createListener(parts: ListenerParts) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const startedAt = performance.now();
    const client = request.socket.remoteAddress;
    const record: PullRecord = {};
    let failure: unknown;
    for (const [name, values] of Object.entries(parts.headers)) response.setHeader(name, values);
    response.once('close', () => {
      const { path } = splitTarget(request.url ?? '');
      const line = {
        method: request.method,
        ...(record.digest === undefined ? { path } : record),
        // Ended, not finished: a client that closes right after the last byte is quicker than our being told of it.
        status: response.writableEnded || isOurs(failure) ? response.statusCode : 499,
        bytes: record.bytes ?? 0,
        durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
        client,
        userAgent: request.headers['user-agent'],
        ...(failure instanceof Error ? { reason: failure.message } : {}),
      };
      const message = record.digest === undefined ? 'request' : 'pull';
      if (failure !== undefined && !(failure instanceof DomainError) && response.statusCode >= 500) {
        parts.logger.error({ ...line, err: failure }, message);
      } else if (!response.writableEnded && isOurs(failure)) {
        parts.logger.warn({ ...line, cut: true }, message);
      } else {
        parts.logger.info(line, message);
      }
    });
    route(parts, request, response, record).catch((error) => {
      failure = error;
      answerError(response, error);
    });
  };
}

/** True when an answer ended early by trouble here or upstream, and not because the client left or stalled. */
function isOurs(failure: unknown): boolean {
  return failure instanceof DomainError && failure.code !== 'progress-timeout';
}

async function route(
  { door, keySets }: ListenerParts,
  request: IncomingMessage,
  response: ServerResponse,
  record: PullRecord,
): Promise<void> {
  const { path, query } = splitTarget(request.url ?? '');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    throw new DomainError('method-not-allowed', 'a content cache is only read from: push to the origin');
  }
  if (path === '/_ping' || path === '/health') return answerJson(response, { Error: '', Healthy: true });
  if (path === '/.well-known/jwks.json') return relayKeys(keySets, query, response);
  const target = parseRoute(path);
  switch (target.kind) {
    case 'blob':
      return door.handle(request, response, target, query, record);
    case 'base':
      return answerJson(response, {});
    case 'catalog':
      // By its documentation the original answers so, to anybody: it is how admins see that a cache lives.
      return answerJson(response, { repositories: [] });
    default:
      throw new DomainError('path-unknown', 'a content cache serves blobs only: ask the origin');
  }
}

/** The public keys of an origin for the caches below this one. */
function relayKeys(keySets: KeySets, query: string, response: ServerResponse): void {
  const keySet = keySets.relay(new URLSearchParams(query).get('origin') ?? undefined);
  if (keySet === undefined) {
    throw new DomainError('path-unknown', 'this cache has no public keys of that origin');
  }
  answerJson(response, keySet);
}

function answerJson(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
