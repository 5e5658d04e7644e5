/**
 * Taking blobs out of the store, beside pushes of the same blobs and across a crash. A blob is first marked as being
 * removed, in a transaction: from then on nobody links it. Then its bytes go, then its row. A push of a marked blob waits until
 * the row is gone. Whoever marks holds the lock `garbage-collection`, so a mark without a holder of the lock was left by
 * a process that died, and whoever gets the lock finishes its work.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { BlobStore } from '../../shared/blob-store/blob-store.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, Transaction } from '../database.ts';
import { claimBlob } from './blob-links.ts';

/** Removing the bytes of a portion of blobs takes milliseconds; a very large file some hundreds. */
const claimDeadlineMs = 30_000;
const claimPauseMs = 20;

export class Removals {
  readonly #database: Database;
  readonly #blobStore: BlobStore;
  readonly #clock: Clock;

  constructor(options: { database: Database; blobStore: BlobStore; clock: Clock }) {
    this.#database = options.database;
    this.#blobStore = options.blobStore;
    this.#clock = options.clock;
  }

  /** Runs `work` as the only one that removes; `undefined` when somebody else does. */
  exclusively<T>(work: () => Promise<T>): Promise<T | undefined> {
    return this.#database.exclusively('garbage-collection', async () => {
      await this.#finishMarked();
      return work();
    });
  }

  /** Marks what `choose` gives and removes it. Only inside `exclusively`. */
  async remove<Blob extends { digest: Digest }>(
    choose: (tx: Transaction) => Promise<Blob[]>,
  ): Promise<Blob[]> {
    const removingAt = this.#clock();
    const blobs = await this.#database.transaction(async (tx) => {
      const chosen = await choose(tx);
      if (chosen.length === 0) return chosen;
      await tx('blobs').whereIn('blobs.digest', digestsOf(chosen)).update({ removing_at: removingAt });
      return chosen;
    });
    await this.#finish(digestsOf(blobs));
    return blobs;
  }

  /**
   * Announces a blob that is about to be published, waiting for a removal of the same blob to end.
   * @throws DomainError `storage-failed` when it does not
   */
  async claim(blob: { digest: Digest; sizeBytes: number }): Promise<void> {
    const deadline = performance.now() + claimDeadlineMs;
    while (!(await this.#database.transaction((tx) => claimBlob(tx, blob, this.#clock())))) {
      if (performance.now() > deadline) {
        throw new DomainError('storage-failed', 'the blob is being removed: try again', {
          detail: { digest: blob.digest },
        });
      }
      await this.exclusively(async () => {});
      await delay(claimPauseMs);
    }
  }

  async #finishMarked(): Promise<void> {
    const marked = await this.#database
      .queries('blobs')
      .whereNotNull('blobs.removing_at')
      .pluck('blobs.digest');
    await this.#finish(marked);
  }

  async #finish(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) await this.#blobStore.remove(digest);
    if (digests.length === 0) return;
    await this.#database.transaction((tx) =>
      tx('blobs').whereIn('blobs.digest', digests).whereNotNull('blobs.removing_at').delete(),
    );
  }
}

function digestsOf(blobs: readonly { digest: Digest }[]): Digest[] {
  return blobs.map(({ digest }) => digest);
}
