/**
 * Garbage collection: beside pushes and pulls, from the database, in steps that hold no lock for long. What was pushed,
 * mounted or confirmed to a client within the grace period stays, and so does everything of a repository that is being
 * pushed to. See docs/decisions/0005-garbage-collection-beside-pushes.md for why a push can trust what it saw.
 */
import type { BlobStore } from '../../shared/blob-store/blob-store.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import type { Database, Transaction } from '../database.ts';
import { useResolutionMs } from './blob-links.ts';
import { removeManifest } from './manifests.ts';
import type { Removals } from './removals.ts';
import { type LinkConditions, whereBlobUnused, whereLinkUnused, whereManifestUnused } from './unused.ts';
import { inWindow, windowsOf } from './windows.ts';

export interface CollectionPolicy {
  /** Blobs used within this time stay, in ms. */
  readonly graceMs: number;
  /** Manifests unused for this time are removed, in ms; `undefined` keeps them for ever. */
  readonly untaggedMs: number | undefined;
  /** Upload sessions that got no byte for this time are ended, in ms. */
  readonly uploadIdleMs: number;
}

/** What was removed, or would be. */
export interface CollectionReport {
  uploads: number;
  manifests: number;
  blobs: number;
  /** Of the blobs. */
  sizeBytes: number;
}

export const defaultPolicy: CollectionPolicy = {
  graceMs: 2 * 3_600_000,
  untaggedMs: undefined,
  uploadIdleMs: 168 * 3_600_000,
};

interface ChosenBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export class GarbageCollection {
  readonly #database: Database;
  readonly #blobStore: BlobStore;
  readonly #removals: Removals;
  readonly #clock: Clock;

  constructor(options: { database: Database; blobStore: BlobStore; removals: Removals; clock: Clock }) {
    this.#database = options.database;
    this.#blobStore = options.blobStore;
    this.#removals = options.removals;
    this.#clock = options.clock;
  }

  /** Removes what the policy says. `undefined` when another collection is running. `signal` ends it early, between steps. */
  collect(policy: CollectionPolicy, signal?: AbortSignal): Promise<CollectionReport | undefined> {
    return this.#removals.exclusively(async () => {
      const report: CollectionReport = { uploads: 0, manifests: 0, blobs: 0, sizeBytes: 0 };
      const now = this.#clock();
      const cutoff = blobCutoff(now, policy);
      await this.#endUploads(now - policy.uploadIdleMs, report);
      if (policy.untaggedMs !== undefined)
        await this.#removeManifests(now - policy.untaggedMs, report, signal);
      await this.#unlinkBlobs({ cutoff, pushedTo: await this.#pushedTo(cutoff) }, signal);
      await this.#removeBlobs(cutoff, report, signal);
      await this.#removeStrays(cutoff, report, signal);
      return report;
    });
  }

  /** What `collect` would remove now. Changes nothing. */
  async preview(policy: CollectionPolicy): Promise<CollectionReport> {
    const now = this.#clock();
    const { queries } = this.#database;
    const report: CollectionReport = { uploads: 0, manifests: 0, blobs: 0, sizeBytes: 0 };
    for await (const _ of this.#idleSessions(now - policy.uploadIdleMs)) report.uploads += 1;
    const withoutManifestsBefore = policy.untaggedMs === undefined ? undefined : now - policy.untaggedMs;
    if (withoutManifestsBefore !== undefined) {
      for await (const window of windowsOf(queries, 'manifests', ['repository_id', 'digest'])) {
        const unused = whereManifestUnused(inWindow(queries('manifests'), window), withoutManifestsBefore);
        report.manifests += Number((await unused.count({ count: '*' }).first()).count);
      }
    }
    const cutoff = blobCutoff(now, policy);
    const links = { cutoff, pushedTo: await this.#pushedTo(cutoff), withoutManifestsBefore };
    for await (const window of windowsOf(queries, 'blobs', ['digest'])) {
      const unused = whereBlobUnused(inWindow(queries('blobs'), window), cutoff, links);
      add(report, await unused.select('blobs.digest', 'blobs.size_bytes as sizeBytes'));
    }
    for await (const strays of this.#strays(cutoff)) add(report, strays);
    return report;
  }

  async #endUploads(cutoff: number, report: CollectionReport): Promise<void> {
    for await (const session of this.#idleSessions(cutoff)) {
      await this.#database.transaction((tx) => tx('uploads').where('uploads.id', session).delete());
      await (await this.#blobStore.resume(session))?.discard();
      report.uploads += 1;
    }
    // A session whose bytes became a blob just before a crash has nothing left but its row.
    const { queries } = this.#database;
    const live = new Set<string>();
    for await (const { session } of this.#blobStore.listSessions()) live.add(session);
    for await (const window of windowsOf(queries, 'uploads', ['id'])) {
      const old: string[] = await inWindow(queries('uploads'), window)
        .where('uploads.created_at', '<', cutoff)
        .pluck('uploads.id');
      const ended = old.filter((session) => !live.has(session));
      if (ended.length === 0) continue;
      await this.#database.transaction((tx) => tx('uploads').whereIn('uploads.id', ended).delete());
    }
  }

  async *#idleSessions(cutoff: number): AsyncGenerator<string> {
    for await (const { session, lastWriteMs } of this.#blobStore.listSessions()) {
      if (lastWriteMs < cutoff) yield session;
    }
  }

  /** The repositories with an upload that got a byte since. */
  async #pushedTo(cutoff: number): Promise<string[]> {
    const repositories = new Set<string>();
    for await (const { session, lastWriteMs } of this.#blobStore.listSessions()) {
      if (lastWriteMs < cutoff) continue;
      const [id] = await this.#database.queries('uploads').where('id', session).pluck('repository_id');
      if (id !== undefined) repositories.add(id);
    }
    return [...repositories];
  }

  async #removeManifests(cutoff: number, report: CollectionReport, signal?: AbortSignal): Promise<void> {
    const { queries } = this.#database;
    // Deleting one with its references takes longer than looking at one.
    for await (const window of windowsOf(queries, 'manifests', ['repository_id', 'digest'], 100)) {
      signal?.throwIfAborted();
      report.manifests += await this.#database.transaction(async (tx) => {
        const unused = await whereManifestUnused(inWindow(tx('manifests'), window), cutoff).select(
          'manifests.repository_id',
          'manifests.digest',
        );
        for (const { repository_id, digest } of unused)
          await removeManifest(tx, repository_id, digest, this.#clock());
        return unused.length;
      });
    }
  }

  async #unlinkBlobs(conditions: LinkConditions, signal?: AbortSignal): Promise<void> {
    const { queries } = this.#database;
    const key = ['repository_id', 'digest'];
    for await (const window of windowsOf(queries, 'repository_blobs', key)) {
      signal?.throwIfAborted();
      await this.#database.transaction((tx) =>
        whereLinkUnused(inWindow(tx('repository_blobs'), window), conditions).delete(),
      );
    }
  }

  async #removeBlobs(cutoff: number, report: CollectionReport, signal?: AbortSignal): Promise<void> {
    for await (const window of windowsOf(this.#database.queries, 'blobs', ['digest'])) {
      signal?.throwIfAborted();
      const unused = (tx: Transaction) =>
        whereBlobUnused(inWindow(tx('blobs'), window), cutoff).select(
          'blobs.digest',
          'blobs.size_bytes as sizeBytes',
        );
      add(report, await this.#removals.remove<ChosenBlob>(unused));
    }
  }

  /** Bytes that the database knows nothing of, such as those newer than a backup that was restored. */
  async #removeStrays(cutoff: number, report: CollectionReport, signal?: AbortSignal): Promise<void> {
    for await (const strays of this.#strays(cutoff)) {
      signal?.throwIfAborted();
      // With a row first, so that a push of the same blob in this moment is told to wait, like any other.
      const adopt = async (tx: Transaction) => {
        const now = this.#clock();
        const rows = strays.map(({ digest, sizeBytes }) => ({
          digest,
          size_bytes: sizeBytes,
          created_at: now,
          last_used_at: now,
        }));
        const inserted = await tx('blobs').insert(rows).onConflict('digest').ignore().returning('digest');
        const digests = new Set(inserted.map((row) => row.digest));
        return strays.filter(({ digest }) => digests.has(digest));
      };
      add(report, await this.#removals.remove(adopt));
    }
  }

  async *#strays(cutoff: number): AsyncGenerator<ChosenBlob[]> {
    for await (const portion of portionsOf(this.#blobStore.list(), 200)) {
      const old = portion.filter(({ storedAtMs }) => storedAtMs < cutoff);
      const digests = old.map(({ digest }) => digest);
      const known = new Set(await this.#database.queries('blobs').whereIn('digest', digests).pluck('digest'));
      const strays = old.filter(({ digest }) => !known.has(digest));
      if (strays.length > 0) yield strays;
    }
  }
}

async function* portionsOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let portion: T[] = [];
  for await (const item of items) {
    portion.push(item);
    if (portion.length < size) continue;
    yield portion;
    portion = [];
  }
  yield portion;
}

/** A use is written down only so precisely: what may have been used within the grace period counts as used. */
function blobCutoff(now: number, { graceMs }: CollectionPolicy): number {
  return now - graceMs - Math.min(graceMs, useResolutionMs);
}

function add(report: CollectionReport, blobs: readonly ChosenBlob[]): void {
  report.blobs += blobs.length;
  for (const { sizeBytes } of blobs) report.sizeBytes += Number(sizeBytes);
}
