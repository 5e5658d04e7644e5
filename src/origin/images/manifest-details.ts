/** Manifests as people look at them. */
import type { Digest } from '../../shared/distribution/digest.ts';
import type { Query, Queryable } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import { annotationsOf } from './manifest.ts';

/** What is known of a manifest without reading it. */
export interface ManifestDetails {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  /** The name of who pushed it. */
  readonly pushedBy: string;
  /** When it was pushed first. */
  readonly pushedAt: number;
}

export type Annotations = Readonly<Record<string, string>>;

export interface AnnotatedManifest extends ManifestDetails {
  readonly annotations: Annotations;
}

/** By digest, which is the key of a page. */
export async function listManifests(
  queries: Queryable,
  repositoryId: string,
  page: Page,
): Promise<PageOf<ManifestDetails>> {
  const query = queries('manifests')
    .where('manifests.repository_id', repositoryId)
    .orderBy('manifests.digest')
    .limit(page.size + 1)
    .select(manifestColumns);
  if (page.start !== undefined) query.where('manifests.digest', '>=', page.start);
  const rows: ManifestRow[] = await query;
  return cutPage(rows.map(toManifestDetails), page.size, ({ digest }) => digest);
}

export async function countManifests(queries: Queryable, repositoryId: string): Promise<number> {
  return countOf(queries('manifests').where('manifests.repository_id', repositoryId));
}

export async function findManifestDetails(
  queries: Queryable,
  repositoryId: string,
  digest: Digest,
): Promise<ManifestDetails | undefined> {
  const row: ManifestRow | undefined = await queries('manifests')
    .where('manifests.repository_id', repositoryId)
    .where('manifests.digest', digest)
    .first(manifestColumns);
  return row === undefined ? undefined : toManifestDetails(row);
}

/** Empty when it has none, or when nobody can read it. */
export async function findAnnotations(
  queries: Queryable,
  repositoryId: string,
  digest: Digest,
): Promise<Annotations> {
  const row = await queries('manifests')
    .where('manifests.repository_id', repositoryId)
    .where('manifests.digest', digest)
    .first('manifests.bytes');
  return row === undefined ? {} : readAnnotations(row.bytes);
}

/** Manifests of up to 4 MiB are read for their annotations: this bounds the memory of one request. */
const batchSize = 8;
/** Of the annotations on one page. */
const maximumAnnotationBytes = 1024 * 1024;

/**
 * The manifests whose subject is the digest, by digest, which is the key of a page. A page ends early when its annotations are
 * long.
 */
export async function listAnnotatedReferrers(
  queries: Queryable,
  repositoryId: string,
  subject: Digest,
  page: Page,
): Promise<PageOf<AnnotatedManifest>> {
  const records: AnnotatedManifest[] = [];
  let sizeBytes = 0;
  let { start = '' } = page;
  for (;;) {
    const rows: (ManifestRow & { bytes: Buffer })[] = await queries('manifests')
      .where('manifests.repository_id', repositoryId)
      .where('manifests.subject_digest', subject)
      .where('manifests.digest', '>=', start)
      .orderBy('manifests.digest')
      .limit(batchSize + 1)
      .select(...manifestColumns, 'manifests.bytes');
    for (const row of rows.slice(0, batchSize)) {
      const annotations = readAnnotations(row.bytes);
      sizeBytes += Buffer.byteLength(JSON.stringify(annotations));
      const full = records.length === page.size || (sizeBytes > maximumAnnotationBytes && records.length > 0);
      if (full) return { records, next: row.digest };
      // Too large even for a page of its own: who wants them finds them in the manifest.
      records.push({
        ...toManifestDetails(row),
        annotations: sizeBytes > maximumAnnotationBytes ? {} : annotations,
      });
    }
    const following = rows[batchSize];
    if (following === undefined) return { records, next: undefined };
    start = following.digest;
  }
}

export async function countReferrers(
  queries: Queryable,
  repositoryId: string,
  subject: Digest,
): Promise<number> {
  return countOf(
    queries('manifests')
      .where('manifests.repository_id', repositoryId)
      .where('manifests.subject_digest', subject),
  );
}

/** A row of `manifestColumns`. */
export interface ManifestRow {
  digest: Digest;
  media_type: string;
  artifact_type: string | null;
  pushed_by: string;
  created_at: number | string;
}

/** For whoever selects manifests. */
export const manifestColumns = ['digest', 'media_type', 'artifact_type', 'pushed_by', 'created_at'].map(
  (column) => `manifests.${column}`,
);

export function toManifestDetails(row: ManifestRow): ManifestDetails {
  return {
    digest: row.digest,
    mediaType: row.media_type,
    artifactType: row.artifact_type ?? undefined,
    pushedBy: row.pushed_by,
    pushedAt: Number(row.created_at),
  };
}

/** Annotations are texts (OCI image spec, annotations.md); what is not is left out. */
function readAnnotations(bytes: Buffer): Annotations {
  let annotations: Readonly<Record<string, unknown>> = {};
  try {
    annotations = annotationsOf(bytes) ?? {};
  } catch {
    // Damaged; pulling it says so.
  }
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

async function countOf(query: Query): Promise<number> {
  const [row] = await query.count({ total: '*' });
  return Number(row?.total ?? 0);
}
