/** Which repository may read which blob. A blob is stored once, however many repositories link it. */
import type { Digest } from '../../shared/distribution/digest.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import type { Database, PreparedRow, Queryable, Transaction } from '../database.ts';
import type { Repository } from './repositories.ts';

/** Makes a stored blob readable in a repository. Linking twice is no error. */
export async function linkBlob(
  tx: Transaction,
  blob: { repositoryId: string; digest: Digest; sizeBytes: number },
  now: number,
): Promise<void> {
  await tx('blobs')
    .insert({ digest: blob.digest, size_bytes: blob.sizeBytes, created_at: now })
    .onConflict('digest')
    .ignore();
  await tx('repository_blobs')
    .insert({ repository_id: blob.repositoryId, digest: blob.digest, created_at: now })
    .onConflict(['repository_id', 'digest'])
    .ignore();
}

/** True if there was such a link. */
export async function unlinkBlob(queries: Queryable, repositoryId: string, digest: Digest): Promise<boolean> {
  const deleted = await queries('repository_blobs').where({ repository_id: repositoryId, digest }).delete();
  return deleted > 0;
}

/** More repositories than this sharing a blob add nothing to the question whether a caller may read one of them. */
const maximumSources = 1000;

/** The repositories that link the blob: the one named, or all of them. */
export async function listRepositoriesOfBlob(
  queries: Queryable,
  digest: Digest,
  name: string | undefined,
): Promise<Pick<Repository, 'name' | 'visibility'>[]> {
  const query = queries('repository_blobs')
    .join('repositories', 'repositories.id', 'repository_blobs.repository_id')
    .where('repository_blobs.digest', digest)
    .select('repositories.name', 'repositories.visibility')
    .limit(maximumSources);
  if (name !== undefined) query.where('repositories.name', name);
  return query;
}

/** The sizes in bytes of those of the digests that the repository links. */
export async function findLinkedSizes(
  queries: Queryable,
  repositoryId: string,
  digests: readonly Digest[],
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  // In portions: databases bound the number of parameters of one statement.
  for (let start = 0; start < digests.length; start += 500) {
    const rows = await queries('repository_blobs')
      .join('blobs', 'blobs.digest', 'repository_blobs.digest')
      .where('repository_blobs.repository_id', repositoryId)
      .whereIn('repository_blobs.digest', digests.slice(start, start + 500))
      .select('blobs.digest', 'blobs.size_bytes');
    for (const row of rows) sizes.set(row.digest, Number(row.size_bytes));
  }
  return sizes;
}

export type FindLinkedBlob = (
  repository: RepositoryName,
  digest: Digest,
) => Promise<{ sizeBytes: number } | undefined>;

/** Compiles the question that every blob request asks. */
export function prepareFindLinkedBlob(database: Database): FindLinkedBlob {
  const find: PreparedRow<{ sizeBytes: number }> = database.prepare((queries) =>
    queries('repositories')
      .join('repository_blobs', 'repository_blobs.repository_id', 'repositories.id')
      .join('blobs', 'blobs.digest', 'repository_blobs.digest')
      .where('repositories.name', ':1')
      .where('repository_blobs.digest', ':2')
      .select('blobs.size_bytes as sizeBytes'),
  );
  return find;
}
