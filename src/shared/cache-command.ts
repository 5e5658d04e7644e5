/**
 * Commands: what an origin asks a content cache, or tells it to do, by its signature alone.
 *
 * A JWT (ES256, `typ: cache-command+jwt`) as `Authorization: Bearer`, good for a minute, for one command at one registered
 * cache with exactly one body. It opens no blob, and a signed URL is no command. Within that minute it may be sent again: each
 * command does the same when it is given twice.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { SigningKey } from './json-web-token.ts';
import {
  type FindVerificationKey,
  refusedToken,
  signToken,
  type TokenKind,
  type VerifiedClaims,
  verifyToken,
} from './signed-token.ts';

const kind: TokenKind = {
  type: 'cache-command+jwt',
  audience: 'content-cache-command',
  maximumLifetimeSeconds: 60,
  name: 'command',
};

/** Where each command is, at the cache. `status` is asked by GET, the others by POST with a JSON body. */
export const cacheCommandPaths = {
  status: '/.well-known/dtr-content-cache/status',
  deliveries: '/.well-known/dtr-content-cache/deliveries',
  purge: '/.well-known/dtr-content-cache/purge',
  prefetch: '/.well-known/dtr-content-cache/prefetch',
  stored: '/.well-known/dtr-content-cache/stored',
} as const;
export type CacheCommand = keyof typeof cacheCommandPaths;

export interface CacheCommandClaims {
  /** The origin's external URL. */
  readonly issuer: string;
  /** The id of the registered cache. */
  readonly cache: string;
  /** The registered address of the cache, `scheme://host[:port]`. */
  readonly host: string;
  readonly command: CacheCommand;
  /** The token's own id, for logs. */
  readonly id: string;
}

/** The token for one command; `body`: the very bytes that are sent, nothing for `status`. `now` in ms. */
export function signCacheCommand(
  key: SigningKey,
  claims: Omit<CacheCommandClaims, 'id'> & { readonly body?: Uint8Array | string },
  options: { now: number },
): string {
  const { issuer, cache, host, command, body = '' } = claims;
  return signToken(
    kind,
    key,
    { iss: issuer, cache, host, command, body: hashOf(body), jti: randomUUID() },
    { lifetimeSeconds: kind.maximumLifetimeSeconds, now: options.now },
  );
}

/**
 * Verifies a token and gives the body that it is for. The body is read last: who has no command is not listened to.
 * @param wanted.host `scheme://host[:port]` when the cache knows its own address
 * @throws DomainError `signature-invalid`, whose message says what is wrong in words for an operator; whatever `readBody` throws
 */
export async function verifyCacheCommand<Body extends Uint8Array | string>(
  token: string,
  wanted: {
    command: CacheCommand;
    host?: string | undefined;
    readBody: () => Promise<Body>;
  },
  options: { findKey: FindVerificationKey; clock: Clock },
): Promise<{ claims: CacheCommandClaims; body: Body }> {
  const { bodyHash, ...claims } = claimsOf(await verifyToken(kind, token, options));
  if (claims.command !== wanted.command) throw refusedToken(kind, `it is for ${claims.command}`);
  if (wanted.host !== undefined && claims.host !== wanted.host) {
    throw refusedToken(
      kind,
      `it is for the cache ${claims.host}, and this one is ${wanted.host} (http.host)`,
    );
  }
  const body = await wanted.readBody();
  if (hashOf(body) !== bodyHash) throw refusedToken(kind, 'it is for another body');
  return { claims, body };
}

function hashOf(body: Uint8Array | string): string {
  return createHash('sha256').update(body).digest('hex');
}

function claimsOf(claims: VerifiedClaims): CacheCommandClaims & { readonly bodyHash: string } {
  const { iss, cache, host, command, body, jti } = claims;
  if (
    typeof cache !== 'string' ||
    typeof host !== 'string' ||
    typeof body !== 'string' ||
    typeof jti !== 'string' ||
    !isCacheCommand(command)
  ) {
    throw refusedToken(kind, 'a claim is missing');
  }
  return { issuer: iss, cache, host, command, id: jti, bodyHash: body };
}

function isCacheCommand(text: unknown): text is CacheCommand {
  return typeof text === 'string' && Object.hasOwn(cacheCommandPaths, text);
}
