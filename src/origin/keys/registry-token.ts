/** Registry tokens: what `/auth/token` grants and `/v2/` accepts (Docker token spec, "JWT"). ES256, short-lived. */
import { randomUUID } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import type { Clock } from '../../shared/clock.ts';
import { signJsonWebToken } from '../../shared/json-web-token.ts';
import type { SigningKeys } from './signing-keys.ts';

const tokenType = 'JWT';
const clockToleranceSeconds = 60;
const maximumRemembered = 10_000;
/** Within the signature, so that no two tokens have it in common. */
const endLength = 32;

/** One entry of the `access` claim. */
export interface GrantedAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
  /** The repository that had the name then; absent when there was none. One made later under the name is another. */
  readonly repositoryId?: string;
}

export interface RegistryTokenClaims {
  /** The token's own. Clients get a token for each pull, and show it for each of its blobs. */
  readonly id: string;
  /** The account's name, empty for an anonymous token. */
  readonly subject: string;
  readonly access: readonly GrantedAccess[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export class RegistryTokens {
  readonly #keys: SigningKeys;
  readonly #issuer: string;
  readonly #service: string;
  readonly #clock: Clock;
  /** Verified tokens until they expire, by their ends: a pull shows the same one for every blob, and the whole is long. */
  readonly #verified = new Map<string, { readonly token: string; readonly claims: RegistryTokenClaims }>();
  readonly lifetimeSeconds: number;

  constructor(options: {
    keys: SigningKeys;
    issuer: string;
    service: string;
    lifetimeSeconds: number;
    clock: Clock;
  }) {
    this.#keys = options.keys;
    this.#issuer = options.issuer;
    this.#service = options.service;
    this.#clock = options.clock;
    this.lifetimeSeconds = options.lifetimeSeconds;
  }

  sign(subject: string, access: readonly GrantedAccess[]): { token: string; issuedAt: number } {
    const issuedAt = Math.floor(this.#clock() / 1000);
    const token = signJsonWebToken(tokenType, this.#keys.current(), {
      iss: this.#issuer,
      sub: subject,
      aud: this.#service,
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + this.lifetimeSeconds,
      jti: randomUUID(),
      access,
    });
    return { token, issuedAt };
  }

  /** The claims, or `undefined` for anything that is not a live token of this service. */
  verify(token: string): RegistryTokenClaims | undefined {
    const nowSeconds = Math.floor(this.#clock() / 1000);
    const end = token.slice(-endLength);
    const remembered = this.#verified.get(end);
    if (remembered?.token === token) {
      const { claims } = remembered;
      if (claims.expiresAt + clockToleranceSeconds > nowSeconds) return claims;
      this.#verified.delete(end);
      return undefined;
    }
    const claims = this.#check(token, nowSeconds);
    if (claims === undefined) return undefined;
    if (this.#verified.size >= maximumRemembered) this.#verified.clear();
    this.#verified.set(end, { token, claims });
    return claims;
  }

  #check(token: string, nowSeconds: number): RegistryTokenClaims | undefined {
    try {
      const decoded = jsonwebtoken.decode(token, { complete: true });
      const { typ, kid, alg } = decoded?.header ?? {};
      if (typ !== tokenType || alg !== 'ES256' || kid === undefined) return undefined;
      const key = this.#keys.find(kid);
      if (key === undefined) return undefined;
      const payload = jsonwebtoken.verify(token, key, {
        algorithms: ['ES256'],
        issuer: this.#issuer,
        audience: this.#service,
        clockTimestamp: nowSeconds,
        clockTolerance: clockToleranceSeconds,
      });
      if (typeof payload === 'string') return undefined;
      const { jti, sub, iat, exp, access } = payload;
      if (
        typeof jti !== 'string' ||
        typeof sub !== 'string' ||
        typeof iat !== 'number' ||
        typeof exp !== 'number'
      )
        return undefined;
      if (exp - iat > this.lifetimeSeconds || !Array.isArray(access)) return undefined;
      return { id: jti, subject: sub, access, expiresAt: exp };
    } catch (error) {
      if (error instanceof jsonwebtoken.JsonWebTokenError || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}
