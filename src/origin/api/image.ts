/** Manifests and tags as the API shows them. */
import type { ImageFacts } from '../images/image-facts.ts';
import type { ManifestDetails } from '../images/manifest-details.ts';
import type { TagDetails } from '../images/tags.ts';
import type { components } from './contract.d.ts';

export function toManifest(
  { digest, mediaType, artifactType, pushedBy, pushedAt }: ManifestDetails,
  facts: ImageFacts = {},
): components['schemas']['Manifest'] {
  return {
    digest,
    mediaType,
    ...defined({
      artifactType,
      size: facts.sizeBytes,
      os: facts.os,
      osVersion: facts.osVersion,
      architecture: facts.architecture,
      configDigest: facts.configDigest,
      configMediaType: facts.configMediaType,
      platforms: facts.platforms?.map(({ sizeBytes, ...platform }) => ({
        ...platform,
        ...defined({ size: sizeBytes }),
      })),
    }),
    author: pushedBy,
    createdAt: toTime(pushedAt),
  };
}

/** `manifest` is what is shown under the tag: its own, or the one of an index for a platform. */
export function toTag(
  { name, createdAt, updatedAt }: TagDetails,
  manifest: ManifestDetails,
  facts?: ImageFacts,
): components['schemas']['Tag'] {
  return {
    name,
    digest: manifest.digest,
    author: manifest.pushedBy,
    createdAt: toTime(createdAt),
    updatedAt: toTime(updatedAt),
    hashMismatch: false,
    inNotary: false,
    components: [],
    licenses: [],
    manifest: toManifest(manifest, facts),
  };
}

function toTime(time: number): string {
  return new Date(time).toISOString();
}

/** Without what is not known: JSON has no `undefined`. */
function defined<T extends object>(members: T): { [key in keyof T]?: Exclude<T[key], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [key in keyof T]?: Exclude<T[key], undefined>;
  };
}
