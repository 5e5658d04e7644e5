/** The one HTTP client that asks the next hops. */
import { randomBytes } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import type { Logger } from '../shared/logging.ts';
import { cacheIdHeader, protocolHeader, protocolVersion, viaHeader } from '../shared/protocol.ts';
import type { CacheConfiguration } from './configuration.ts';

type Timeouts = CacheConfiguration['timeouts'];

/** So that there is time left to ask another one before clients lose patience. */
const longestHeadersMs = 15_000;

export type UpstreamAnswer = Dispatcher.ResponseData;

export class UpstreamClient {
  /** This process among caches, by which loops are found. */
  readonly id = randomBytes(8).toString('hex');
  readonly #timeouts: Timeouts;
  #agent: Agent;
  readonly #logger: Logger | undefined;
  /** What hops say of themselves. */
  readonly #ids = new Map<string, string>();
  readonly #protocols = new Map<string, string>();

  /** `cas`: PEM texts, trusted beside the system's roots. Verification is never off. */
  constructor(cas: readonly string[], timeouts: Timeouts, logger?: Logger) {
    this.#timeouts = timeouts;
    this.#logger = logger;
    this.#agent = createAgent(cas, timeouts);
  }

  /** Trusts these CAs instead from the next request on; running ones go on. */
  trust(cas: readonly string[]): void {
    const before = this.#agent;
    this.#agent = createAgent(cas, this.#timeouts);
    before.close().catch(() => {});
  }

  /** Asks once. Redirects are answers like others: an upstream has none to give. `via`: the caches before this one. */
  async request(
    host: string,
    target: string,
    options: {
      method?: 'GET' | 'HEAD';
      range?: string | undefined;
      signal?: AbortSignal;
      via?: readonly string[];
      /** At most; never more than the client's own. */
      headersTimeoutMs?: number;
    } = {},
  ): Promise<UpstreamAnswer> {
    const answer = await this.#agent.request({
      origin: host,
      path: target,
      method: options.method ?? 'GET',
      headersTimeout: Math.min(
        this.#timeouts.idleMs,
        longestHeadersMs,
        options.headersTimeoutMs ?? longestHeadersMs,
      ),
      headers: {
        'accept-encoding': 'identity',
        [protocolHeader]: protocolVersion,
        [viaHeader]: [...(options.via ?? []), this.id].join(','),
        ...(options.range === undefined ? {} : { range: options.range }),
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    this.#learn(host, answer);
    return answer;
  }

  /** True when the hop is known to be one of these caches, or this cache itself. */
  isOneOf(host: string, ids: readonly string[]): boolean {
    const id = this.#ids.get(host);
    return id !== undefined && (id === this.id || ids.includes(id));
  }

  /** Added to the reason of a failure when the hop speaks another protocol; empty otherwise. */
  protocolRemark(host: string): string {
    const protocol = this.#protocols.get(host) ?? protocolVersion;
    return protocol === protocolVersion
      ? ''
      : ` (it speaks version ${protocol} of the protocol of origins and caches, this cache version ${protocolVersion})`;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  #learn(host: string, { headers }: UpstreamAnswer): void {
    const id = headers[cacheIdHeader];
    if (typeof id === 'string') this.#ids.set(host, id);
    const protocol = headers[protocolHeader];
    if (typeof protocol !== 'string' || protocol === (this.#protocols.get(host) ?? protocolVersion)) return;
    this.#protocols.set(host, protocol.slice(0, 20));
    this.#logger?.warn(
      { upstream: host, reason: this.protocolRemark(host).trim() },
      'an upstream of another version',
    );
  }
}

function createAgent(cas: readonly string[], { connectMs, idleMs }: Timeouts): Agent {
  const ca = [...getCACertificates('default'), ...getCACertificates('system'), ...cas];
  return new Agent({
    connect: { ca, timeout: connectMs },
    // Between two bytes, never on a whole transfer.
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
      return 'it did not answer in time';
    case 'UND_ERR_BODY_TIMEOUT':
      return 'it sent nothing for too long';
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return 'it closed the connection';
    default:
      return message ?? String(error);
  }
}
