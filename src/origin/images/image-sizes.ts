/** How large images are: what their blobs in the store take, each counted once. */
import type { Digest } from '../../shared/distribution/digest.ts';
import type { Query, Queryable } from '../database.ts';

/** Databases bound the number of parameters of one statement. */
const portionSize = 500;

/** In bytes, by the digest of the manifest; an index lists no blobs, so it has none. */
export async function findImageSizes(
  queries: Queryable,
  repositoryId: string,
  digests: readonly Digest[],
): Promise<Map<Digest, number>> {
  return collect(digests, (portion) =>
    queries('manifest_references')
      .join('blobs', 'blobs.digest', 'manifest_references.digest')
      .where('manifest_references.repository_id', repositoryId)
      .whereIn('manifest_references.manifest_digest', portion)
      .where('manifest_references.kind', 'blob')
      .groupBy('manifest_references.manifest_digest')
      .select('manifest_references.manifest_digest as digest')
      .sum({ size: 'blobs.size_bytes' }),
  );
}

/** In bytes, by the digest of the index: the blobs of those of its images that are here. */
export async function findIndexSizes(
  queries: Queryable,
  repositoryId: string,
  digests: readonly Digest[],
): Promise<Map<Digest, number>> {
  return collect(digests, (portion) => {
    // Its images share blobs.
    const blobs = queries('manifest_references as listings')
      .join('manifest_references', (on) =>
        on
          .on('manifest_references.repository_id', 'listings.repository_id')
          .on('manifest_references.manifest_digest', 'listings.digest'),
      )
      .join('blobs', 'blobs.digest', 'manifest_references.digest')
      .where('listings.repository_id', repositoryId)
      .whereIn('listings.manifest_digest', portion)
      .where('listings.kind', 'manifest')
      .where('manifest_references.kind', 'blob')
      .distinct('listings.manifest_digest', 'blobs.digest', 'blobs.size_bytes')
      .as('contents');
    return queries
      .from(blobs)
      .groupBy('contents.manifest_digest')
      .select('contents.manifest_digest as digest')
      .sum({ size: 'contents.size_bytes' });
  });
}

async function collect(
  digests: readonly Digest[],
  query: (portion: readonly Digest[]) => Query,
): Promise<Map<Digest, number>> {
  const sizes = new Map<Digest, number>();
  for (let start = 0; start < digests.length; start += portionSize) {
    const rows = await query(digests.slice(start, start + portionSize));
    for (const { digest, size } of rows) sizes.set(digest, Number(size));
  }
  return sizes;
}
