/**
 * The origin's signing keys (ES256), shared by every origin on the database. The newest one that all have had time to hear of
 * signs; one that was replaced goes on verifying until nothing that it signed is alive. Public halves are published as a
 * JSON Web Key Set (RFC 7517).
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { Clock } from '../../shared/clock.ts';
import type { SigningKey } from '../../shared/json-web-token.ts';
import type { Database, Queryable, Transaction } from '../database.ts';

export interface PublicKeySet {
  /** The origin's external URL, as in the `iss` of what it signs. */
  readonly issuer: string;
  readonly keys: readonly Record<string, unknown>[];
}

/** A new key is published for so long before it signs: caches keep key sets for a minute, origins look every few seconds. */
export const announcedMs = 120_000;
/** A key that another one replaced verifies for so much longer; nothing that is signed lives for more than ten minutes. */
const retiredMs = 3_600_000;

interface LoadedKey extends SigningKey {
  readonly publicKey: KeyObject;
  readonly createdAt: number;
}

export class SigningKeys {
  readonly #database: Database;
  readonly #clock: Clock;
  /** The newest first. */
  #keys: readonly LoadedKey[];

  private constructor(database: Database, clock: Clock, keys: readonly LoadedKey[]) {
    this.#database = database;
    this.#clock = clock;
    this.#keys = keys;
  }

  /** Reads the keys from the database, making the first one when there is none. */
  static async load(database: Database, clock: Clock): Promise<SigningKeys> {
    const keys = await database.transaction(async (tx) => {
      const found = await readKeys(tx, []);
      if (found.length > 0) return found;
      await addSigningKey(tx, clock());
      return readKeys(tx, []);
    });
    return new SigningKeys(database, clock, keys);
  }

  /** Takes notice of keys that were added or removed since. */
  async refresh(): Promise<void> {
    this.#keys = await readKeys(this.#database.queries, this.#keys);
  }

  /** The key that signs: the newest that has been published for long enough, else the first one ever. */
  current(): SigningKey {
    return this.#live().signing;
  }

  /** The public key with that id, if what it signed may still be alive. */
  find(keyId: string): KeyObject | undefined {
    return this.#live().verifying.find((key) => key.keyId === keyId)?.publicKey;
  }

  publicKeySet(issuer: string): PublicKeySet {
    const keys = this.#live().verifying.map(({ keyId, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid: keyId,
      alg: 'ES256',
      use: 'sig',
    }));
    return { issuer, keys };
  }

  #live(): { signing: LoadedKey; verifying: readonly LoadedKey[] } {
    const now = this.#clock();
    const found = this.#keys.findIndex(({ createdAt }) => createdAt <= now - announcedMs);
    const at = found < 0 ? this.#keys.length - 1 : found;
    const verifying = this.#keys.filter((_key, index) => {
      // Newer than the one that signs, or that one, or replaced by the next newer one not so long ago.
      if (index <= at) return true;
      const replacedAt = (this.#keys[index - 1] as LoadedKey).createdAt + announcedMs;
      return now < replacedAt + retiredMs;
    });
    return { signing: this.#keys[at] as LoadedKey, verifying };
  }
}

/** A new key, which signs once it has been published for `announcedMs`. Its id. */
export async function addSigningKey(tx: Transaction, now: number): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  // RFC 7638: the required members in lexicographic order.
  const id = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  await tx('signing_keys').insert({ id, private_key: pem, created_at: now });
  return id;
}

/** The newest first. What is known already is not parsed again. */
async function readKeys(queries: Queryable, known: readonly LoadedKey[]): Promise<LoadedKey[]> {
  const rows: { id: string; private_key: string; created_at: number | string }[] = await queries(
    'signing_keys',
  )
    .orderBy([
      { column: 'signing_keys.created_at', order: 'desc' },
      { column: 'signing_keys.id', order: 'desc' },
    ])
    .select('signing_keys.id', 'signing_keys.private_key', 'signing_keys.created_at');
  return rows.map((row) => {
    const loaded = known.find(({ keyId }) => keyId === row.id);
    if (loaded !== undefined) return loaded;
    const privateKey = parsePrivateKey(row.id, row.private_key);
    const publicKey = createPublicKey(privateKey);
    return { keyId: row.id, privateKey, publicKey, createdAt: Number(row.created_at) };
  });
}

/** @throws an error whose message is one line for the admin: with a weak key nothing that is signed could be trusted */
function parsePrivateKey(id: string, pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Told below.
  }
  if (key?.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw new Error(
    `the signing key ${id} in the database is not a P-256 key: restore the database from a backup`,
  );
}
