/**
 * Scrubbing: every blob and manifest is held against its digest. What is damaged or missing counts as absent from then on, so
 * that the next push of an image brings it again.
 */
import type { BlobStore } from '../../shared/blob-store/blob-store.ts';
import type { Clock } from '../../shared/clock.ts';
import { algorithmOf, type Digest, digestOf } from '../../shared/distribution/digest.ts';
import type { Database } from '../database.ts';
import { markBlobDamaged } from './blob-links.ts';
import { inWindow, windowsOf } from './windows.ts';

export interface Finding {
  readonly what: 'blob' | 'manifest';
  readonly digest: Digest;
  readonly problem: 'damaged' | 'missing';
  /** `<repository>:<tag>`, or `<repository>@<digest>` of what has no tag: the images that need it. */
  readonly images: readonly string[];
}

export interface ScrubReport {
  readonly blobs: number;
  readonly manifests: number;
  readonly sizeBytes: number;
  readonly findings: readonly Finding[];
}

export class Scrub {
  readonly #database: Database;
  readonly #blobStore: BlobStore;
  readonly #clock: Clock;

  constructor(options: { database: Database; blobStore: BlobStore; clock: Clock }) {
    this.#database = options.database;
    this.#blobStore = options.blobStore;
    this.#clock = options.clock;
  }

  /** `found` is told of each finding as it is made. */
  async run(found: (finding: Finding) => void = () => {}): Promise<ScrubReport> {
    const findings: Finding[] = [];
    const report = (finding: Finding) => {
      findings.push(finding);
      found(finding);
    };
    const blobs = await this.#blobs(report);
    const manifests = await this.#manifests(report);
    return { ...blobs, manifests, findings };
  }

  async #blobs(report: (finding: Finding) => void): Promise<{ blobs: number; sizeBytes: number }> {
    const { queries } = this.#database;
    let [blobs, sizeBytes] = [0, 0];
    for await (const window of windowsOf(queries, 'blobs', ['digest'])) {
      // Only what is linked: the others are on their way in or out.
      const rows = await inWindow(queries('blobs'), window)
        .whereExists((links) =>
          links.from('repository_blobs').whereRaw('?? = ??', ['repository_blobs.digest', 'blobs.digest']),
        )
        .select('blobs.digest', 'blobs.size_bytes as sizeBytes');
      for (const row of rows) {
        blobs += 1;
        sizeBytes += Number(row.sizeBytes);
        const problem = await this.#blobStore.check(row.digest);
        if (problem === 'sound' || !(await this.#markDamaged(row.digest))) continue;
        report({ what: 'blob', digest: row.digest, problem, images: await this.#imagesWith(row.digest) });
      }
    }
    return { blobs, sizeBytes };
  }

  /** False when it was collected while it was read. */
  #markDamaged(digest: Digest): Promise<boolean> {
    return this.#database.transaction((tx) => markBlobDamaged(tx, digest, this.#clock()));
  }

  async #manifests(report: (finding: Finding) => void): Promise<number> {
    const { queries } = this.#database;
    let manifests = 0;
    for await (const window of windowsOf(queries, 'manifests', ['repository_id', 'digest'], 50)) {
      const rows = await inWindow(queries('manifests'), window).select(
        'manifests.repository_id',
        'manifests.digest',
        'manifests.bytes',
      );
      for (const { repository_id, digest, bytes } of rows) {
        manifests += 1;
        if (digestOf(bytes, algorithmOf(digest)) === digest) continue;
        const images = await this.#imagesOf([{ repository_id, manifest_digest: digest }]);
        report({ what: 'manifest', digest, problem: 'damaged', images });
      }
    }
    return manifests;
  }

  async #imagesWith(digest: Digest): Promise<string[]> {
    const manifests = await this.#database
      .queries('manifest_references')
      .where('manifest_references.digest', digest)
      .select('manifest_references.repository_id', 'manifest_references.manifest_digest')
      .limit(maximumImages);
    return this.#imagesOf(manifests);
  }

  async #imagesOf(manifests: { repository_id: string; manifest_digest: string }[]): Promise<string[]> {
    const images: string[] = [];
    for (const { repository_id, manifest_digest } of manifests) {
      const [name] = await this.#database.queries('repositories').where('id', repository_id).pluck('name');
      const tags: string[] = await this.#database
        .queries('tags')
        .where({ repository_id, digest: manifest_digest })
        .limit(maximumImages)
        .pluck('name');
      if (tags.length === 0) images.push(`${name}@${manifest_digest}`);
      images.push(...tags.map((tag) => `${name}:${tag}`));
    }
    return images;
  }
}

/** A base layer may be in thousands of images; the first of them tell enough. */
const maximumImages = 100;
