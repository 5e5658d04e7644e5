/**
 * The origin's signing keys (ES256). The newest signs; every one of them verifies, so that tokens outlive a
 * rotation. Public halves are published as a JSON Web Key Set (RFC 7517).
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { SigningKey } from '../../shared/signed-token.ts';
import type { Database } from '../database.ts';

export interface PublicKeySet {
  /** The origin's external URL, as in the `iss` of what it signs. */
  readonly issuer: string;
  readonly keys: readonly Record<string, unknown>[];
}

export class SigningKeys {
  readonly #current: SigningKey;
  readonly #public: ReadonlyMap<string, KeyObject>;

  private constructor(current: SigningKey, verifying: ReadonlyMap<string, KeyObject>) {
    this.#current = current;
    this.#public = verifying;
  }

  /** Reads the keys from the database, making the first one when there is none. */
  static async load(database: Database, now: number): Promise<SigningKeys> {
    return database.transaction(async (tx) => {
      let rows: { id: string; private_key: string }[] = await tx('signing_keys')
        .select('signing_keys.id', 'signing_keys.private_key')
        .orderBy('signing_keys.created_at', 'desc');
      if (rows.length === 0) {
        const row = generate();
        await tx('signing_keys').insert({ ...row, created_at: now });
        rows = [row];
      }
      const privateKeys = rows.map((row) => ({
        keyId: row.id,
        privateKey: createPrivateKey(row.private_key),
      }));
      return new SigningKeys(
        privateKeys[0] as SigningKey,
        new Map(privateKeys.map(({ keyId, privateKey }) => [keyId, createPublicKey(privateKey)])),
      );
    });
  }

  /** The key that signs. */
  current(): SigningKey {
    return this.#current;
  }

  /** The public key with that id, or `undefined`. */
  find(keyId: string): KeyObject | undefined {
    return this.#public.get(keyId);
  }

  publicKeySet(issuer: string): PublicKeySet {
    const keys = [...this.#public].map(([kid, key]) => ({
      ...key.export({ format: 'jwk' }),
      kid,
      alg: 'ES256',
      use: 'sig',
    }));
    return { issuer, keys };
  }
}

function generate(): { id: string; private_key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  // RFC 7638: the required members in lexicographic order.
  const id = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  return { id, private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}
