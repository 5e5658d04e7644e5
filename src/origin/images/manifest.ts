/** What a manifest says: parsed from its exact bytes, checked by its media type (OCI image spec; Docker schema 2). */
import { type Digest, isDigest } from '../../shared/distribution/digest.ts';
import {
  isManifestMediaType,
  type ManifestMediaType,
  mediaTypes,
} from '../../shared/distribution/media-types.ts';
import { DomainError } from '../../shared/errors.ts';

/** Published limit; the distribution spec asks for at least this. */
export const maximumManifestBytes = 4 * 1024 * 1024;

export interface Descriptor {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface Manifest {
  readonly mediaType: ManifestMediaType;
  /** Blobs that must be in the repository: configuration and distributable layers. */
  readonly blobs: readonly Descriptor[];
  /** Layers that clients may fetch from elsewhere: the repository need not hold them. */
  readonly foreignLayers: readonly Descriptor[];
  /** Manifests that an index lists. */
  readonly manifests: readonly Descriptor[];
  readonly subject: Digest | undefined;
  /** As the referrers API shows it: the manifest's own, or its configuration's media type. */
  readonly artifactType: string | undefined;
}

/** Signed or not: what Docker wrote before 2016. */
const schema1MediaType = 'application/vnd.docker.distribution.manifest.v1+';

type Json = Readonly<Record<string, unknown>>;

/**
 * `contentType` is the request's media type, without parameters.
 * @throws DomainError `manifest-invalid`, naming the member and what was expected
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): Manifest {
  const json = parseJson(bytes);
  if (json.schemaVersion === 1 || contentType?.startsWith(schema1MediaType)) {
    throw new DomainError(
      'manifest-invalid',
      'image manifests of schema 1 are not supported: push again with Docker 1.10 or newer, which writes schema 2',
      { detail: { member: 'schemaVersion' } },
    );
  }
  const mediaType = mediaTypeOf(json, contentType);
  if (json.schemaVersion !== 2) throw invalid('schemaVersion', '2');
  const subject = json.subject === undefined ? undefined : descriptor(json.subject, 'subject').digest;
  const artifactType = optionalText(json, 'artifactType');
  if (mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerManifestList) {
    const manifests = descriptors(json.manifests, 'manifests');
    return {
      mediaType,
      blobs: [],
      foreignLayers: [],
      manifests: manifests.map(toDescriptor),
      subject,
      artifactType,
    };
  }
  const config = descriptor(json.config, 'config');
  const layers = descriptors(json.layers, 'layers');
  return {
    mediaType,
    blobs: [config, ...layers.filter((layer) => !isForeign(layer))].map(toDescriptor),
    foreignLayers: layers.filter(isForeign).map(toDescriptor),
    manifests: [],
    subject,
    artifactType: artifactType ?? config.mediaType,
  };
}

/** The annotations of a stored manifest, which the referrers API repeats. */
export function annotationsOf(bytes: Uint8Array): Json | undefined {
  const { annotations } = parseJson(bytes);
  return isObject(annotations) ? annotations : undefined;
}

interface ParsedDescriptor extends Descriptor {
  readonly mediaType: string;
  readonly urls: unknown;
}

function parseJson(bytes: Uint8Array): Json {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DomainError('manifest-invalid', 'the manifest is not JSON', { cause });
  }
  if (!isObject(json)) throw new DomainError('manifest-invalid', 'the manifest is not a JSON object');
  return json;
}

function mediaTypeOf(json: Json, contentType: string | undefined): ManifestMediaType {
  const own = optionalText(json, 'mediaType');
  const mediaType = contentType ?? own;
  if (mediaType === undefined || !isManifestMediaType(mediaType)) {
    throw invalid('Content-Type', `one of ${Object.values(mediaTypes).join(', ')}`);
  }
  if (own !== undefined && own !== mediaType)
    throw invalid('mediaType', `${mediaType}, as the Content-Type says`);
  return mediaType;
}

function descriptors(value: unknown, member: string): ParsedDescriptor[] {
  if (!Array.isArray(value)) throw invalid(member, 'a list of descriptors');
  return value.map((item, index) => descriptor(item, `${member}[${index}]`));
}

function descriptor(value: unknown, member: string): ParsedDescriptor {
  if (!isObject(value)) throw invalid(member, 'a descriptor');
  const { digest, size, mediaType, urls } = value;
  if (!isDigest(digest))
    throw invalid(`${member}.digest`, 'sha256:<64 hex digits> or sha512:<128 hex digits>');
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw invalid(`${member}.size`, 'a number of bytes');
  if (typeof mediaType !== 'string') throw invalid(`${member}.mediaType`, 'a media type');
  return { digest, sizeBytes: size as number, mediaType, urls };
}

function toDescriptor({ digest, sizeBytes }: ParsedDescriptor): Descriptor {
  return { digest, sizeBytes };
}

/** The registry itself never fetches them from elsewhere. */
function isForeign(layer: ParsedDescriptor): boolean {
  return /nondistributable|\.foreign\./.test(layer.mediaType);
}

function optionalText(json: Json, member: string): string | undefined {
  const value = json[member];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || value.length > 255)
    throw invalid(member, 'a text of at most 255 characters');
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(member: string, expected: string): DomainError {
  return new DomainError('manifest-invalid', `${member}: ${expected} expected`, { detail: { member } });
}
