/** Passwords: argon2id with OWASP's minimum settings (about 11 ms and 19 MiB each). */
import { hash, verify } from '@node-rs/argon2';
import { DomainError } from '../../shared/errors.ts';

// 2 is Argon2id: the package declares it as a const enum, which type stripping cannot read.
const settings = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const minimumPasswordBytes = 8;
const maximumPasswordBytes = 1024;
/** Hashing takes a thread and memory: more at once would starve pulls. */
const concurrentHashes = 4;

/** Who counts failures: asked when a password's turn has come, and told before the next one's. */
export interface Gate {
  /** May throw: then the password is not looked at. */
  admit(): Promise<void>;
  failed(): Promise<void>;
}

const open: Gate = { admit: async () => {}, failed: async () => {} };

export class Passwords {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** Verified when there is no such user, so that the time taken tells nothing. */
  #decoy: Promise<string> | undefined;

  /** @throws DomainError `input-invalid` naming the field when it is too short or too long */
  async hash(password: string, field = 'password'): Promise<string> {
    const sizeBytes = Buffer.byteLength(password);
    if (sizeBytes < minimumPasswordBytes || sizeBytes > maximumPasswordBytes) {
      throw new DomainError(
        'input-invalid',
        `${field}: ${minimumPasswordBytes} to ${maximumPasswordBytes} bytes expected`,
        { detail: { field } },
      );
    }
    return this.#limited(() => hash(password, settings));
  }

  /** Without a stored hash it takes as long, and is false. */
  async verify(password: string, storedHash: string | undefined, gate: Gate = open): Promise<boolean> {
    this.#decoy ??= this.#limited(() => hash('decoy-password', settings));
    const against = storedHash ?? (await this.#decoy);
    return this.#limited(async () => {
      await gate.admit();
      const fits = Buffer.byteLength(password) <= maximumPasswordBytes;
      const right = fits && (await verify(against, password)) && storedHash !== undefined;
      if (!right) await gate.failed();
      return right;
    });
  }

  async #limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= concurrentHashes) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // The place goes to who waits longest, or becomes free.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
