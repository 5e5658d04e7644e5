/** What nothing needs: the conditions by which garbage collection chooses. Times are in ms since the epoch. */
import type { Query } from '../database.ts';

/** A manifest without a tag, that no index lists and that refers to nothing that is there, and so since before `cutoff`. */
export function whereManifestUnused(manifests: Query, cutoff: number): Query {
  return manifests
    .where('manifests.last_used_at', '<', cutoff)
    .whereNotExists((tags) =>
      tags
        .from('tags')
        .whereRaw('?? = ??', ['tags.repository_id', 'manifests.repository_id'])
        .whereRaw('?? = ??', ['tags.digest', 'manifests.digest']),
    )
    .whereNotExists((indexes) =>
      indexes
        .from('manifest_references as listings')
        .whereRaw('?? = ??', ['listings.digest', 'manifests.digest'])
        .whereRaw('?? = ??', ['listings.repository_id', 'manifests.repository_id'])
        .where('listings.kind', 'manifest'),
    )
    .whereNotExists((subjects) =>
      subjects
        .from('manifests as subjects')
        .whereRaw('?? = ??', ['subjects.repository_id', 'manifests.repository_id'])
        .whereRaw('?? = ??', ['subjects.digest', 'manifests.subject_digest']),
    );
}

export interface LinkConditions {
  /** Links used since then stay. */
  readonly cutoff: number;
  /** Repositories that are being pushed to: their links stay, however long the push takes. */
  readonly pushedTo: readonly string[];
  /** Looks ahead: as if the manifests unused since before then were gone already. */
  readonly withoutManifestsBefore?: number | undefined;
}

/** A link of a blob that no manifest of its repository names. */
export function whereLinkUnused(links: Query, conditions: LinkConditions): Query {
  const { cutoff, pushedTo, withoutManifestsBefore } = conditions;
  return links
    .where('repository_blobs.last_used_at', '<', cutoff)
    .whereNotIn('repository_blobs.repository_id', [...pushedTo])
    .whereNotExists((naming) => {
      naming
        .from('manifest_references')
        .whereRaw('?? = ??', ['manifest_references.digest', 'repository_blobs.digest'])
        .whereRaw('?? = ??', ['manifest_references.repository_id', 'repository_blobs.repository_id'])
        .where('manifest_references.kind', 'blob');
      if (withoutManifestsBefore === undefined) return;
      naming.whereNotExists((unused) =>
        whereManifestUnused(
          unused
            .from('manifests')
            .whereRaw('?? = ??', ['manifests.repository_id', 'manifest_references.repository_id'])
            .whereRaw('?? = ??', ['manifests.digest', 'manifest_references.manifest_digest']),
          withoutManifestsBefore,
        ),
      );
    });
}

/** A blob that no repository links. With `ahead`: none but by links that are unused under these conditions. */
export function whereBlobUnused(blobs: Query, cutoff: number, ahead?: LinkConditions): Query {
  return blobs
    .where('blobs.last_used_at', '<', cutoff)
    .whereNull('blobs.removing_at')
    .whereNotExists((links) => {
      links.from('repository_blobs').whereRaw('?? = ??', ['repository_blobs.digest', 'blobs.digest']);
      if (ahead !== undefined) links.whereNot((unused) => whereLinkUnused(unused, ahead));
    });
}
