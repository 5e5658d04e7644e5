/** Referrers: manifests whose subject is another manifest (distribution spec, end-12). */
import type { Digest } from '../../shared/distribution/digest.ts';
import type { Queryable } from '../database.ts';
import { annotationsOf } from './manifest.ts';

/** As the referrers API describes it: the descriptor of a manifest, with its type and annotations. */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** Manifests of up to 4 MiB are read for their annotations: this bounds the memory of one request. */
const batchSize = 8;

/** Those after the digest `last`, in order of their digests, read as they are taken. */
export async function* listReferrers(
  queries: Queryable,
  repositoryId: string,
  subject: Digest,
  page: { last: string; artifactType?: string },
): AsyncGenerator<Referrer> {
  let { last } = page;
  for (;;) {
    const batch = queries('manifests')
      .where('manifests.repository_id', repositoryId)
      .where('manifests.subject_digest', subject)
      .where('manifests.digest', '>', last)
      .orderBy('manifests.digest')
      .limit(batchSize)
      .select('manifests.digest', 'manifests.media_type', 'manifests.bytes', 'manifests.artifact_type');
    if (page.artifactType !== undefined) batch.where('manifests.artifact_type', page.artifactType);
    const rows = await batch;
    for (const row of rows) yield toReferrer(row);
    if (rows.length < batchSize) return;
    last = rows.at(-1).digest;
  }
}

function toReferrer(row: {
  digest: Digest;
  media_type: string;
  bytes: Buffer;
  artifact_type: string | null;
}): Referrer {
  const annotations = annotationsOf(row.bytes);
  return {
    mediaType: row.media_type,
    digest: row.digest,
    size: row.bytes.byteLength,
    ...(row.artifact_type === null ? {} : { artifactType: row.artifact_type }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}
