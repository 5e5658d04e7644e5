/** A running origin with everything that backing it up takes, and the helpers that its tests share. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import { type BackupReport, backUp } from '../../../src/origin/backup/back-up.ts';
import type { Progress } from '../../../src/origin/backup/copy-blobs.ts';
import { type RestoreReport, restore } from '../../../src/origin/backup/restore.ts';
import { openDatabaseBeside } from '../../../src/origin/database.ts';
import { GarbageCollection } from '../../../src/origin/images/garbage-collection.ts';
import { Removals } from '../../../src/origin/images/removals.ts';
import { DirectoryBlobStore } from '../../../src/shared/blob-store/directory.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import type { Digest } from '../../../src/shared/distribution/digest.ts';
import { startTestOrigin, type TestOrigin } from '../../setup/origin.ts';

export interface OriginToBackUp {
  readonly origin: TestOrigin;
  readonly collection: GarbageCollection;
  backUp(to: string, options?: { verify?: boolean; progress?: Progress }): Promise<BackupReport>;
}

export async function startOriginToBackUp(): Promise<OriginToBackUp> {
  const origin = await startTestOrigin();
  const { dataDirectory } = origin;
  const database = await openDatabaseBeside(dataDirectory);
  after(() => database.close());
  const parts = { database, blobStore: new DirectoryBlobStore(dataDirectory), clock: systemClock };
  const removals = new Removals(parts);
  return {
    origin,
    collection: new GarbageCollection({ ...parts, removals }),
    backUp: (to, { verify = false, progress = () => {} } = {}) =>
      backUp({ ...parts, removals, dataDirectory }, to, { verify, progress, waiting: () => {} }),
  };
}

export function restoreTo(
  data: string,
  from: string,
  options: { replace?: boolean; progress?: Progress } = {},
): Promise<RestoreReport> {
  const { replace = false, progress = () => {} } = options;
  return restore(from, { data, replace, progress, clock: systemClock });
}

/** Of a data directory or of a backup. */
export function blobPath(directory: string, digest: Digest): string {
  const hex = digest.slice('sha256:'.length);
  return join(directory, 'blobs/sha256', hex.slice(0, 2), hex);
}

/** As a disk does it: the size stays. */
export async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  await writeFile(path, bytes);
}
