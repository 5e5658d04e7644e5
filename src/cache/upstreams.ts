/** The next hops: in which order they are asked, and the one HTTP client that asks them. */
import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import type { CacheConfiguration, Upstream } from './configuration.ts';

type Timeouts = CacheConfiguration['timeouts'];

/** The hops of an upstream in the order of this request: the next of `hosts` first, the origin last. */
export class UpstreamOrder {
  readonly #hosts: readonly string[];
  readonly #originHost: string | undefined;
  #turn = 0;

  constructor(upstream: Upstream) {
    this.#hosts = upstream.hosts;
    this.#originHost = upstream.originHost;
  }

  next(): string[] {
    const start = this.#turn;
    this.#turn = this.#hosts.length === 0 ? 0 : (this.#turn + 1) % this.#hosts.length;
    const hosts = [...this.#hosts.slice(start), ...this.#hosts.slice(0, start)];
    return this.#originHost === undefined ? hosts : [...hosts, this.#originHost];
  }
}

export class UpstreamClient {
  readonly #timeouts: Timeouts;
  #agent: Agent;

  /** `cas`: PEM texts, trusted beside the system's roots. Verification is never off. */
  constructor(cas: readonly string[], timeouts: Timeouts) {
    this.#timeouts = timeouts;
    this.#agent = createAgent(cas, timeouts);
  }

  /** Trusts these CAs instead from the next request on; running ones go on. */
  trust(cas: readonly string[]): void {
    const before = this.#agent;
    this.#agent = createAgent(cas, this.#timeouts);
    before.close().catch(() => {});
  }

  /** Asks once. Redirects are answers like others: an upstream has none to give. */
  request(
    host: string,
    target: string,
    options: { method?: 'GET' | 'HEAD'; range?: string; signal?: AbortSignal } = {},
  ): Promise<Dispatcher.ResponseData> {
    return this.#agent.request({
      origin: host,
      path: target,
      method: options.method ?? 'GET',
      headers: {
        'accept-encoding': 'identity',
        ...(options.range === undefined ? {} : { range: options.range }),
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

function createAgent(cas: readonly string[], { connectMs, idleMs }: Timeouts): Agent {
  const ca = [...getCACertificates('default'), ...getCACertificates('system'), ...cas];
  return new Agent({
    connect: { ca, timeout: connectMs },
    // Between two bytes, headers included; never on a whole transfer.
    headersTimeout: idleMs,
    bodyTimeout: idleMs,
    pipelining: 1,
  });
}

/** Why a hop could not be asked, in words that tell the three sides of TLS trouble apart. */
export function describeUpstreamError(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  switch (code) {
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'its TLS certificate is not trusted: add the CA that signed it to cas';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its TLS certificate is for another host name';
    case 'CERT_HAS_EXPIRED':
      return 'its TLS certificate has expired';
    case 'CERT_NOT_YET_VALID':
      return 'its TLS certificate is not valid yet: is the clock right?';
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return 'it does not speak TLS at this address';
    case 'ECONNREFUSED':
      return 'it refuses connections';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name cannot be resolved';
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return 'it did not accept a connection in time';
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'it sent nothing for too long';
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return 'it closed the connection';
    default:
      return message ?? String(error);
  }
}
