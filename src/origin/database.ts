/** The SQL database: opening, migrating, transactions. Only the rooms of the domain write queries. */
import { existsSync, readdirSync } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import BetterSqlite3 from 'better-sqlite3';
import createKnex, { type Knex } from 'knex';
import { DomainError } from '../shared/errors.ts';
import {
  assertLogNotLost,
  assertNotLost,
  assertSound,
  DatabaseRefused,
  databasePath,
  isBusy,
  takeLock,
  tryLock,
} from './database-files.ts';

/** Where a query runs: a transaction, or the database outside of any. Always the first argument. */
export type Queryable = Knex;
export type Transaction = Knex.Transaction;
/** A query being built. */
export type Query = Knex.QueryBuilder;

/** A single-row query compiled once: for the paths that every pull takes. */
export type PreparedRow<Row> = (...parameters: (string | number)[]) => Promise<Row | undefined>;
/** The same for a few rows. */
export type PreparedRows<Row> = (...parameters: (string | number)[]) => Promise<readonly Row[]>;

/** Rows remembered per question, unless it says more; manifests are among them, so not too many. */
const maximumRemembered = 1000;
/** Compiled statements that are kept for knex. */
const maximumStatements = 500;
/** How long a transaction waits for the write lock that another process holds. */
const writeTurnMs = 15_000;
/** SQLite waits in the thread of all requests, so only this long at a time; between two tries others have their turn. */
const busyTimeoutMs = 20;
const busyPauseMs = 25;

export class Database {
  /** Queries outside a transaction. Never use it inside one: SQLite has a single writing connection. */
  readonly queries: Queryable;
  readonly #directory: string;
  readonly #reader: BetterSqlite3.Database;
  readonly #lock: { close(): void } | undefined;
  /** Changes whenever another connection has committed. */
  readonly #dataVersion: BetterSqlite3.Statement;
  /** `undefined` when it must be asked for again. */
  #knownVersion: unknown;

  constructor(parts: {
    queries: Knex;
    directory: string;
    reader: BetterSqlite3.Database;
    lock: { close(): void } | undefined;
  }) {
    const { queries, directory, reader, lock } = parts;
    this.queries = queries;
    this.#directory = directory;
    this.#reader = reader;
    this.#lock = lock;
    this.#dataVersion = reader.prepare('PRAGMA data_version').pluck();
    // Whatever this process writes, in a transaction or outside, its next read sees.
    queries.on('query-response', () => this.#forgetVersion());
  }

  /**
   * Runs `work` in one transaction; it commits when `work` resolves. While another process writes, this one waits its turn
   * without standing in the way of requests that only read.
   * @throws DomainError `storage-failed` when the turn does not come
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const deadline = performance.now() + writeTurnMs;
    for (;;) {
      try {
        return await this.queries.transaction(async (tx) => {
          // Changes nothing, but makes SQLite take the write lock now: later it could no longer be waited for.
          await tx('signing_keys').where(tx.raw('0 = 1')).delete();
          return work(tx);
        });
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (performance.now() > deadline) {
          throw new DomainError('storage-failed', 'the database is busy: try again', { cause: error });
        }
        await delay(busyPauseMs);
      } finally {
        this.#forgetVersion();
      }
    }
  }

  /**
   * Runs `work` while no other process does the same kind of work; `undefined` when one does. The lock is the system's: it
   * ends with the process, however that ends.
   */
  async exclusively<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    const lock = tryLock(join(this.#directory, `${name}.lock`));
    if (lock === undefined) return undefined;
    try {
      return await work();
    } finally {
      lock.close();
    }
  }

  /** Whether somebody does that kind of work right now, in this process or another. */
  isDoing(name: string): boolean {
    const path = join(this.#directory, `${name}.lock`);
    if (!existsSync(path)) return false;
    const lock = new BetterSqlite3(path, { readonly: true, timeout: 0 });
    try {
      lock.prepare('SELECT count(*) FROM sqlite_master').get();
      return false;
    } catch (error) {
      if (isBusy(error)) return true;
      throw error;
    } finally {
      lock.close();
    }
  }

  /** How many migrations made the schema what it is. */
  async countMigrations(): Promise<number> {
    const [row] = await this.queries('knex_migrations').count({ total: '*' });
    return Number(row?.total ?? 0);
  }

  /**
   * Compiles a query for one row. `build` writes each parameter as the text `:1`, `:2`, …
   *
   * Reads run on a connection of their own: they see what is committed and nothing else, and never wait for a
   * transaction. A row is remembered until anything at all is committed, by this process or another: SQLite tells
   * (`data_version`), so what is given is always what a query would give now. Measured: 0.3 µs a remembered row and 3 µs
   * for asking, 20 to 30 µs for the join that a manifest takes, 60 to 120 µs for a query that knex builds anew.
   * `assertSound` throws for a row that must not be used; `maximum` is how many rows are remembered.
   */
  prepare<Row>(
    build: (queries: Queryable) => Query,
    options: { assertSound?: (row: Row) => void; maximum?: number } = {},
  ): PreparedRow<Row> {
    const ask = (statement: BetterSqlite3.Statement, values: readonly unknown[]) => {
      const row = statement.get(...values) as Row | undefined;
      if (row !== undefined) options.assertSound?.(row);
      return row;
    };
    return this.#remembering<Row | undefined>(build, ask, options.maximum);
  }

  /** Compiles a query for a few rows, as `prepare` does for one. */
  prepareRows<Row>(build: (queries: Queryable) => Query): PreparedRows<Row> {
    return this.#remembering<readonly Row[]>(build, (statement, values) => statement.all(...values) as Row[]);
  }

  /** A memory for what is put together from several of these: asked for once per key until anything is committed. */
  remember<Value>(maximum: number): (key: string, ask: () => Promise<Value>) => Promise<Value> {
    const remembered = new Map<string, Promise<Value>>();
    let version: unknown;
    return (key, ask) => {
      const now = this.#version();
      if (now !== version || remembered.size >= maximum) remembered.clear();
      version = now;
      let value = remembered.get(key);
      if (value === undefined) {
        value = ask();
        remembered.set(key, value);
        value.catch(() => remembered.delete(key));
      }
      return value;
    };
  }

  #remembering<Answer>(
    build: (queries: Queryable) => Query,
    ask: (statement: BetterSqlite3.Statement, values: readonly unknown[]) => Answer,
    maximum = maximumRemembered,
  ): (...parameters: (string | number)[]) => Promise<Answer> {
    const { sql, bindings } = build(this.queries).toSQL().toNative();
    const order = (bindings as unknown[]).map((binding) => {
      const marker = /^:(\d+)$/.exec(String(binding));
      if (marker !== null) return { parameter: Number(marker[1]) - 1 };
      // SQLite has no booleans, and its driver refuses to guess.
      return { value: typeof binding === 'boolean' ? Number(binding) : binding };
    });
    const statement = this.#reader.prepare(sql);
    const remembered = new Map<string | number, Answer>();
    let version: unknown;
    return async (...parameters) => {
      const now = this.#version();
      if (now !== version || remembered.size >= maximum) remembered.clear();
      version = now;
      const [only] = parameters;
      const key = parameters.length === 1 && only !== undefined ? only : parameters.join('\n');
      if (remembered.has(key)) return remembered.get(key) as Answer;
      const values = order.map((item) => ('value' in item ? item.value : parameters[item.parameter]));
      const answer = ask(statement, values);
      remembered.set(key, answer);
      return answer;
    };
  }

  /**
   * Asked once for what goes on without waiting for anything, a whole batch of requests: each of them had been sent before, so
   * what another process commits after the asking is not yet owed to them.
   */
  #version(): unknown {
    if (this.#knownVersion === undefined) {
      this.#knownVersion = this.#dataVersion.get();
      process.nextTick(() => this.#forgetVersion());
    }
    return this.#knownVersion;
  }

  #forgetVersion(): void {
    this.#knownVersion = undefined;
  }

  /**
   * How large the log of writes is that SQLite has not brought into the database yet, in bytes. It grows while another
   * process holds a read transaction open.
   */
  async unmergedBytes(): Promise<number> {
    const stats = await stat(`${databasePath(this.#directory)}-wal`).catch(() => undefined);
    return stats?.size ?? 0;
  }

  async close(): Promise<void> {
    this.#reader.close();
    // Last, because it may write: then SQLite brings its log into the database, which is one file afterwards.
    await this.queries.destroy();
    this.#lock?.close();
  }
}

/**
 * Opens (or creates) the SQLite database `<directory>/dtr.db` for an origin and migrates it.
 * @throws DatabaseRefused when it is damaged, newer than this program, lost, or used by another origin
 */
export async function openDatabase(directory: string): Promise<Database> {
  const path = databasePath(directory);
  assertNotLost(directory);
  const lock = takeLock(directory);
  try {
    assertLogNotLost(path);
    assertSound(path);
    return await open(directory, lock, (queries) => migrate(queries, path));
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * Opens the database of an origin that may be running, for work beside it.
 * @throws DatabaseRefused when there is none, or when it is not of this version
 */
export async function openDatabaseBeside(directory: string): Promise<Database> {
  const path = databasePath(directory);
  if (!existsSync(path)) throw new DatabaseRefused(`there is no database ${path}`);
  assertLogNotLost(path);
  return open(directory, undefined, (queries) => assertMigrated(queries, path));
}

async function open(
  directory: string,
  lock: { close(): void } | undefined,
  prepareSchema: (queries: Knex) => Promise<void>,
): Promise<Database> {
  const path = databasePath(directory);
  const queries = createKnex({
    client: 'better-sqlite3',
    connection: { filename: path },
    useNullAsDefault: true,
    acquireConnectionTimeout: 10_000,
    pool: {
      min: 1,
      max: 1,
      afterCreate: (connection: BetterSqlite3.Database, done: (error: unknown) => void) => {
        // FULL, explicitly: an acknowledged push survives a power loss (threats P1).
        connection.pragma('journal_mode = WAL');
        connection.pragma('synchronous = FULL');
        connection.pragma('foreign_keys = ON');
        connection.pragma(`busy_timeout = ${busyTimeoutMs}`);
        connection.pragma('journal_size_limit = 67108864');
        keepStatements(connection);
        done(null);
      },
    },
  });
  try {
    await prepareSchema(queries);
    await chmod(path, 0o600);
    return new Database({ queries, directory, reader: new BetterSqlite3(path, { readonly: true }), lock });
  } catch (error) {
    await queries.destroy();
    throw error;
  }
}

/**
 * Keeps what knex has compiled: it does so anew each time it asks, and the driver compiles a function besides that makes the
 * rows. Measured: a third of what a page of a list takes.
 */
function keepStatements(connection: BetterSqlite3.Database): void {
  const compile = connection.prepare.bind(connection);
  const kept = new Map<string, BetterSqlite3.Statement>();
  const prepare = (sql: string): BetterSqlite3.Statement => {
    // Whatever was compiled before may have other columns now.
    if (/^(?:create|alter|drop)\b/i.test(sql)) kept.clear();
    const statement = kept.get(sql) ?? compile(sql);
    // A Map iterates in order of insertion: the least recently used is the first.
    kept.delete(sql);
    kept.set(sql, statement);
    const [oldest] = kept.keys();
    if (kept.size > maximumStatements && oldest !== undefined) kept.delete(oldest);
    return statement;
  };
  connection.prepare = prepare as typeof connection.prepare;
}

/** Brings the schema to this version. Each migration is one transaction: an interrupted one can be run again. */
async function migrate(queries: Knex, path: string): Promise<void> {
  try {
    // Throws for a database of a newer version, before anything is written.
    await queries.migrate.list({ migrationSource });
    // A process that was killed in a migration left knex's own lock behind. Ours says that there is no other.
    await queries.migrate.forceFreeMigrationsLock({ migrationSource });
    await queries.migrate.latest({ migrationSource });
  } catch (error) {
    if (String(error).includes('corrupt')) throw newerDatabase(path, error);
    throw error;
  }
}

async function assertMigrated(queries: Knex, path: string): Promise<void> {
  let pending: unknown[];
  try {
    [, pending] = (await queries.migrate.list({ migrationSource })) as [unknown[], unknown[]];
  } catch (error) {
    if (String(error).includes('corrupt')) throw newerDatabase(path, error);
    throw error;
  }
  if (pending.length > 0) {
    throw new DatabaseRefused(
      `the database ${path} was written by an older version: start this version's origin on it first`,
    );
  }
}

function newerDatabase(path: string, cause: unknown): DatabaseRefused {
  return new DatabaseRefused(`the database ${path} was written by a newer version of this program`, cause);
}

const migrationsDirectory = join(import.meta.dirname, '../../migrations');

/** Every migration that this version knows, in order. */
export function listMigrations(): string[] {
  return readdirSync(migrationsDirectory)
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => listMigrations(),
  getMigrationName: (name) => name,
  getMigration: (name) => import(pathToFileURL(join(migrationsDirectory, name)).href),
};
