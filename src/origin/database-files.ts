/** The files of the SQLite database: whether they may be used as they are, and by whom. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';

/** Why the database cannot be used, in one line for the admin. */
export class DatabaseRefused extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DatabaseRefused';
  }
}

/** Where the SQLite database of a data directory is. */
export function databasePath(directory: string): string {
  return join(directory, 'dtr.db');
}

/** Blobs without their database would look like an empty registry: never begin anew beside them. */
export function assertNotLost(directory: string): void {
  const path = databasePath(directory);
  const missing = !existsSync(path) || statSync(path).size === 0;
  if (missing && existsSync(join(directory, 'blobs'))) {
    throw new DatabaseRefused(
      `the database ${path} is missing although there are blobs beside it: restore it from a backup`,
    );
  }
}

/**
 * After a kill, what was acknowledged last is in SQLite's log alone. SQLite itself would go on without it, as of some time
 * before. It removes the log after its index, so an index without a log is the work of somebody else.
 */
export function assertLogNotLost(path: string): void {
  if (existsSync(`${path}-wal`) || !existsSync(`${path}-shm`)) return;
  throw new DatabaseRefused(
    `the log ${path}-wal is missing, and with it what was written last: bring it back, or restore a backup, or remove ${path}-shm to start without it`,
  );
}

export function assertSound(path: string): void {
  if (!existsSync(path)) return;
  const complaint = findDamage(path);
  if (complaint !== undefined) {
    throw new DatabaseRefused(`the database ${path} is damaged (${complaint}): restore it from a backup`);
  }
}

/** What is wrong with the SQLite database, in one line; `undefined` when nothing is. */
export function findDamage(path: string): string | undefined {
  try {
    const database = new BetterSqlite3(path, { fileMustExist: true });
    try {
      const answer = String(database.pragma('quick_check(1)', { simple: true }));
      return answer === 'ok' ? undefined : answer.replace(/^\*{3}.*\*{3}\n/, '').replaceAll('\n', ' ');
    } finally {
      database.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * One origin per SQLite database, and none while its files are replaced.
 * @throws DatabaseRefused when an origin runs on the directory
 */
export function takeLock(directory: string): { close(): void } {
  let lock: BetterSqlite3.Database | undefined;
  try {
    lock = tryLock(join(directory, 'dtr.lock'));
  } catch (error) {
    throw new DatabaseRefused(`cannot use the directory ${directory}: ${(error as Error).message}`, error);
  }
  if (lock === undefined) throw new DatabaseRefused(`the data in ${directory} is in use by another origin`);
  return lock;
}

/** A lock held until it is closed, `undefined` when somebody has it. The system frees it when the process ends. */
export function tryLock(path: string): BetterSqlite3.Database | undefined {
  const lock = new BetterSqlite3(path, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

export function isBusy(error: unknown): boolean {
  return String((error as { code?: unknown })?.code).startsWith('SQLITE_BUSY');
}
