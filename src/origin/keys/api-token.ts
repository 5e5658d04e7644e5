/**
 * Tokens for the management API: what a plain `curl -u user https://<dtr>/auth/token` (no service, no scope) gives.
 * Of a type of their own, so that the registry refuses them and the API refuses registry tokens.
 */
import jsonwebtoken from 'jsonwebtoken';
import type { Clock } from '../../shared/clock.ts';
import { signJsonWebToken } from '../../shared/json-web-token.ts';
import type { SigningKeys } from './signing-keys.ts';

const tokenType = 'api+jwt';
const audience = 'api';

export interface ApiTokenClaims {
  /** The name of the account that it was given to. */
  readonly subject: string;
  /** What was shown for it: it is good for as long as that is. */
  readonly credential: string;
}

export class ApiTokens {
  readonly #keys: SigningKeys;
  readonly #issuer: string;
  readonly #clock: Clock;
  readonly lifetimeSeconds: number;

  constructor(options: { keys: SigningKeys; issuer: string; lifetimeSeconds: number; clock: Clock }) {
    this.#keys = options.keys;
    this.#issuer = options.issuer;
    this.#clock = options.clock;
    this.lifetimeSeconds = options.lifetimeSeconds;
  }

  sign({ subject, credential }: ApiTokenClaims): { token: string; issuedAt: number } {
    const issuedAt = Math.floor(this.#clock() / 1000);
    const token = signJsonWebToken(tokenType, this.#keys.current(), {
      iss: this.#issuer,
      sub: subject,
      aud: audience,
      iat: issuedAt,
      exp: issuedAt + this.lifetimeSeconds,
      credential,
    });
    return { token, issuedAt };
  }

  /** The claims, or `undefined` for anything that is not a live token of this origin's API. */
  verify(token: string): ApiTokenClaims | undefined {
    try {
      const header = jsonwebtoken.decode(token, { complete: true })?.header;
      const key = header?.kid === undefined ? undefined : this.#keys.find(header.kid);
      if (header?.typ !== tokenType || key === undefined) return undefined;
      const payload = jsonwebtoken.verify(token, key, {
        algorithms: ['ES256'],
        issuer: this.#issuer,
        audience,
        clockTimestamp: Math.floor(this.#clock() / 1000),
      });
      if (typeof payload === 'string') return undefined;
      const { sub, credential } = payload;
      if (typeof sub !== 'string' || typeof credential !== 'string') return undefined;
      return { subject: sub, credential };
    } catch (error) {
      if (error instanceof jsonwebtoken.JsonWebTokenError || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}
