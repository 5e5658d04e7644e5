/**
 * What is kept: of each blob its size, when it was filled and when it was last pulled. An SQLite file beside the blobs, of
 * which nothing but eviction depends: it is read as it is at the start, held against the disk in the background, and begun
 * anew when it is damaged. Pulls are gathered in memory and written down now and then, beside the requests.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { BlobStore } from '../shared/blob-store/blob-store.ts';
import type { Clock } from '../shared/clock.ts';
import type { Digest } from '../shared/distribution/digest.ts';
import type { Logger } from '../shared/logging.ts';

export interface Entry {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

interface Row {
  digest: Digest;
  size_bytes: number;
}

const schema = `
  CREATE TABLE IF NOT EXISTS entries (
    digest TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, filled_at INTEGER NOT NULL, last_pull INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entries_by_last_pull ON entries (last_pull);
  CREATE INDEX IF NOT EXISTS entries_by_filled_at ON entries (filled_at);
  CREATE TABLE IF NOT EXISTS total (bytes INTEGER NOT NULL);
  INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM total);
  CREATE TRIGGER IF NOT EXISTS entry_added AFTER INSERT ON entries
    BEGIN UPDATE total SET bytes = bytes + NEW.size_bytes; END;
  CREATE TRIGGER IF NOT EXISTS entry_removed AFTER DELETE ON entries
    BEGIN UPDATE total SET bytes = bytes - OLD.size_bytes; END;
  CREATE TRIGGER IF NOT EXISTS entry_changed AFTER UPDATE OF size_bytes ON entries
    BEGIN UPDATE total SET bytes = bytes + NEW.size_bytes - OLD.size_bytes; END;
  CREATE TABLE IF NOT EXISTS entry_count (entries INTEGER NOT NULL);
  INSERT INTO entry_count SELECT (SELECT count(*) FROM entries) WHERE NOT EXISTS (SELECT 1 FROM entry_count);
  CREATE TRIGGER IF NOT EXISTS entry_counted AFTER INSERT ON entries
    BEGIN UPDATE entry_count SET entries = entries + 1; END;
  CREATE TRIGGER IF NOT EXISTS entry_uncounted AFTER DELETE ON entries
    BEGIN UPDATE entry_count SET entries = entries - 1; END;
`;
/** So many rows at once take about a millisecond. */
const batchRows = 500;
/** Pulls that could not be written down are forgotten beyond this. */
const maximumPending = 200_000;

interface Pull {
  readonly sizeBytes: number;
  readonly at: number;
}

export class Entries {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pending = new Map<Digest, Pull>();
  #database: Database;
  #closed = false;

  /** `directory`: where `entries.sqlite` is. */
  constructor(options: { directory: string; clock: Clock; logger: Logger }) {
    this.#path = join(options.directory, 'entries.sqlite');
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#database = this.#open();
  }

  /** The blob was pulled, or filled, just now. */
  touch(digest: Digest, sizeBytes: number): void {
    // The least recently pulled stays the first.
    this.#pending.delete(digest);
    this.#pending.set(digest, { sizeBytes, at: this.#clock() });
    if (this.#pending.size <= maximumPending) return;
    const [oldest] = this.#pending.keys();
    this.#pending.delete(oldest as Digest);
  }

  /** The size that the blob had when it was filled; `undefined` when that is not known. */
  sizeBytes(digest: Digest): number | undefined {
    const pending = this.#pending.get(digest);
    if (pending !== undefined) return pending.sizeBytes;
    return this.#ask(
      (database) =>
        database
          .prepare<[string], number>('SELECT size_bytes FROM entries WHERE digest = ?')
          .pluck()
          .get(digest),
      undefined,
    );
  }

  /** True if it was known. */
  forget(digest: Digest): boolean {
    const isPending = this.#pending.delete(digest);
    const changes = this.#ask(
      (database) => database.prepare('DELETE FROM entries WHERE digest = ?').run(digest).changes,
      0,
    );
    return isPending || changes > 0;
  }

  /** Some of the blobs that nobody pulled since `time` (ms since the epoch), the one that waits for longest first. */
  idleSince(time: number): Entry[] {
    return this.#list('WHERE last_pull < ? ORDER BY last_pull', time);
  }

  /** Some of the blobs that were filled before `time`. */
  filledBefore(time: number): Entry[] {
    return this.#list('WHERE filled_at < ? ORDER BY filled_at', time);
  }

  /** Some of the blobs, the least recently pulled first. */
  leastRecentlyPulled(): Entry[] {
    const written = this.#list('WHERE last_pull < ? ORDER BY last_pull', Number.MAX_SAFE_INTEGER);
    const older = written.filter(({ digest }) => !this.#pending.has(digest));
    if (older.length > 0) return older;
    // On a full disk nothing can be written down: what is pending is all that there is.
    return [...this.#pending].slice(0, batchRows).map(([digest, { sizeBytes }]) => ({ digest, sizeBytes }));
  }

  /** Blobs by digest, those after that one; without some that were filled since the last `save`. */
  digestsAfter(digest: string, count: number): Digest[] {
    return this.#ask(
      (database) =>
        database
          .prepare<[string, number], Digest>(
            'SELECT digest FROM entries WHERE digest > ? ORDER BY digest LIMIT ?',
          )
          .pluck()
          .all(digest, count),
      [],
    );
  }

  /** All blobs together; of those that were pulled since the last `save`, some may be counted twice. */
  totalBytes(): number {
    const written = this.#ask(
      (database) => database.prepare<[], number>('SELECT bytes FROM total').pluck().get() ?? 0,
      0,
    );
    return [...this.#pending.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, written);
  }

  /** All blobs, and how many; of those pulled since the last `save`, some may be missing. */
  stored(): { blobs: number; bytes: number } {
    return this.#ask(
      (database) =>
        database
          .prepare<[], { blobs: number; bytes: number }>(
            'SELECT entry_count.entries AS blobs, total.bytes FROM entry_count, total',
          )
          .get() ?? { blobs: 0, bytes: 0 },
      { blobs: 0, bytes: 0 },
    );
  }

  /** Writes down the pulls since the last time, a few at a time. A failure is logged: it costs precision, not blobs. */
  async save(): Promise<void> {
    while (this.#pending.size > 0 && !this.#closed) {
      const batch = [...this.#pending].slice(0, batchRows);
      if (!this.#write(batch)) return;
      for (const [digest, pull] of batch)
        if (this.#pending.get(digest) === pull) this.#pending.delete(digest);
      await nextTurn();
    }
  }

  /**
   * Holds the index against what is stored, beside the requests. A blob that the index does not know counts as pulled now
   * and filled when it was stored; one that is not stored any more is forgotten.
   */
  async reconcile(store: BlobStore): Promise<void> {
    let found: (readonly [Digest, number, number])[] = [];
    for await (const { digest, sizeBytes, storedAtMs } of store.list()) {
      if (this.#closed) return;
      found.push([digest, sizeBytes, storedAtMs]);
      if (found.length < batchRows) continue;
      this.#add(found);
      found = [];
      await nextTurn();
    }
    this.#add(found);
    await this.#forgetMissing(store);
  }

  /** Writes down what is left and closes the file. */
  async close(): Promise<void> {
    await this.save();
    this.#closed = true;
    this.#database.close();
  }

  async #forgetMissing(store: BlobStore): Promise<void> {
    let after = '';
    for (;;) {
      if (this.#closed) return;
      const rows = this.#ask(
        (database) =>
          database
            .prepare<[string, number], Row>(
              'SELECT digest, size_bytes FROM entries WHERE digest > ? ORDER BY digest LIMIT ?',
            )
            .all(after, batchRows),
        [],
      );
      for (const { digest } of rows) {
        if ((await store.stat(digest)) === undefined && !this.#closed) this.forget(digest);
      }
      if (rows.length < batchRows) return;
      after = (rows.at(-1) as Row).digest;
    }
  }

  #add(found: readonly (readonly [Digest, number, number])[]): void {
    const now = this.#clock();
    this.#ask((database) => {
      const insert = database.prepare(
        'INSERT INTO entries (digest, size_bytes, filled_at, last_pull) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      );
      // A time from the future would never expire.
      const future = database.prepare(
        'UPDATE entries SET last_pull = min(last_pull, @now), filled_at = min(filled_at, @now) WHERE digest = @digest AND (last_pull > @now OR filled_at > @now)',
      );
      database.transaction(() => {
        for (const [digest, sizeBytes, storedAtMs] of found) {
          const filledAt = Math.floor(Math.min(storedAtMs, now));
          if (insert.run(digest, sizeBytes, filledAt, now).changes === 0) future.run({ now, digest });
        }
      })();
    }, undefined);
  }

  #write(batch: readonly (readonly [Digest, Pull])[]): boolean {
    return this.#ask((database) => {
      const upsert = database.prepare(
        `INSERT INTO entries (digest, size_bytes, filled_at, last_pull) VALUES (@digest, @sizeBytes, @at, @at)
         ON CONFLICT (digest) DO UPDATE SET last_pull = excluded.last_pull`,
      );
      database.transaction(() => {
        for (const [digest, { sizeBytes, at }] of batch)
          upsert.run({ digest, sizeBytes, at: Math.floor(at) });
      })();
      return true;
    }, false);
  }

  #list(condition: string, value: number): Entry[] {
    const rows = this.#ask(
      (database) =>
        database
          .prepare<[number, number], Row>(`SELECT digest, size_bytes FROM entries ${condition} LIMIT ?`)
          .all(value, batchRows),
      [],
    );
    return rows.map((row) => ({ digest: row.digest, sizeBytes: row.size_bytes }));
  }

  /** What the file answers, or `otherwise`; a file that is damaged is begun anew. */
  #ask<T>(ask: (database: Database) => T, otherwise: T): T {
    if (this.#closed) return otherwise;
    try {
      return ask(this.#database);
    } catch (error) {
      this.#logger.warn({ err: error }, 'the index of stored blobs does not answer');
      if (isDamaged(error)) {
        this.#database.close();
        this.#database = this.#open();
      }
      return otherwise;
    }
  }

  #open(): Database {
    for (const attempt of ['as it is', 'anew', 'in memory']) {
      try {
        if (attempt === 'anew')
          for (const end of ['', '-wal', '-shm']) rmSync(this.#path + end, { force: true });
        return openDatabase(attempt === 'in memory' ? ':memory:' : this.#path);
      } catch (error) {
        this.#logger.warn({ err: error }, `the index of stored blobs cannot be opened ${attempt}`);
      }
    }
    throw new Error('no index of stored blobs can be opened, not even in memory');
  }
}

function openDatabase(path: string): Database {
  const database = new SqliteDatabase(path, { timeout: 100 });
  try {
    // A power loss may cost the last pulls, or the file: neither costs a blob.
    for (const pragma of ['journal_mode = WAL', 'synchronous = OFF', 'journal_size_limit = 16777216']) {
      database.pragma(pragma);
    }
    database.exec(schema);
    // Columns of another make are found out now.
    database.prepare('SELECT digest, size_bytes, filled_at, last_pull FROM entries LIMIT 1').get();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isDamaged(error: unknown): boolean {
  return /^SQLITE_(?:CORRUPT|NOTADB)/.test((error as { code?: string }).code ?? '');
}
