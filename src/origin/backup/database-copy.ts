/**
 * A copy of the SQLite database as a file of its own: made while the origin writes, and asked what a backup must hold.
 *
 * SQLite's backup API copies pages in steps and begins anew when another process has written in between; inside a read
 * transaction it sees one point in time, and the log of writes (WAL) lets writers go on. See
 * docs/decisions/0010-a-backup-beside-pushes.md.
 */
import { chmod } from 'node:fs/promises';
import BetterSqlite3 from 'better-sqlite3';
import type { Digest } from '../../shared/distribution/digest.ts';
import { listMigrations } from '../database.ts';
import { databasePath } from '../database-files.ts';

/** About 10 MiB, after each of which other work of this process has its turn. */
const pagesPerStep = 2500;

export interface BlobRow {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Copies the database of the data directory as it is committed at one moment. `path` must not exist. */
export async function copyDatabase(dataDirectory: string, path: string): Promise<void> {
  const source = new BetterSqlite3(databasePath(dataDirectory), { readonly: true, fileMustExist: true });
  try {
    source.exec('BEGIN');
    // The transaction begins with its first read.
    source.prepare('SELECT 1 FROM sqlite_schema').get();
    await source.backup(path, { progress: () => pagesPerStep });
  } finally {
    source.close();
  }
  await chmod(path, 0o600);
}

export class DatabaseCopy {
  readonly #copy: BetterSqlite3.Database;
  #findServed: BetterSqlite3.Statement | undefined;

  /** @throws Error when there is no such file, or it is no database */
  constructor(path: string, options: { readonly: boolean }) {
    this.#copy = new BetterSqlite3(path, { ...options, fileMustExist: true });
  }

  /** Makes it stand for itself. */
  detach(): void {
    // Without a log beside it, so that it can also be read from a medium that cannot be written.
    this.#copy.pragma('journal_mode = DELETE');
    // The bytes of unfinished uploads are not part of a backup.
    this.#copy.exec('DELETE FROM uploads');
  }

  /** True when a newer version of this program wrote it. */
  isNewer(): boolean {
    const known = new Set(listMigrations());
    const run = this.#copy.prepare('SELECT name FROM knex_migrations').pluck().all();
    return run.some((name) => !known.has(String(name)));
  }

  /** The blobs that an origin on this database serves: linked to a repository, and not known to be damaged. */
  servedBlobs(): IterableIterator<BlobRow> {
    return this.#copy
      .prepare(`SELECT digest, size_bytes AS sizeBytes FROM blobs WHERE ${isServed} ORDER BY digest`)
      .iterate() as IterableIterator<BlobRow>;
  }

  countServedBlobs(): { blobs: number; sizeBytes: number } {
    return this.#copy
      .prepare(
        `SELECT count(*) AS blobs, coalesce(sum(size_bytes), 0) AS sizeBytes FROM blobs WHERE ${isServed}`,
      )
      .get() as { blobs: number; sizeBytes: number };
  }

  isServedBlob(digest: Digest): boolean {
    this.#findServed ??= this.#copy.prepare(`SELECT 1 FROM blobs WHERE digest = ? AND ${isServed}`);
    return this.#findServed.get(digest) !== undefined;
  }

  /** Forgets which blobs the origin knows to be damaged, and says which these were. */
  forgetDamaged(): Set<Digest> {
    const digests = this.#copy
      .prepare('UPDATE blobs SET damaged_at = NULL WHERE damaged_at IS NOT NULL RETURNING digest')
      .pluck()
      .all();
    return new Set(digests as Digest[]);
  }

  /** They count as absent from now on, so that the next push brings them again. */
  markDamaged(blobs: readonly { digest: Digest }[], now: number): void {
    const mark = this.#copy.prepare('UPDATE blobs SET damaged_at = ? WHERE digest = ?');
    this.#copy.transaction(() => {
      for (const { digest } of blobs) mark.run(now, digest);
    })();
  }

  /** True when an account of this database is in the other one, too: both are of one origin. */
  sharesAccounts(path: string): boolean {
    this.#copy.prepare('ATTACH ? AS other').run(path);
    try {
      const shared = 'SELECT 1 FROM accounts WHERE id IN (SELECT id FROM other.accounts)';
      return this.#copy.prepare(shared).get() !== undefined;
    } finally {
      this.#copy.exec('DETACH other');
    }
  }

  close(): void {
    this.#copy.close();
  }
}

const isServed = `damaged_at IS NULL
  AND EXISTS (SELECT 1 FROM repository_blobs WHERE repository_blobs.digest = blobs.digest)`;
