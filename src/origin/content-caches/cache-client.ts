/**
 * The one HTTP client that asks content caches. Their hosts are whatever an admin typed, so it is careful with all of them
 * (threats A04): only permitted addresses, no redirects, little time, few bytes, and TLS always verified.
 */
import { createHash } from 'node:crypto';
import { createSecureContext, getCACertificates } from 'node:tls';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { type CacheCommand, cacheCommandPaths, signCacheCommand } from '../../shared/cache-command.ts';
import {
  type CacheStatus,
  cacheStatus,
  cacheStatusTarget,
  type DeliveriesAnswer,
  deliveriesAnswer,
} from '../../shared/cache-command-bodies.ts';
import type { Clock } from '../../shared/clock.ts';
import { protocolHeader, protocolVersion } from '../../shared/protocol.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import { NameResolution } from './name-resolution.ts';
import {
  type AddressPolicy,
  assertHostPermitted,
  type Lookup,
  permittedLookup,
} from './permitted-addresses.ts';

/** A content cache as a client needs to know it. */
export interface CacheAddress {
  readonly id: string;
  /** `scheme://host[:port]`, canonical. */
  readonly host: string;
  /** PEM of the CA that signed its certificate, if it was registered with one. */
  readonly caPem: string | undefined;
}

export interface CacheAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most `maximumAnswerBytes`. For parsing only: nothing of it is shown to anybody. */
  readonly body: Buffer;
}

/** The last usage record that is kept of a process. */
export interface UsagePosition {
  readonly processId: string;
  readonly sequence: number;
}

/** For a connection; the whole of a request has the deadline of whoever asks. */
const connectMs = 2_000;
/** Somebody waits for a blob meanwhile. */
const deliveriesMs = 1_000;
const maximumAnswerBytes = 64 * 1024;
/** Kept from one probe to the next, and made anew often enough to find a certificate that expired and a name that moved. */
const idleConnectionMs = 30_000;
const connectionLifeMs = 60_000;
/** Caches with CAs of their own; a company has one or two. */
const maximumAgents = 100;

class AnswerTooLong extends Error {
  readonly code = 'ANSWER_TOO_LONG';
}

export class CacheClient {
  /** The origin's external URL, by which caches know it. */
  readonly issuer: string;
  readonly #keys: Pick<SigningKeys, 'current'>;
  readonly #ownCa: string | undefined;
  readonly #policy: AddressPolicy;
  readonly #names: NameResolution;
  readonly #clock: Clock;
  readonly #agents = new Map<string, Agent>();
  /** Why a host ended a TLS connection that stood: with TLS 1.3 it judges the client after the handshake. */
  readonly #alerts = new Map<string, Error>();

  /**
   * `ownCa`: PEM of the CA that signed the origin's own certificate, which may have signed those of caches too.
   */
  constructor(options: {
    keys: Pick<SigningKeys, 'current'>;
    issuer: string;
    ownCa: string | undefined;
    policy: AddressPolicy;
    clock: Clock;
    lookup?: Lookup;
  }) {
    this.#keys = options.keys;
    this.issuer = options.issuer;
    this.#ownCa = options.ownCa;
    this.#policy = options.policy;
    this.#clock = options.clock;
    this.#names = new NameResolution(options.lookup === undefined ? {} : { lookup: options.lookup });
  }

  /** `GET /v2/`, without anything that a stranger could use. */
  greet(cache: CacheAddress, signal: AbortSignal): Promise<CacheAnswer> {
    return this.#request(cache, { method: 'GET', path: '/v2/', signal });
  }

  /** The public key set of this origin as the cache relays it: 404 when it does not serve this origin. */
  relayedKeys(cache: CacheAddress, signal: AbortSignal): Promise<CacheAnswer> {
    const path = `/.well-known/jwks.json?origin=${encodeURIComponent(this.issuer)}`;
    return this.#request(cache, { method: 'GET', path, signal });
  }

  /** How the cache is, and its usage records after those that are kept. */
  status(cache: CacheAddress, after: UsagePosition | undefined, signal: AbortSignal): Promise<CacheAnswer> {
    return this.#request(cache, {
      method: 'GET',
      path: cacheStatusTarget(after),
      headers: this.#authorization(cache, 'status'),
      signal,
    });
  }

  /** What became of redirects, by their ids. Rejects when the cache does not tell within a second. */
  async deliveries(cache: CacheAddress, ids: readonly string[]): Promise<DeliveriesAnswer> {
    const answer = await this.post(cache, 'deliveries', { requests: ids }, AbortSignal.timeout(deliveriesMs));
    if (answer.status !== 200) throw new Error(`the cache ${cache.host} answered ${answer.status}`);
    return deliveriesAnswer.parse(JSON.parse(answer.body.toString('utf8')));
  }

  /** A signed command with a body. */
  post(
    cache: CacheAddress,
    command: Exclude<CacheCommand, 'status'>,
    value: unknown,
    signal: AbortSignal,
  ): Promise<CacheAnswer> {
    const body = JSON.stringify(value);
    return this.#request(cache, {
      method: 'POST',
      path: cacheCommandPaths[command],
      headers: { 'content-type': 'application/json', ...this.#authorization(cache, command, body) },
      body,
      signal,
    });
  }

  /** Ends every connection, running requests with them. */
  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
    this.#agents.clear();
  }

  #authorization(cache: CacheAddress, command: CacheCommand, body = ''): { authorization: string } {
    const claims = { issuer: this.issuer, cache: cache.id, host: cache.host, command, body };
    const token = signCacheCommand(this.#keys.current(), claims, { now: this.#clock() });
    return { authorization: `Bearer ${token}` };
  }

  async #request(
    cache: CacheAddress,
    options: {
      method: 'GET' | 'POST';
      path: string;
      headers?: Record<string, string>;
      body?: string;
      signal: AbortSignal;
    },
  ): Promise<CacheAnswer> {
    const { headers, ...request } = options;
    const { host } = new URL(cache.host);
    this.#alerts.delete(host);
    const { statusCode, ...answer } = await this.#agentFor(cache)
      .request({
        ...request,
        origin: cache.host,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          [protocolHeader]: protocolVersion,
          ...headers,
        },
      })
      .catch((error) => {
        throw this.#alerts.get(host) ?? error;
      });
    return { status: statusCode, headers: answer.headers, body: await readAll(answer.body) };
  }

  #agentFor({ caPem }: CacheAddress): Agent {
    const key = caPem === undefined ? '' : createHash('sha256').update(caPem).digest('hex');
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    if (this.#agents.size >= maximumAgents) this.#closeOldest();
    const cas = [caPem, this.#ownCa].filter((pem) => pem !== undefined);
    const agent = this.#createAgent(cas);
    this.#agents.set(key, agent);
    return agent;
  }

  #createAgent(cas: readonly string[]): Agent {
    const connect = buildConnector({
      // Made once: reading the roots takes longer than a handshake.
      secureContext: createSecureContext({ ca: [...rootCertificates(), ...cas] }),
      lookup: permittedLookup(this.#policy, this.#names.lookup),
      timeout: connectMs,
      allowH2: false,
    });
    return new Agent({
      connect: (options, callback) => {
        try {
          assertHostPermitted(options.hostname, this.#policy);
        } catch (error) {
          callback(error as Error, null);
          return;
        }
        connect(options, (...result) => {
          result[1]?.once('error', (error) => this.#noteAlert(options.host, error));
          callback(...result);
        });
      },
      pipelining: 1,
      keepAliveTimeout: idleConnectionMs,
      keepAliveMaxTimeout: idleConnectionMs,
      clientTtl: connectionLifeMs,
    });
  }

  /** The client tells only that the connection was closed. */
  #noteAlert(host: string | undefined, error: NodeJS.ErrnoException): void {
    if (host !== undefined && error.code?.includes('_ALERT_')) this.#alerts.set(host, error);
  }

  #closeOldest(): void {
    const [oldest] = this.#agents;
    if (oldest === undefined) return;
    this.#agents.delete(oldest[0]);
    oldest[1].close().catch(() => {});
  }
}

/** `undefined` when it is none that this version understands. */
export function parseStatus({ status, body }: CacheAnswer): CacheStatus | undefined {
  if (status !== 200) return undefined;
  try {
    return cacheStatus.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return undefined;
  }
}

let roots: readonly string[] | undefined;

/** Those of the system and of Node, read once. */
function rootCertificates(): readonly string[] {
  roots ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  return roots;
}

/** @throws AnswerTooLong */
async function readAll(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    // Leaving the loop ends the connection.
    if (bytes > maximumAnswerBytes) throw new AnswerTooLong('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
