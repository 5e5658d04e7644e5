/** An origin that a test scripts: real TLS by a CA of its own, real signing keys, blob answers as told. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { after } from 'node:test';
import jsonwebtoken from 'jsonwebtoken';
import { ensureCertificate } from '../../src/origin/certificates.ts';
import { blobUrl, signBlobUrl } from '../../src/shared/blob-url.ts';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import type { RepositoryName } from '../../src/shared/distribution/repository-name.ts';
import { parseByteRange } from '../../src/shared/http/byte-range.ts';
import { listen } from '../../src/shared/http/shutdown.ts';
import type { SigningKey } from '../../src/shared/json-web-token.ts';
import { tempDirectory } from './temp-directory.ts';

export const repository = 'library/app' as RepositoryName;

export interface FakeOrigin {
  readonly url: string;
  /** PEM of the CA that signed its certificate. */
  readonly ca: string;
  /** What it calls itself in its key set and its tokens: not the address by which the cache asks it. */
  issuer: string;
  /** Requests for blobs, in order. */
  readonly blobRequests: IncomingMessage[];
  /** How often its keys were asked for. */
  readonly keyRequests: string[];
  readonly blobs: Map<Digest, Buffer>;
  /** Added to what its key set publishes. */
  readonly otherKeys: object[];
  /** Answers a request for a blob; replaced by a test to misbehave. */
  answer: (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => void;
  /** The key that signs; the ones before go on being published until `withdraw`. */
  signingKey: SigningKey;
  rotate(): void;
  withdraw(keyId: string): void;
  add(bytes: Buffer): Digest;
  token(digest: Digest, claims?: TokenChanges): string;
  /** `<path>?token=…` of a blob at the cache. */
  signedPath(digest: Digest, claims?: TokenChanges): string;
  /** Ends it, as a crash would; `start` brings it back at the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface TokenChanges {
  readonly repository?: string;
  readonly issuer?: string;
  readonly lifetimeSeconds?: number;
  /** Milliseconds since the epoch at which it is signed. */
  readonly now?: number;
}

/** `certificate`: other names than its own, or another time of issue, for a certificate that must be refused. */
export async function startFakeOrigin(
  options: { certificate?: { hosts?: string[]; now?: number } } = {},
): Promise<FakeOrigin> {
  const { hosts = ['127.0.0.1'], now = Date.now() } = options.certificate ?? {};
  const { certificate, key, ca } = await ensureCertificate(await tempDirectory(), hosts, now);
  const published = new Map<string, KeyObject>();
  const newKey = (): SigningKey => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keyId = `key-${published.size + 1}`;
    published.set(keyId, publicKey);
    return { keyId, privateKey };
  };
  const create = () =>
    createServer({ cert: certificate, key }, (request, response) => {
      const path = request.url ?? '';
      if (path.startsWith('/.well-known/jwks.json')) {
        origin.keyRequests.push(path);
        const keys = [...published].map(([kid, publicKey]) => ({
          ...publicKey.export({ format: 'jwk' }),
          kid,
          alg: 'ES256',
          use: 'sig',
        }));
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ issuer: origin.issuer, keys: [...origin.otherKeys, ...keys] }));
        return;
      }
      origin.blobRequests.push(request);
      const digest = /\/blobs\/([^?]+)/.exec(path)?.[1] as Digest;
      const bytes = origin.blobs.get(digest);
      if (bytes === undefined) response.writeHead(404).end();
      else origin.answer(request, response, bytes);
    });
  let server = create();
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const origin: FakeOrigin = {
    url: `https://127.0.0.1:${port}`,
    ca: ca as string,
    issuer: 'https://registry.example',
    blobRequests: [],
    otherKeys: [],
    keyRequests: [],
    blobs: new Map(),
    answer: answerWell,
    signingKey: newKey(),
    rotate: () => {
      origin.signingKey = newKey();
    },
    withdraw: (keyId) => void published.delete(keyId),
    add: (bytes) => {
      const digest = digestOf(bytes);
      origin.blobs.set(digest, bytes);
      return digest;
    },
    token: (digest, changes = {}) =>
      signBlobUrl(
        origin.signingKey,
        {
          issuer: changes.issuer ?? origin.issuer,
          subject: 'alice',
          repository: (changes.repository ?? repository) as RepositoryName,
          digest,
          cache: 'cache-1',
        },
        { lifetimeSeconds: changes.lifetimeSeconds ?? 600, now: changes.now ?? Date.now() },
      ),
    signedPath: (digest, changes) => blobUrl('', repository, digest, origin.token(digest, changes)),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    start: async () => {
      server = create();
      await listen(server, { host: '127.0.0.1', port });
    },
  };
  after(() => origin.stop());
  return origin;
}

/** As an origin answers: whole, or the range asked for. */
export function answerWell(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const range = parseByteRange(request.headers.range, bytes.byteLength);
  if (range === undefined || range === 'unsatisfiable') {
    response.writeHead(200, { 'Content-Length': bytes.byteLength });
    response.end(request.method === 'HEAD' ? undefined : bytes);
    return;
  }
  response.writeHead(206, {
    'Content-Length': range.end - range.start + 1,
    'Content-Range': `bytes ${range.start}-${range.end}/${bytes.byteLength}`,
  });
  response.end(bytes.subarray(range.start, range.end + 1));
}

/** A token with any header and claims, signed by anything: for those that must be refused. */
export function anyToken(
  header: Record<string, unknown>,
  claims: Record<string, unknown>,
  key: string | KeyObject,
): string {
  return jsonwebtoken.sign(claims, key, {
    algorithm: header.alg as jsonwebtoken.Algorithm,
    header: header as unknown as jsonwebtoken.JwtHeader,
    allowInvalidAsymmetricKeyTypes: true,
  });
}
