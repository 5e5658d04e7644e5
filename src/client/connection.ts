/**
 * Requests to one origin. On Node's own HTTP client: undici takes longer to load than a command takes to be answered.
 */
import type { Agent, IncomingHttpHeaders, IncomingMessage, request as startRequest } from 'node:http';
import type { Socket } from 'node:net';
import { Failure } from './failure.ts';

const connectMs = 10_000;
/** A request that removes a namespace with thousands of repositories is answered when it is done. */
const answerMs = 120_000;
/** A page of 1000 records has about 1 MB. */
const answerBytes = 64 * 1024 * 1024;

export interface Request {
  readonly method: string;
  /** As it is sent: encoded, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface ConnectionOptions {
  /** PEM of a CA that is trusted beside those of Node and of the system. */
  readonly ca: string | undefined;
  /** How long each request may take. */
  readonly answerMs?: number;
}

/** @param origin `scheme://host[:port]` */
export async function openConnection(origin: string, options: ConnectionOptions): Promise<Connection> {
  const url = new URL(origin);
  // One of them alone: to load both takes a third of the time that a command takes.
  const { Agent, request } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
  return new Connection(url, { agent: new Agent({ keepAlive: true }), start: request }, options);
}

export class Connection {
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #start: typeof startRequest;
  readonly #ca: string | undefined;
  readonly #answerMs: number;
  #trusted: string[] | undefined;

  constructor(url: URL, by: { agent: Agent; start: typeof startRequest }, options: ConnectionOptions) {
    this.#url = url;
    this.#agent = by.agent;
    this.#start = by.start;
    this.#ca = options.ca;
    this.#trusted = options.ca === undefined ? undefined : [options.ca];
    this.#answerMs = options.answerMs ?? answerMs;
  }

  /** @throws Failure when there is no answer */
  async send(request: Request): Promise<Answer> {
    try {
      return await this.#send(request);
    } catch (error) {
      if (!isUntrusted(error)) throw this.#explain(error);
    }
    // Reading the system's CAs takes as long as everything else, so they are read when they are needed.
    const { getCACertificates } = await import('node:tls');
    const more = this.#ca === undefined ? [] : [this.#ca];
    this.#trusted = [...getCACertificates('default'), ...getCACertificates('system'), ...more];
    try {
      return await this.#send(request);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send({ method, path, headers, body }: Request): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = this.#start(
      {
        agent: this.#agent,
        host: this.#url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: this.#url.port,
        method,
        // Not by way of URL, which would take `..` for a step up.
        path,
        headers: {
          ...headers,
          Host: this.#url.host,
          ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
        },
        signal: AbortSignal.timeout(this.#answerMs),
        ...(this.#trusted === undefined ? {} : { ca: this.#trusted }),
      },
      (incoming) => read(incoming).then(resolve, reject),
    );
    outgoing.once('error', reject);
    outgoing.once('socket', (socket) => boundConnecting(socket, this.#url.protocol));
    outgoing.end(body);
    return promise;
  }

  #explain(error: unknown): Failure {
    const { origin } = this.#url;
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (isUntrusted(error)) {
      return new Failure(
        'failed',
        `the certificate of ${origin} is not of a CA that this machine trusts`,
        `fetch its CA by 'curl -k ${origin}/ca > dtr-ca.pem', make sure that it is the right one, then: dtr login ${origin} --ca-file dtr-ca.pem`,
        error,
      );
    }
    const known =
      (problems as Record<string, string>)[code] ??
      (code.startsWith('ERR_SSL') ? problems.EPROTO : undefined);
    return new Failure('failed', `cannot reach ${origin}: ${known ?? message}`, undefined, error);
  }
}

const problems = {
  ABORT_ERR: 'it did not answer in time',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it ended the connection',
  ENOTFOUND: 'there is no host with this name',
  EAI_AGAIN: 'its name cannot be resolved now',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  EPROTO: 'it does not speak TLS there',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ETIMEDOUT: 'it did not answer in time',
} as const;

/** The codes of OpenSSL for a chain that leads to no CA that is trusted. */
function isUntrusted(error: unknown): boolean {
  return /^(?:UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(?:_LOCALLY)?)|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT(?:_IN_CHAIN)?)$/.test(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}

function boundConnecting(socket: Socket, protocol: string): void {
  if (!socket.connecting) return;
  const late = setTimeout(() => socket.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })), connectMs);
  socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () => clearTimeout(late));
  socket.once('close', () => clearTimeout(late));
}

async function read(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > answerBytes) throw new Error(`its answer is larger than ${answerBytes} bytes`);
    chunks.push(chunk);
  }
  return {
    status: incoming.statusCode as number,
    headers: incoming.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  };
}
