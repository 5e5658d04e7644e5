/** The blobs of images: what a client that pulls them asks for. */
import { type Digest, isDigest } from '../../shared/distribution/digest.ts';
import { isIndex, type ManifestMediaType } from '../../shared/distribution/media-types.ts';
import type { Queryable } from '../database.ts';
import { type Descriptor, parseManifest } from './manifest.ts';

/** `variant` is `undefined` where any will do. */
export interface WantedPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

/** `<os>/<architecture>[/<variant>]`; `undefined` for anything else. */
export function parsePlatform(text: string): WantedPlatform | undefined {
  const match = /^([a-z0-9._-]{1,32})\/([a-z0-9._-]{1,32})(?:\/([a-z0-9._-]{1,32}))?$/.exec(text);
  return match === null
    ? undefined
    : { os: match[1] as string, architecture: match[2] as string, variant: match[3] };
}

/**
 * The blobs that a repository holds of these manifests, each once. Of an index those of its images for the platforms, of all
 * of them when none is given.
 */
export async function listImageBlobs(
  queries: Queryable,
  repositoryId: string,
  manifests: readonly Digest[],
  platforms: readonly WantedPlatform[],
): Promise<Descriptor[]> {
  const blobs = new Map<Digest, Descriptor>();
  const seen = new Set<Digest>();
  const open = [...manifests];
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    if (seen.has(digest)) continue;
    seen.add(digest);
    const row = await queries('manifests')
      .where({ repository_id: repositoryId, digest })
      .first('manifests.media_type', 'manifests.bytes');
    // Deleted since.
    if (row === undefined) continue;
    const mediaType = row.media_type as ManifestMediaType;
    if (isIndex(mediaType)) open.push(...childrenOf(row.bytes, platforms));
    else for (const blob of parseManifest(row.bytes, mediaType).blobs) blobs.set(blob.digest, blob);
  }
  return [...blobs.values()];
}

interface IndexEntry {
  readonly mediaType: string;
  readonly digest: string;
  readonly platform?: {
    readonly os?: string;
    readonly architecture?: string;
    readonly variant?: string;
  } | null;
}

function childrenOf(index: Uint8Array, platforms: readonly WantedPlatform[]): Digest[] {
  const { manifests } = JSON.parse(Buffer.from(index).toString('utf8')) as { manifests: IndexEntry[] };
  return manifests.flatMap((entry) => {
    const wanted = platforms.length === 0 || isIndex(entry.mediaType) || isWanted(entry, platforms);
    return wanted && isDigest(entry.digest) ? [entry.digest] : [];
  });
}

function isWanted({ platform }: IndexEntry, platforms: readonly WantedPlatform[]): boolean {
  return platforms.some(
    ({ os, architecture, variant }) =>
      platform?.os === os &&
      platform.architecture === architecture &&
      (variant === undefined || platform.variant === variant),
  );
}
