/** Blobs from one store to another, each held against its digest on the way. */
import { randomUUID } from 'node:crypto';
import type { BlobStore, StoredBlob } from '../../shared/blob-store/blob-store.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import { DomainError } from '../../shared/errors.ts';
import type { BlobRow, DatabaseCopy } from './database-copy.ts';

export interface Finding {
  readonly digest: Digest;
  readonly problem: 'damaged' | 'missing';
}

export interface CopyReport {
  /** Copied now; the others were there. */
  readonly copiedBlobs: number;
  readonly copiedBytes: number;
  readonly findings: readonly Finding[];
}

/** So that the waiting for a disk to sync one, which a small blob mostly is, goes on beside the others. */
const concurrentCopies = 4;

export interface Amount {
  blobs: number;
  sizeBytes: number;
}

/** Told after each blob. */
export type Progress = (done: Readonly<Amount>, all: Readonly<Amount>) => void;

/**
 * Copies the blobs that an origin on this database serves, unless they are in `to` in their size. One that is damaged or
 * missing does not end it.
 * @param options.verify says of which of those that are there the bytes are held against the digest, too
 */
export async function copyBlobs(
  database: DatabaseCopy,
  { from, to }: { from: BlobStore; to: BlobStore },
  options: { verify?: (digest: Digest) => boolean; progress: Progress },
): Promise<CopyReport> {
  const { verify = () => false, progress } = options;
  const all = database.countServedBlobs();
  const done: Amount = { blobs: 0, sizeBytes: 0 };
  const copied: Amount = { blobs: 0, sizeBytes: 0 };
  const findings: Finding[] = [];
  const blobs = database.servedBlobs();
  const work = async () => {
    // All of them take from the one iterator.
    for (const blob of blobs) {
      if (!(await isThere(blob, to, verify(blob.digest)))) {
        const problem = await copyBlob(blob, { from, to });
        if (problem === undefined) add(copied, blob);
        else findings.push({ digest: blob.digest, problem });
      }
      add(done, blob);
      progress(done, all);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: concurrentCopies }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { copiedBlobs: copied.blobs, copiedBytes: copied.sizeBytes, findings };
}

function add(amount: Amount, { sizeBytes }: BlobRow): void {
  amount.blobs += 1;
  amount.sizeBytes += sizeBytes;
}

async function isThere({ digest, sizeBytes }: BlobRow, store: BlobStore, verify: boolean): Promise<boolean> {
  if ((await store.stat(digest)) !== sizeBytes) return false;
  return !verify || (await store.check(digest)) === 'sound';
}

/** What is wrong with the blob in `from`, `undefined` once it is in `to`. */
async function copyBlob(
  { digest, sizeBytes }: BlobRow,
  { from, to }: { from: BlobStore; to: BlobStore },
): Promise<Finding['problem'] | undefined> {
  let blob: StoredBlob | undefined;
  try {
    blob = await from.open(digest);
    if (blob === undefined) return 'missing';
    if (blob.sizeBytes !== sizeBytes) return 'damaged';
    const writer = await to.begin(randomUUID());
    try {
      // As a range: the whole would be hashed on reading, and it is hashed on writing.
      for await (const piece of blob.read({ start: 0, end: sizeBytes - 1 })) {
        await writer.write(piece);
        // The piece is gone with the next one.
        await writer.flush();
      }
      await writer.publish(digest);
    } finally {
      if (writer.isOpen) await writer.discard();
    }
    return undefined;
  } catch (error) {
    if (error instanceof DomainError && damage.has(error.code)) return 'damaged';
    throw error;
  } finally {
    await blob?.close();
  }
}

const damage = new Set(['blob-damaged', 'digest-mismatch']);
