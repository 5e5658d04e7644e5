/**
 * The signed URL of a blob: the one contract that origin and cache must agree on.
 *
 * A JWT (ES256, `typ: blob-url+jwt`) in the query parameter `token`. It opens exactly one blob of one repository by
 * GET or HEAD, at any cache of the origin that signed it and at that origin itself, until it expires. Beside it there may be
 * the parameter `request`, which opens nothing: by this id the origin asks the cache what became of the redirect.
 */
import type { Clock } from './clock.ts';
import { type Digest, isDigest } from './distribution/digest.ts';
import { isRepositoryName, type RepositoryName } from './distribution/repository-name.ts';
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
  type: 'blob-url+jwt',
  audience: 'content-cache',
  maximumLifetimeSeconds: 600,
  name: 'signed URL',
};

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

/** The token for a blob; `now` in ms. */
export function signBlobUrl(
  key: SigningKey,
  claims: Omit<BlobUrlClaims, 'expiresAt'>,
  options: { lifetimeSeconds: number; now: number },
): string {
  const { issuer, subject, repository, digest, cache } = claims;
  return signToken(kind, key, { iss: issuer, sub: subject, repository, digest, cache }, options);
}

/**
 * `<host>/v2/<name>/blobs/<digest>?token=…`; `host` is `scheme://host[:port]`.
 * @param requestId 1 to 32 of `A-Z a-z 0-9 _ -`: the id of this redirect, by which the cache can be asked what became of it
 */
export function blobUrl(
  host: string,
  repository: RepositoryName,
  digest: Digest,
  token: string,
  requestId?: string,
): string {
  const url = `${host}/v2/${repository}/blobs/${digest}?token=${token}`;
  return requestId === undefined ? url : `${url}&request=${requestId}`;
}

/**
 * The query of a signed URL, not decoded; `undefined` when it holds no token at all.
 * @throws DomainError `signature-invalid` when anything else is in it, or something twice
 */
export function parseBlobUrlQuery(
  query: string,
): { token: string; requestId: string | undefined } | undefined {
  const match = /^token=([\w-]+\.[\w-]+\.[\w-]+)(?:&request=([\w-]{1,32}))?$/.exec(query);
  if (match !== null) return { token: match[1] as string, requestId: match[2] };
  if (!/(?:^|&)token=/.test(query)) return undefined;
  throw refusedToken(kind, 'one token expected, and nothing beside it but the id of a request');
}

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
  return claimsOf(await verifyToken(kind, token, options));
}

/** @throws DomainError `signature-invalid` when the claims are for another blob */
export function assertOpens(
  claims: BlobUrlClaims,
  wanted: { repository: RepositoryName; digest: Digest },
): void {
  if (claims.repository !== wanted.repository) throw refusedToken(kind, 'it is for another repository');
  if (claims.digest !== wanted.digest) throw refusedToken(kind, 'it is for another blob');
}

function claimsOf({ iss, sub, exp, repository, digest, cache }: VerifiedClaims): BlobUrlClaims {
  if (
    typeof sub !== 'string' ||
    typeof cache !== 'string' ||
    !isRepositoryName(repository) ||
    !isDigest(digest)
  ) {
    throw refusedToken(kind, 'a claim is missing');
  }
  return { issuer: iss, subject: sub, repository, digest, cache, expiresAt: exp };
}
