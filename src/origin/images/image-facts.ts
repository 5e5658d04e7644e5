/** What images are: size, operating system, architecture, platforms. Read when somebody looks, and remembered by digest. */
import type { BlobStore } from '../../shared/blob-store/blob-store.ts';
import { algorithmOf, type Digest, digestOf } from '../../shared/distribution/digest.ts';
import { isIndex } from '../../shared/distribution/media-types.ts';
import type { Queryable } from '../database.ts';
import { findImageSizes, findIndexSizes } from './image-sizes.ts';
import { listPlatformImages, type PlatformImage } from './platforms.ts';

export interface ImageFacts {
  /** Bytes of the blobs that are here, each counted once; of an index, those of all its images. */
  readonly sizeBytes?: number | undefined;
  readonly configDigest?: Digest;
  readonly configMediaType?: string;
  readonly os?: string;
  readonly osVersion?: string;
  readonly architecture?: string;
  /** Of an index. */
  readonly platforms?: readonly PlatformFacts[];
}

export interface PlatformFacts extends PlatformImage {
  /** `undefined` when the image is not here. */
  readonly sizeBytes: number | undefined;
}

/** What its bytes say, which never changes. */
type OwnFacts = Omit<ImageFacts, 'sizeBytes' | 'platforms'> & {
  readonly platforms?: readonly PlatformImage[];
};

type Json = Readonly<Record<string, unknown>>;

const imageConfigs = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);
const maximumConfigBytes = 1024 * 1024;
/** No platform has longer names; what is longer is not shown. */
const maximumTextLength = 64;
const maximumPlatforms = 100;
/** Manifests of up to 4 MiB are read at a time: this bounds the memory of one request. */
const batchSize = 8;
/** What is remembered: images, and platforms of indexes, each of some hundred bytes. */
const capacity = 20_000;

/** How buildx marks what is in an index but runs nowhere, such as provenance. */
const nowhere = 'unknown';

export class ImageFactsReader {
  readonly #blobStore: BlobStore;
  readonly #remembered = new Map<Digest, OwnFacts>();
  #weight = 0;

  constructor({ blobStore }: { blobStore: BlobStore }) {
    this.#blobStore = blobStore;
  }

  /** Of manifests of the repository. What cannot be found out, because something is missing or broken, is left out. */
  async read(
    queries: Queryable,
    repositoryId: string,
    digests: readonly Digest[],
  ): Promise<Map<Digest, ImageFacts>> {
    const own = await this.#readOwn(queries, repositoryId, digests);
    const indexes = digests.filter((digest) => own.get(digest)?.platforms !== undefined);
    const platformImages = indexes.flatMap(
      (digest) => own.get(digest)?.platforms?.map((platform) => platform.digest) ?? [],
    );
    const images = [...new Set([...digests, ...platformImages])];
    const imageSizes = await findImageSizes(queries, repositoryId, images);
    const indexSizes = await findIndexSizes(queries, repositoryId, indexes);
    const facts = new Map<Digest, ImageFacts>();
    for (const digest of digests) {
      const { platforms, ...rest } = own.get(digest) ?? {};
      facts.set(digest, {
        ...rest,
        sizeBytes: (platforms === undefined ? imageSizes : indexSizes).get(digest),
        ...(platforms === undefined
          ? {}
          : { platforms: platforms.map((one) => ({ ...one, sizeBytes: imageSizes.get(one.digest) })) }),
      });
    }
    return facts;
  }

  async #readOwn(
    queries: Queryable,
    repositoryId: string,
    digests: readonly Digest[],
  ): Promise<Map<Digest, OwnFacts>> {
    const own = new Map<Digest, OwnFacts>();
    const unknown: Digest[] = [];
    for (const digest of new Set(digests)) {
      const remembered = this.#recall(digest);
      if (remembered === undefined) unknown.push(digest);
      else own.set(digest, remembered);
    }
    for (let start = 0; start < unknown.length; start += batchSize) {
      const rows: ManifestRow[] = await queries('manifests')
        .where('manifests.repository_id', repositoryId)
        .whereIn('manifests.digest', unknown.slice(start, start + batchSize))
        .select('manifests.digest', 'manifests.media_type', 'manifests.bytes');
      await Promise.all(
        rows.map(async (row) => {
          const facts = await this.#learn(row);
          if (facts !== undefined) own.set(row.digest, facts);
        }),
      );
    }
    return own;
  }

  /** `undefined` when it could not be read for now. */
  async #learn({ digest, media_type, bytes }: ManifestRow): Promise<OwnFacts | undefined> {
    // A damaged one may be pushed again. One that is not was checked when it was pushed.
    if (digestOf(bytes, algorithmOf(digest)) !== digest) return undefined;
    if (isIndex(media_type)) return this.#remember(digest, { platforms: platformsOf(bytes) });
    const { config: described } = JSON.parse(bytes.toString('utf8')) as { config: ConfigDescriptor };
    const { digest: configDigest, mediaType: configMediaType, size } = described;
    const config = { configDigest, configMediaType };
    if (!imageConfigs.has(configMediaType) || size > maximumConfigBytes)
      return this.#remember(digest, config);
    const text = await this.#readBlob(configDigest);
    if (text === undefined) return config;
    const { os, architecture, 'os.version': osVersion } = parseObject(text) ?? {};
    return this.#remember(digest, { ...config, ...texts({ os, architecture, osVersion }) });
  }

  /** `undefined` when it is missing or damaged, until it is pushed again: who looks at a list is not told of it. */
  async #readBlob(digest: Digest): Promise<Buffer | undefined> {
    try {
      const blob = await this.#blobStore.open(digest);
      if (blob === undefined) return undefined;
      try {
        if (blob.bytes !== undefined) return Buffer.from(blob.bytes);
        const pieces: Buffer[] = [];
        // A piece is only lent until the next one.
        for await (const piece of blob.read()) pieces.push(Buffer.from(piece));
        return Buffer.concat(pieces);
      } finally {
        await blob.close();
      }
    } catch {
      return undefined;
    }
  }

  #recall(digest: Digest): OwnFacts | undefined {
    const facts = this.#remembered.get(digest);
    if (facts === undefined) return undefined;
    // A Map iterates in order of insertion: the least recently used is the first.
    this.#remembered.delete(digest);
    this.#remembered.set(digest, facts);
    return facts;
  }

  #remember(digest: Digest, facts: OwnFacts): OwnFacts {
    this.#forget(digest);
    this.#remembered.set(digest, facts);
    this.#weight += weightOf(facts);
    for (const oldest of this.#remembered.keys()) {
      if (this.#weight <= capacity) break;
      this.#forget(oldest);
    }
    return facts;
  }

  #forget(digest: Digest): void {
    const facts = this.#remembered.get(digest);
    if (facts === undefined) return;
    this.#remembered.delete(digest);
    this.#weight -= weightOf(facts);
  }
}

interface ConfigDescriptor {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

interface ManifestRow {
  digest: Digest;
  media_type: string;
  bytes: Buffer;
}

function weightOf({ platforms = [] }: OwnFacts): number {
  return 1 + platforms.length;
}

function platformsOf(index: Buffer): PlatformImage[] {
  return listPlatformImages(index)
    .filter(({ os, architecture, variant = '' }) =>
      [os, architecture, variant].every((text) => text.length <= maximumTextLength && text !== nowhere),
    )
    .slice(0, maximumPlatforms);
}

function parseObject(bytes: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** Those that are short texts. */
function texts<K extends string>(values: Record<K, unknown>): { [key in K]?: string } {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([, value]) => typeof value === 'string' && value !== '' && value.length <= maximumTextLength,
    ),
  ) as { [key in K]?: string };
}
