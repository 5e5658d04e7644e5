/** Platforms of an image index (OCI image spec, image-index.md). */
import { type Digest, isDigest } from '../../shared/distribution/digest.ts';
import { isIndex } from '../../shared/distribution/media-types.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/** The first image of a stored index that is for the platform; not an index inside it. */
export function findPlatformImage(index: Uint8Array, wanted: Platform): Digest | undefined {
  const { manifests } = JSON.parse(Buffer.from(index).toString('utf8')) as {
    manifests: { mediaType: string; digest: string; platform?: Partial<Platform> | null }[];
  };
  const found = manifests.find(
    ({ mediaType, platform }) =>
      !isIndex(mediaType) && platform?.os === wanted.os && platform.architecture === wanted.architecture,
  );
  return isDigest(found?.digest) ? found.digest : undefined;
}
