/** Platforms of an image index (OCI image spec, image-index.md). */
import { type Digest, isDigest } from '../../shared/distribution/digest.ts';
import { isIndex } from '../../shared/distribution/media-types.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/** An image that an index lists for a platform. */
export interface PlatformImage extends Platform {
  readonly variant?: string;
  readonly digest: Digest;
}

/** The first image of a stored index that is for the platform; not an index inside it. */
export function findPlatformImage(index: Uint8Array, wanted: Platform): Digest | undefined {
  return listPlatformImages(index).find(
    ({ os, architecture }) => os === wanted.os && architecture === wanted.architecture,
  )?.digest;
}

/** The images of a stored index that say which platform they are for, in its order; no index inside it. */
export function listPlatformImages(index: Uint8Array): PlatformImage[] {
  const { manifests } = JSON.parse(Buffer.from(index).toString('utf8')) as {
    manifests: { mediaType: string; digest: string; platform?: Readonly<Record<string, unknown>> | null }[];
  };
  return manifests.flatMap(({ mediaType, digest, platform }) => {
    const { os, architecture, variant } = platform ?? {};
    if (isIndex(mediaType) || !isDigest(digest)) return [];
    if (typeof os !== 'string' || typeof architecture !== 'string') return [];
    return [{ os, architecture, ...(typeof variant === 'string' ? { variant } : {}), digest }];
  });
}
