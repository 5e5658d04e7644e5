/** A content cache that a test scripts: real HTTP or TLS, real verification of commands, answers as told. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { after } from 'node:test';
import type { CacheAddress } from '../../src/origin/content-caches/cache-client.ts';
import {
  type CacheCommand,
  type CacheCommandClaims,
  cacheCommandPaths,
  verifyCacheCommand,
} from '../../src/shared/cache-command.ts';
import type { CacheStatus } from '../../src/shared/cache-command-bodies.ts';
import { type AnyServer, listen } from '../../src/shared/http/shutdown.ts';

/** Of the origin of these tests. */
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const originKeys = { current: () => ({ keyId: 'key-1', privateKey: pair.privateKey }) };
export const issuer = 'https://origin.example';

export interface FakeContentCache {
  readonly url: string;
  readonly address: CacheAddress;
  /** Method and path of each request, without the query. */
  readonly requests: string[];
  /** Claims of the commands that were verified, with their bodies. */
  readonly commands: (CacheCommandClaims & { readonly sent: unknown })[];
  /** Public keys by their ids: at first those of `originKeys`. A test that has a real origin adds its keys. */
  findKey: (keyId: string) => Promise<KeyObject>;
  /** What it says of itself. */
  status: CacheStatus;
  /** Answers before anything else, if it returns true. */
  instead: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Answers to commands with a body. */
  readonly answers: { [command in Exclude<CacheCommand, 'status'>]?: (sent: never) => unknown };
  /** How many there are now. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

const wellStatus: CacheStatus = {
  protocol: '1',
  version: '0.1.0',
  processId: 'process-1',
  now: 0,
  origins: [issuer],
  health: { healthy: true, reasons: [] },
  disk: { sizeBytes: 1_000_000, freeBytes: 500_000 },
  stored: { blobs: 3, bytes: 4_000 },
  usage: { records: [], next: 0, more: false },
};

/** Stopped when the surrounding suite (or file) ends. */
export async function startFakeContentCache(
  options: {
    tls?: { certificate: string; key: string };
    id?: string;
    caPem?: string;
    clientCa?: string;
  } = {},
): Promise<FakeContentCache> {
  const { tls, id = 'cache-1', clientCa } = options;
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').split('?')[0] as string;
    cache.requests.push(`${request.method} ${path}`);
    if (cache.instead(request, response)) return;
    response.setHeader('dtr-protocol', cache.status.protocol);
    if (path === '/v2/') {
      response.end('{}');
      return;
    }
    answerCommand(request, response, path).catch(() => response.writeHead(403).end());
  };
  const answerCommand = async (request: IncomingMessage, response: ServerResponse, path: string) => {
    const [command] = Object.entries(cacheCommandPaths).find(([, known]) => known === path) ?? [];
    if (command === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { claims, body } = await verifyCacheCommand(
      (request.headers.authorization ?? '').replace('Bearer ', ''),
      { command: command as CacheCommand, host: cache.url, readBody: () => text(request) },
      { findKey: (_issuer, keyId) => cache.findKey(keyId), clock: () => cache.status.now || Date.now() },
    );
    const sent = body === '' ? undefined : JSON.parse(body);
    cache.commands.push({ ...claims, sent });
    const answer =
      command === 'status'
        ? { ...cache.status, now: cache.status.now || Date.now() }
        : cache.answers[command as 'purge']?.(sent as never);
    if (answer === undefined) response.writeHead(500).end();
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
  };
  const server: AnyServer =
    tls === undefined
      ? createHttpServer(listener)
      : createHttpsServer(
          {
            cert: tls.certificate,
            key: tls.key,
            ...(clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: clientCa }),
          },
          listener,
        );
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const cache: FakeContentCache = {
    url,
    address: { id, host: url, caPem: options.caPem },
    requests: [],
    commands: [],
    findKey: async () => pair.publicKey,
    status: structuredClone(wellStatus),
    instead: () => false,
    answers: {},
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  after(() => cache.close());
  return cache;
}
