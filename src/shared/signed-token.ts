/**
 * What every token has in common that an origin signs and a content cache verifies: a JWT, ES256, of a type and for an audience
 * of its own, so that none of them opens what another opens. Which there are, say blob-url.ts and cache-command.ts.
 */
import type { KeyObject } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import type { Clock } from './clock.ts';
import { DomainError } from './errors.ts';
import { type SigningKey, signJsonWebToken } from './json-web-token.ts';

/** Clocks of origin and cache may differ by this much. */
const clockToleranceSeconds = 60;

/** One kind of token. */
export interface TokenKind {
  /** The header's `typ`. */
  readonly type: string;
  readonly audience: string;
  /** The longest lifetime that a verifier accepts; the signer chooses within it. */
  readonly maximumLifetimeSeconds: number;
  /** In messages: `the <name> is refused: …`. */
  readonly name: string;
}

/**
 * Finds the public key for a key id of an issuer. The issuer is one that the verifier trusts, or the finder throws.
 * @throws DomainError `signature-invalid` for an unknown issuer or key
 */
export type FindVerificationKey = (issuer: string, keyId: string) => Promise<KeyObject>;

/** What a verified token claims, beside what its kind adds. */
export interface VerifiedClaims {
  readonly iss: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
  readonly [claim: string]: unknown;
}

/** `claims`: what the kind adds to issuer, audience and times. `now` in ms. */
export function signToken(
  kind: TokenKind,
  key: SigningKey,
  claims: Readonly<Record<string, string>> & { readonly iss: string },
  options: { lifetimeSeconds: number; now: number },
): string {
  const issuedAt = Math.floor(options.now / 1000);
  const expiresAt = issuedAt + options.lifetimeSeconds;
  return signJsonWebToken(kind.type, key, { ...claims, aud: kind.audience, iat: issuedAt, exp: expiresAt });
}

/**
 * Verifies the type, the signature and the times. What the kind adds, the caller checks.
 * @throws DomainError `signature-invalid`, whose message says what is wrong in words for an operator
 */
export async function verifyToken(
  kind: TokenKind,
  token: string,
  options: { findKey: FindVerificationKey; clock: Clock },
): Promise<VerifiedClaims> {
  const { header, payload } = decode(kind, token);
  if (header.alg !== 'ES256' || header.typ !== kind.type || 'crit' in header) {
    throw refusedToken(kind, `it is not of the type ${kind.type}`);
  }
  if (typeof header.kid !== 'string' || typeof payload.iss !== 'string') {
    throw refusedToken(kind, 'it names no key or no issuer');
  }
  const key = await options.findKey(payload.iss, header.kid);
  const nowSeconds = Math.floor(options.clock() / 1000);
  try {
    jsonwebtoken.verify(token, key, {
      algorithms: ['ES256'],
      issuer: payload.iss,
      audience: kind.audience,
      clockTimestamp: nowSeconds,
      clockTolerance: clockToleranceSeconds,
    });
  } catch (cause) {
    if (cause instanceof jsonwebtoken.TokenExpiredError) {
      const agoSeconds = nowSeconds - Math.floor(cause.expiredAt.getTime() / 1000);
      throw refusedToken(
        kind,
        `it expired ${agoSeconds} s ago; if it was just issued, the clocks differ`,
        cause,
      );
    }
    throw refusedToken(kind, 'its signature or its claims are wrong', cause);
  }
  return timelyClaims(kind, payload, nowSeconds);
}

/** Why a token is refused; `reason` is for an operator. */
export function refusedToken(kind: TokenKind, reason: string, cause?: unknown): DomainError {
  return new DomainError('signature-invalid', `the ${kind.name} is refused: ${reason}`, { cause });
}

function decode(
  kind: TokenKind,
  token: string,
): { header: Record<string, unknown>; payload: Record<string, unknown> } {
  const decoded = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
    ? jsonwebtoken.decode(token, { complete: true })
    : null;
  if (decoded === null || typeof decoded.payload !== 'object') {
    throw refusedToken(kind, 'it is not a JSON Web Token');
  }
  return {
    header: decoded.header as unknown as Record<string, unknown>,
    payload: decoded.payload as Record<string, unknown>,
  };
}

/** The library lets a token pass that has no end, or was issued in the future. */
function timelyClaims(kind: TokenKind, payload: Record<string, unknown>, nowSeconds: number): VerifiedClaims {
  const { iss, iat, exp } = payload;
  if (typeof iss !== 'string' || typeof iat !== 'number' || typeof exp !== 'number') {
    throw refusedToken(kind, 'a claim is missing');
  }
  if (iat > nowSeconds + clockToleranceSeconds) {
    throw refusedToken(kind, `it was issued ${iat - nowSeconds} s in the future: the clocks differ`);
  }
  if (exp - iat > kind.maximumLifetimeSeconds) {
    throw refusedToken(kind, `it is valid for more than ${kind.maximumLifetimeSeconds} s`);
  }
  return { ...payload, iss, iat, exp };
}
