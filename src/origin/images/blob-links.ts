/** Which repository may read which blob. A blob is stored once, however many repositories link it. */
import type { Digest } from '../../shared/distribution/digest.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, Queryable, Transaction } from '../database.ts';
import { type Repository, repositoryColumns } from './repositories.ts';

/** A use is written down again when it is this much newer: a client's questions should not become writes. */
export const useResolutionMs = 60_000;

interface LinkedBlob {
  readonly repositoryId: string;
  readonly digest: Digest;
}

/**
 * Announces that the blob is about to be published: from now on nobody removes it, for the grace period of garbage
 * collection. False while it is being removed, when publishing it would be in vain.
 */
export async function claimBlob(
  tx: Transaction,
  blob: { digest: Digest; sizeBytes: number },
  now: number,
): Promise<boolean> {
  const claimed = await tx('blobs')
    .insert({ digest: blob.digest, size_bytes: blob.sizeBytes, created_at: now, last_used_at: now })
    .onConflict('digest')
    .merge({ last_used_at: now })
    .whereNull('blobs.removing_at')
    .returning('digest');
  return claimed.length > 0;
}

/**
 * Makes a blob, claimed and published, readable in a repository. Linking twice is no error.
 * @throws DomainError `storage-failed` when the claim was not honoured: garbage collection without a grace period
 */
export async function linkBlob(
  tx: Transaction,
  blob: LinkedBlob & { sizeBytes: number },
  now: number,
): Promise<void> {
  const found = await tx('blobs')
    .where('blobs.digest', blob.digest)
    .whereNull('blobs.removing_at')
    .update({ size_bytes: blob.sizeBytes, last_used_at: now, damaged_at: null });
  if (found === 0) {
    throw new DomainError('storage-failed', 'the blob was collected while it was pushed: push it again');
  }
  await insertLink(tx, blob, now);
}

/** Makes a blob of another repository readable in this one. False when there is no such blob, or none for long. */
export async function mountBlob(tx: Transaction, blob: LinkedBlob, now: number): Promise<boolean> {
  const found = await tx('blobs')
    .where('blobs.digest', blob.digest)
    .whereNull('blobs.removing_at')
    .whereNull('blobs.damaged_at')
    .update({ last_used_at: now });
  if (found === 0) return false;
  await insertLink(tx, blob, now);
  return true;
}

async function insertLink(tx: Transaction, { repositoryId, digest }: LinkedBlob, now: number): Promise<void> {
  await tx('repository_blobs')
    .insert({ repository_id: repositoryId, digest, created_at: now, last_used_at: now })
    .onConflict(['repository_id', 'digest'])
    .merge({ last_used_at: now });
}

/**
 * Keeps the blobs from garbage collection for another grace period: a client was told that they are there, or a manifest
 * begins to name them. The number of them that are still linked and had not been used just now.
 */
export async function confirmBlobs(
  tx: Transaction,
  repositoryId: string,
  digests: readonly Digest[],
  now: number,
): Promise<number> {
  let confirmed = 0;
  for (const portion of portionsOf(digests)) {
    confirmed += await tx('repository_blobs')
      .where('repository_blobs.repository_id', repositoryId)
      .whereIn('repository_blobs.digest', portion)
      .where('repository_blobs.last_used_at', '<', now - useResolutionMs)
      .update({ last_used_at: now });
  }
  return confirmed;
}

/** From now on the blob counts as absent, so that the next push brings it again. */
export async function markBlobDamaged(tx: Transaction, digest: Digest, now: number): Promise<boolean> {
  const marked = await tx('blobs')
    .where('blobs.digest', digest)
    .whereNull('blobs.removing_at')
    .update({ damaged_at: now });
  return marked > 0;
}

/** True if there was such a link. */
export async function unlinkBlob(tx: Transaction, repositoryId: string, digest: Digest): Promise<boolean> {
  const deleted = await tx('repository_blobs').where({ repository_id: repositoryId, digest }).delete();
  return deleted > 0;
}

/** More repositories than this sharing a blob add nothing to the question whether a caller may read one of them. */
const maximumSources = 1000;

/** The repositories that link the blob: the one named, or all of them. */
export async function listRepositoriesOfBlob(
  queries: Queryable,
  digest: Digest,
  name: string | undefined,
): Promise<Repository[]> {
  const query = queries('repository_blobs')
    .join('repositories', 'repositories.id', 'repository_blobs.repository_id')
    .where('repository_blobs.digest', digest)
    .select(repositoryColumns)
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
  for (const portion of portionsOf(digests)) {
    const rows = await queries('repository_blobs')
      .join('blobs', 'blobs.digest', 'repository_blobs.digest')
      .where('repository_blobs.repository_id', repositoryId)
      .whereIn('repository_blobs.digest', portion)
      .whereNull('blobs.damaged_at')
      .select('blobs.digest', 'blobs.size_bytes');
    for (const row of rows) sizes.set(row.digest, Number(row.size_bytes));
  }
  return sizes;
}

/** The blobs of a repository by digest, those after that one. */
export async function listLinkedDigests(
  queries: Queryable,
  repositoryId: string,
  page: { after: Digest | undefined; count: number },
): Promise<Digest[]> {
  return queries('repository_blobs')
    .where('repository_blobs.repository_id', repositoryId)
    .where('repository_blobs.digest', '>', page.after ?? '')
    .orderBy('repository_blobs.digest')
    .limit(page.count)
    .pluck('repository_blobs.digest');
}

/** Those of the digests of which there is no blob any more. */
export async function digestsNotHeld(queries: Queryable, digests: readonly Digest[]): Promise<Digest[]> {
  const held = new Set<Digest>();
  for (const portion of portionsOf(digests)) {
    const found: Digest[] = await queries('blobs').whereIn('blobs.digest', portion).pluck('blobs.digest');
    for (const digest of found) held.add(digest);
  }
  return digests.filter((digest) => !held.has(digest));
}

/** Databases bound the number of parameters of one statement. */
function* portionsOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += 500) yield items.slice(start, start + 500);
}

const maximumRememberedLinks = 20_000;

export type FindLinkedBlob = (
  repository: RepositoryName,
  digest: Digest,
) => Promise<LinkedBlobRow | undefined>;

interface LinkedBlobRow {
  readonly sizeBytes: number;
  readonly repositoryId: string;
  readonly lastUsedAt: number;
  /** 0 when the origin always serves the repository's blobs itself. */
  readonly redirect: boolean | number;
}

/** Compiles the question that every blob request asks. */
export function prepareFindLinkedBlob(database: Database): FindLinkedBlob {
  return database.prepare(
    (queries) =>
      queries('repositories')
        .join('repository_blobs', 'repository_blobs.repository_id', 'repositories.id')
        .join('blobs', 'blobs.digest', 'repository_blobs.digest')
        .where('repositories.name', ':1')
        .where('repository_blobs.digest', ':2')
        .whereNull('blobs.damaged_at')
        .select(
          'blobs.size_bytes as sizeBytes',
          'repository_blobs.repository_id as repositoryId',
          'repository_blobs.last_used_at as lastUsedAt',
          'repositories.redirect',
        ),
    // Small rows, and many at a time: every layer of every image that is pulled.
    { maximum: maximumRememberedLinks },
  );
}
