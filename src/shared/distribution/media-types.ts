/** Media types of manifests that the registry stores (OCI image spec, Docker image manifest v2 schema 2). */
export const mediaTypes = {
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
} as const;

export type ManifestMediaType = (typeof mediaTypes)[keyof typeof mediaTypes];

const known: ReadonlySet<string> = new Set(Object.values(mediaTypes));

export function isManifestMediaType(text: string): text is ManifestMediaType {
  return known.has(text);
}

/** True for lists of manifests, which have no layers of their own. */
export function isIndex(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerManifestList;
}
