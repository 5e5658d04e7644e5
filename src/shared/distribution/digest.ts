/** Digests: `<algorithm>:<hex>` (OCI image spec, descriptor.md#digests). */
import { createHash, type Hash } from 'node:crypto';
import { DomainError } from '../errors.ts';

/** A digest in canonical form: a registered algorithm and lower-case hex of exactly its length. */
export type Digest = string & { readonly __brand: 'Digest' };
export type DigestAlgorithm = 'sha256' | 'sha512';

const grammar = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && grammar.test(text);
}

/** @throws DomainError `digest-invalid` */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new DomainError('digest-invalid', 'a digest is sha256:<64 hex digits> or sha512:<128 hex digits>', {
    detail: { digest: text.slice(0, 150) },
  });
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** A running hash whose result is a digest. */
export function createDigester(algorithm: DigestAlgorithm): {
  update(chunk: Uint8Array): void;
  digest(): Digest;
} {
  const hash: Hash = createHash(algorithm);
  return {
    update: (chunk) => void hash.update(chunk),
    digest: () => `${algorithm}:${hash.digest('hex')}` as Digest,
  };
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  const digester = createDigester(algorithm);
  digester.update(bytes);
  return digester.digest();
}
