/** Manifests, kept as their exact bytes. */
import { algorithmOf, type Digest, digestOf } from '../../shared/distribution/digest.ts';
import type { Tag } from '../../shared/distribution/reference.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, PreparedRow, Transaction } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import { confirmBlobs, findLinkedSizes } from './blob-links.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import type { Repository } from './repositories.ts';
import { listTagsOf } from './tags.ts';

export interface StoredManifest {
  readonly repositoryId: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * Stores a manifest whose blobs and manifests are all in the repository. Storing it again is no error, and repairs it.
 * @throws DomainError `manifest-blob-unknown` naming what is missing; `manifest-invalid` for a wrong size
 */
export async function storeManifest(
  tx: Transaction,
  stored: { repositoryId: string; digest: Digest; bytes: Buffer; manifest: Manifest; pushedBy: string },
  now: number,
): Promise<void> {
  const { repositoryId, digest, manifest } = stored;
  const blobs = digestsOf([...manifest.blobs, ...manifest.foreignLayers]);
  assertPresent(manifest.blobs, await findLinkedSizes(tx, repositoryId, blobs));
  assertPresent(manifest.manifests, await findManifestSizes(tx, repositoryId, digestsOf(manifest.manifests)));
  await confirmBlobs(tx, repositoryId, blobs, now);
  await tx('manifests')
    .insert({
      repository_id: repositoryId,
      digest,
      media_type: manifest.mediaType,
      bytes: stored.bytes,
      subject_digest: manifest.subject ?? null,
      artifact_type: manifest.artifactType ?? null,
      pushed_by: stored.pushedBy,
      created_at: now,
      last_used_at: now,
    })
    .onConflict(['repository_id', 'digest'])
    .merge(['bytes', 'last_used_at']);
  const references = [
    ...blobs.map((blob) => ({ digest: blob, kind: 'blob' })),
    ...digestsOf(manifest.manifests).map((child) => ({ digest: child, kind: 'manifest' })),
  ];
  for (let start = 0; start < references.length; start += 200) {
    await tx('manifest_references')
      .insert(
        references
          .slice(start, start + 200)
          .map((reference) => ({ repository_id: repositoryId, manifest_digest: digest, ...reference })),
      )
      .onConflict(['repository_id', 'manifest_digest', 'digest'])
      .ignore();
  }
}

/** Of the tags that go with a deleted manifest, the trail names so many. */
const maximumTagsInTrail = 100;

/** Deletes it with its tags, as somebody wants it. True if there was one. */
export async function deleteManifest(
  tx: Transaction,
  context: EventContext,
  repository: Repository,
  digest: Digest,
  now: number,
): Promise<boolean> {
  const tags = await listTagsOf(tx, repository.id, digest, maximumTagsInTrail);
  if (!(await removeManifest(tx, repository.id, digest, now))) return false;
  const object = { type: 'manifest', id: digest, name: `${repository.name}@${digest}` };
  const target = { type: 'repository', id: repository.id, name: repository.name };
  await recordEvent(tx, context, { type: 'DELETE', object, target, content: { tags } }, now);
  return true;
}

/** Removes it with its tags, because nobody needs it. True if there was one. */
export async function removeManifest(
  tx: Transaction,
  repositoryId: string,
  digest: Digest,
  now: number,
): Promise<boolean> {
  await releaseWhatItKeeps(tx, repositoryId, digest, now);
  const deleted = await tx('manifests').where({ repository_id: repositoryId, digest }).delete();
  return deleted > 0;
}

/** What a manifest listed, and what referred to it, may be unneeded from now on: their time begins now. */
async function releaseWhatItKeeps(
  tx: Transaction,
  repositoryId: string,
  digest: Digest,
  now: number,
): Promise<void> {
  const listed = tx('manifest_references')
    .where({ repository_id: repositoryId, manifest_digest: digest, kind: 'manifest' })
    .select('manifest_references.digest');
  await tx('manifests')
    .where('manifests.repository_id', repositoryId)
    .where((released) => released.whereIn('manifests.digest', listed).orWhere('subject_digest', digest))
    .update({ last_used_at: now });
}

export interface FindManifest {
  byTag(repository: RepositoryName, tag: Tag): Promise<StoredManifest | undefined>;
  byDigest(repository: RepositoryName, digest: Digest): Promise<StoredManifest | undefined>;
}

/** Compiles the two questions that every pull asks. Always read fresh: a moved tag is seen by the next pull. */
export function prepareFindManifest(database: Database): FindManifest {
  const columns = [
    'manifests.repository_id as repositoryId',
    'manifests.digest',
    'manifests.media_type as mediaType',
    'manifests.bytes',
  ];
  const byTag: PreparedRow<StoredManifest> = database.prepare(
    (queries) =>
      queries('repositories')
        .join('tags', 'tags.repository_id', 'repositories.id')
        .join('manifests', (on) =>
          on.on('manifests.repository_id', 'tags.repository_id').on('manifests.digest', 'tags.digest'),
        )
        .where('repositories.name', ':1')
        .where('tags.name', ':2')
        .select(columns),
    { assertSound },
  );
  const byDigest: PreparedRow<StoredManifest> = database.prepare(
    (queries) =>
      queries('repositories')
        .join('manifests', 'manifests.repository_id', 'repositories.id')
        .where('repositories.name', ':1')
        .where('manifests.digest', ':2')
        .select(columns),
    { assertSound },
  );
  return { byTag, byDigest };
}

/** @throws DomainError `manifest-damaged`: it is never served, and pushing it again repairs it */
function assertSound({ digest, bytes }: StoredManifest): void {
  if (digestOf(bytes, algorithmOf(digest)) === digest) return;
  throw new DomainError('manifest-damaged', 'the stored manifest does not have its digest: push it again', {
    detail: { digest },
  });
}

async function findManifestSizes(
  tx: Transaction,
  repositoryId: string,
  digests: readonly Digest[],
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (let start = 0; start < digests.length; start += 500) {
    const rows = await tx('manifests')
      .where('manifests.repository_id', repositoryId)
      .whereIn('manifests.digest', digests.slice(start, start + 500))
      .select('manifests.digest', tx.raw('length(manifests.bytes) as size_bytes'));
    for (const row of rows) sizes.set(row.digest, Number(row.size_bytes));
  }
  return sizes;
}

function assertPresent(descriptors: readonly Descriptor[], sizes: ReadonlyMap<string, number>): void {
  for (const { digest, sizeBytes } of descriptors) {
    const stored = sizes.get(digest);
    if (stored === undefined) {
      throw new DomainError('manifest-blob-unknown', 'the manifest refers to what is not in the repository', {
        detail: { digest },
      });
    }
    if (stored !== sizeBytes) {
      throw new DomainError(
        'manifest-invalid',
        `the size of ${digest} is ${stored} bytes, not ${sizeBytes}`,
        {
          detail: { digest },
        },
      );
    }
  }
}

function digestsOf(descriptors: readonly Descriptor[]): Digest[] {
  return [...new Set(descriptors.map((descriptor) => descriptor.digest))];
}
