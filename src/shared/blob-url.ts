/**
 * The signed URL of a blob: the one contract that origin and cache must agree on.
 *
 * A JWT (ES256, `typ: blob-url+jwt`) in the query parameter `token`. It opens exactly one blob of one repository by
 * GET or HEAD, at any cache of the origin that signed it and at that origin itself, until it expires.
 */
import type { KeyObject } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import type { Clock } from './clock.ts';
import { type Digest, isDigest } from './distribution/digest.ts';
import { isRepositoryName, type RepositoryName } from './distribution/repository-name.ts';
import { DomainError } from './errors.ts';

const tokenType = 'blob-url+jwt';
const audience = 'content-cache';
/** Clocks of origin and cache may differ by this much. */
const clockToleranceSeconds = 60;
/** The longest lifetime that a verifier accepts; the signer chooses within it. */
const maximumLifetimeSeconds = 600;

export interface BlobUrlClaims {
  /** The origin's external URL. */
  readonly issuer: string;
  /** The account's name, or empty for an anonymous pull. */
  readonly subject: string;
  readonly repository: RepositoryName;
  readonly digest: Digest;
  /** The id of the content cache that was chosen. */
  readonly cache: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

/** The token for a blob; `now` in ms. */
export function signBlobUrl(
  key: SigningKey,
  claims: Omit<BlobUrlClaims, 'expiresAt'>,
  options: { lifetimeSeconds: number; now: number },
): string {
  const issuedAt = Math.floor(options.now / 1000);
  return jsonwebtoken.sign(
    {
      iss: claims.issuer,
      aud: audience,
      sub: claims.subject,
      iat: issuedAt,
      exp: issuedAt + options.lifetimeSeconds,
      repository: claims.repository,
      digest: claims.digest,
      cache: claims.cache,
    },
    key.privateKey,
    { algorithm: 'ES256', header: { alg: 'ES256', typ: tokenType, kid: key.keyId } },
  );
}

/** `<host>/v2/<name>/blobs/<digest>?token=…`; `host` is `scheme://host[:port]`. */
export function blobUrl(host: string, repository: RepositoryName, digest: Digest, token: string): string {
  return `${host}/v2/${repository}/blobs/${digest}?token=${token}`;
}

/**
 * Finds the public key for a key id of an issuer. The issuer is one that the verifier trusts, or the finder throws.
 * @throws DomainError `signature-invalid` for an unknown issuer or key
 */
export type FindVerificationKey = (issuer: string, keyId: string) => Promise<KeyObject>;

/**
 * Verifies a token and that it is for this blob of this repository.
 * @throws DomainError `signature-invalid`, whose message says what is wrong in words for an operator
 */
export async function verifyBlobUrl(
  token: string,
  wanted: { repository: RepositoryName; digest: Digest },
  options: { findKey: FindVerificationKey; clock: Clock },
): Promise<BlobUrlClaims> {
  const claims = await verifyBlobUrlToken(token, options);
  assertOpens(claims, wanted);
  return claims;
}

/** Verifies everything of a token but what it is for: what may be remembered until it expires. */
export async function verifyBlobUrlToken(
  token: string,
  options: { findKey: FindVerificationKey; clock: Clock },
): Promise<BlobUrlClaims> {
  const decoded = decode(token);
  const { header, payload } = decoded;
  if (header.alg !== 'ES256' || header.typ !== tokenType || 'crit' in header) {
    throw invalid('it is not a blob URL token');
  }
  if (typeof header.kid !== 'string' || typeof payload.iss !== 'string') {
    throw invalid('it names no key or no issuer');
  }
  const key = await options.findKey(payload.iss, header.kid);
  const nowSeconds = Math.floor(options.clock() / 1000);
  try {
    jsonwebtoken.verify(token, key, {
      algorithms: ['ES256'],
      issuer: payload.iss,
      audience,
      clockTimestamp: nowSeconds,
      clockTolerance: clockToleranceSeconds,
    });
  } catch (cause) {
    if (cause instanceof jsonwebtoken.TokenExpiredError) {
      const agoSeconds = nowSeconds - Math.floor(cause.expiredAt.getTime() / 1000);
      throw invalid(`it expired ${agoSeconds} s ago; if it was just issued, the clocks differ`, cause);
    }
    throw invalid('its signature or its claims are wrong', cause);
  }
  return claimsOf(payload, nowSeconds);
}

/** @throws DomainError `signature-invalid` when the claims are for another blob */
export function assertOpens(
  claims: BlobUrlClaims,
  wanted: { repository: RepositoryName; digest: Digest },
): void {
  if (claims.repository !== wanted.repository) throw invalid('it is for another repository');
  if (claims.digest !== wanted.digest) throw invalid('it is for another blob');
}

function decode(token: string): { header: Record<string, unknown>; payload: Record<string, unknown> } {
  const decoded = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
    ? jsonwebtoken.decode(token, { complete: true })
    : null;
  if (decoded === null || typeof decoded.payload !== 'object') throw invalid('it is not a JSON Web Token');
  return {
    header: decoded.header as unknown as Record<string, unknown>,
    payload: decoded.payload as Record<string, unknown>,
  };
}

function claimsOf(payload: Record<string, unknown>, nowSeconds: number): BlobUrlClaims {
  const { iss, sub, iat, exp, repository, digest, cache } = payload;
  if (
    typeof iss !== 'string' ||
    typeof sub !== 'string' ||
    typeof cache !== 'string' ||
    typeof iat !== 'number' ||
    typeof exp !== 'number' ||
    !isRepositoryName(repository) ||
    !isDigest(digest)
  ) {
    throw invalid('a claim is missing');
  }
  if (iat > nowSeconds + clockToleranceSeconds) {
    throw invalid(`it was issued ${iat - nowSeconds} s in the future: the clocks differ`);
  }
  if (exp - iat > maximumLifetimeSeconds)
    throw invalid(`it is valid for more than ${maximumLifetimeSeconds} s`);
  return { issuer: iss, subject: sub, repository, digest, cache, expiresAt: exp };
}

function invalid(reason: string, cause?: unknown): DomainError {
  return new DomainError('signature-invalid', `the signed URL is refused: ${reason}`, { cause });
}
