/** A whole blob on its way to one client without being stored: its last piece waits for the digest. */
import type { BlobPieces } from '../shared/blob-store/blob-store.ts';
import type { createDigester, Digest } from '../shared/distribution/digest.ts';
import { DomainError } from '../shared/errors.ts';

/**
 * Gives `pieces` on; `digester` has seen what went before them.
 * @throws DomainError `upstream-unavailable` instead of the last piece when the whole does not have the digest
 */
export async function* verifiedPieces(
  pieces: AsyncIterable<Uint8Array>,
  digest: Digest,
  digester: ReturnType<typeof createDigester>,
): BlobPieces {
  let held: Uint8Array | undefined;
  for await (const piece of pieces) {
    if (held !== undefined) yield held;
    digester.update(piece);
    held = piece;
  }
  if (digester.digest() !== digest) {
    throw new DomainError(
      'upstream-unavailable',
      'the bytes of the upstream do not have the digest asked for',
    );
  }
  if (held !== undefined) yield held;
}
