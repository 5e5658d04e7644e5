/** Data with everything that backing it up takes, and looks into what was restored. */
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import { type BackupReport, backUp } from '../../../src/origin/backup/back-up.ts';
import type { Progress } from '../../../src/origin/backup/copy-blobs.ts';
import { type RestoreReport, restore } from '../../../src/origin/backup/restore.ts';
import { openDatabaseBeside } from '../../../src/origin/database.ts';
import { GarbageCollection } from '../../../src/origin/images/garbage-collection.ts';
import { Removals } from '../../../src/origin/images/removals.ts';
import { DirectoryBlobStore } from '../../../src/shared/blob-store/directory.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { type Digest, digestOf } from '../../../src/shared/distribution/digest.ts';

export interface DataToBackUp {
  readonly collection: GarbageCollection;
  backUp(to: string, options?: { verify?: boolean; progress?: Progress }): Promise<BackupReport>;
}

/** Data that an origin may be running on. */
export async function openDataToBackUp(dataDirectory: string): Promise<DataToBackUp> {
  const database = await openDatabaseBeside(dataDirectory);
  after(() => database.close());
  const parts = { database, blobStore: new DirectoryBlobStore(dataDirectory), clock: systemClock };
  const removals = new Removals(parts);
  return {
    collection: new GarbageCollection({ ...parts, removals }),
    backUp: (to, { verify = false, progress = () => {} } = {}) =>
      backUp({ ...parts, removals, dataDirectory }, to, { verify, progress, waiting: () => {} }),
  };
}

/** What an origin on that data would find under the tag: the manifest's digest, and of its blobs those that are there. */
export function findImage(
  data: string,
  repository: string,
  tag: string,
): { digest: Digest; blobs: Digest[] } | undefined {
  const database = new BetterSqlite3(join(data, 'dtr.db'), { readonly: true });
  try {
    const row = database
      .prepare(
        `SELECT manifests.digest, manifests.bytes FROM repositories
         JOIN tags ON tags.repository_id = repositories.id
         JOIN manifests ON manifests.repository_id = repositories.id AND manifests.digest = tags.digest
         WHERE repositories.name = ? AND tags.name = ?`,
      )
      .get(repository, tag) as { digest: Digest; bytes: Buffer } | undefined;
    if (row === undefined) return undefined;
    const { config, layers } = JSON.parse(row.bytes.toString());
    const named: Digest[] = [config, ...layers].map(({ digest }) => digest);
    const isServed = database.prepare('SELECT 1 FROM blobs WHERE digest = ? AND damaged_at IS NULL');
    const isThere = (digest: Digest) =>
      isServed.get(digest) !== undefined && digestOf(readFileSync(blobPath(data, digest))) === digest;
    return { digest: row.digest, blobs: named.filter(isThere) };
  } finally {
    database.close();
  }
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
