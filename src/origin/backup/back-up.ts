/** Making a backup beside a running origin: first the database as of one moment, then every blob that it names. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BlobStore } from '../../shared/blob-store/blob-store.ts';
import { DirectoryBlobStore } from '../../shared/blob-store/directory.ts';
import type { Clock } from '../../shared/clock.ts';
import { isSystemError } from '../../shared/errors.ts';
import { databasePath, findDamage } from '../database-files.ts';
import type { Removals } from '../images/removals.ts';
import {
  type BackupDescription,
  BackupRefused,
  currentFormat,
  databaseName,
  descriptionPath,
  readDescription,
  startedPath,
  timeName,
  timeNameGrammar,
} from './backup-file.ts';
import { type Amount, type CopyReport, copyBlobs, type Progress } from './copy-blobs.ts';
import { copyDatabase, DatabaseCopy } from './database-copy.ts';
import {
  copyFile,
  type FileSummary,
  replaceFile,
  summarizeFile,
  syncDirectory,
  syncFile,
} from './durable-files.ts';

export interface BackupReport extends CopyReport {
  readonly takenAt: string;
  /** All of the backup's. */
  readonly blobs: number;
  readonly sizeBytes: number;
  /** Blobs of the backup before that no image needs any more. */
  readonly removedBlobs: number;
}

export interface BackupOptions {
  /** Hold blobs that an earlier backup copied against their digests, too. */
  readonly verify: boolean;
  readonly progress: Progress;
  /** Called when it has to wait for a garbage collection, which would remove what it still wants to copy. */
  readonly waiting: () => void;
}

interface Origin {
  readonly dataDirectory: string;
  readonly blobStore: BlobStore;
  readonly removals: Removals;
  readonly clock: Clock;
}

const waitMs = 10 * 60_000;
const pauseMs = 50;

/** @throws BackupRefused; the system's errors when the directory cannot be written */
export async function backUp(origin: Origin, to: string, options: BackupOptions): Promise<BackupReport> {
  await assertFree(to);
  try {
    // All of it: two backups into one directory must not touch each other's files.
    return await withoutRemovals(origin.removals, options.waiting, () => backUpAlone(origin, to, options));
  } catch (error) {
    throw isDamage(error) ? damagedDatabase(origin, (error as Error).message, error) : error;
  }
}

async function backUpAlone(origin: Origin, to: string, options: BackupOptions): Promise<BackupReport> {
  const target = await prepareTarget(to);
  // Before the copy begins: what was acknowledged until then is in it.
  const takenAt = new Date(origin.clock()).toISOString();
  const state = join(to, timeName(takenAt));
  await mkdir(state, { mode: 0o700 });
  const place = { target, to, state, takenAt };
  const { description, copied } = await copyEverything(origin, place, options).catch(async (error) => {
    await rm(state, { recursive: true, force: true });
    throw error;
  });
  await replaceFile(descriptionPath(to), `${JSON.stringify(description, undefined, 2)}\n`);
  const removedBlobs = await removeUnneeded(to, target, description);
  await rm(startedPath(to));
  const { blobs, sizeBytes } = description;
  return { takenAt, blobs, sizeBytes, removedBlobs, ...copied };
}

/** @throws BackupRefused when there is something else in the directory */
async function assertFree(to: string): Promise<void> {
  if (!existsSync(to) || existsSync(startedPath(to)) || existsSync(descriptionPath(to))) return;
  if ((await readdir(to)).every((name) => name === 'lost+found')) return;
  throw new BackupRefused(`${to} holds something else than a backup: name an empty or a new directory`);
}

/** What a backup that was interrupted left of unfinished files goes. */
async function prepareTarget(to: string): Promise<DirectoryBlobStore> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  await writeFile(startedPath(to), '', { mode: 0o600 });
  await syncDirectory(dirname(to));
  const store = new DirectoryBlobStore(to, { smallBlobsBytes: 0 });
  await store.prepare();
  for await (const { session } of store.listSessions()) await (await store.resume(session))?.discard();
  return store;
}

/** Runs `work` while no blob is removed. @throws BackupRefused when a garbage collection does not end */
async function withoutRemovals<T>(
  removals: Removals,
  waiting: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (let tries = 0; ; tries += 1) {
    const done = await removals.exclusively(async () => ({ result: await work() }));
    if (done !== undefined) return done.result;
    if (tries === 0) waiting();
    if (performance.now() > deadline) {
      throw new BackupRefused('a garbage collection or another backup is still running: try again later');
    }
    await delay(pauseMs);
  }
}

async function copyEverything(
  origin: Origin,
  place: { target: BlobStore; to: string; state: string; takenAt: string },
  { verify, progress }: BackupOptions,
): Promise<{ description: BackupDescription; copied: CopyReport }> {
  const { target, to, state, takenAt } = place;
  const database = join(state, databaseName);
  await copyDatabase(origin.dataDirectory, database);
  const files = await copyOtherFiles(origin.dataDirectory, state);
  const damage = findDamage(database);
  if (damage !== undefined) throw damagedDatabase(origin, damage);
  const copy = new DatabaseCopy(database, { readonly: false });
  let all: Amount;
  let copied: CopyReport;
  try {
    await assertSameOrigin(to, copy);
    copy.detach();
    // What the origin lost may be sound in the backup before, and a restore brings it back.
    const suspects = copy.forgetDamaged();
    copied = await copyBlobs(
      copy,
      { from: origin.blobStore, to: target },
      { verify: (digest) => verify || suspects.has(digest), progress },
    );
    copy.markDamaged(copied.findings, origin.clock());
    all = copy.countServedBlobs();
  } finally {
    copy.close();
  }
  await syncFile(database);
  files.unshift({ name: databaseName, ...(await summarizeFile(database)) });
  await syncDirectory(state);
  await syncDirectory(to);
  const damagedBlobs = copied.findings.length;
  const description = {
    format: currentFormat,
    takenAt,
    directory: timeName(takenAt),
    files,
    ...all,
    damagedBlobs,
  } as const;
  return { description, copied };
}

function isDamage(error: unknown): boolean {
  return /^SQLITE_(?:CORRUPT|NOTADB)/.test(String((error as { code?: unknown }).code));
}

function damagedDatabase({ dataDirectory }: Origin, complaint: string, cause?: unknown): BackupRefused {
  return new BackupRefused(`the database ${databasePath(dataDirectory)} is damaged (${complaint})`, cause);
}

/** The admin's first password, the CA, certificates, and whatever else will lie beside the database one day. */
async function copyOtherFiles(from: string, to: string): Promise<({ name: string } & FileSummary)[]> {
  const files = [];
  for (const name of (await readdir(from)).sort()) {
    if (isOfThisPlace(name)) continue;
    try {
      if (!(await stat(join(from, name))).isFile()) continue;
      files.push({ name, ...(await copyFile(join(from, name), join(to, name))) });
    } catch (error) {
      // Somebody's temporary file.
      if (!isSystemError(error, 'ENOENT')) throw error;
    }
  }
  return files;
}

/** The database, which is copied by itself, locks, and marks of a restore. */
function isOfThisPlace(name: string): boolean {
  return name.startsWith(databaseName) || name.endsWith('.lock') || /\.lock-|^restore\./.test(name);
}

/** The backup before would be lost for one of another origin. @throws BackupRefused */
async function assertSameOrigin(to: string, copy: DatabaseCopy): Promise<void> {
  let before: string;
  try {
    before = join(to, (await readDescription(to)).directory, databaseName);
  } catch (error) {
    // Of what is not complete or damaged nobody can tell.
    if (error instanceof BackupRefused) return;
    throw error;
  }
  if (existsSync(before) && !copy.sharesAccounts(before)) {
    throw new BackupRefused(`${to} holds the backup of another origin: name a directory of its own`);
  }
}

async function removeUnneeded(
  to: string,
  target: BlobStore,
  { directory }: BackupDescription,
): Promise<number> {
  for (const name of await readdir(to)) {
    if (timeNameGrammar.test(name) && name !== directory) await rm(join(to, name), { recursive: true });
  }
  const copy = new DatabaseCopy(join(to, directory, databaseName), { readonly: true });
  let removed = 0;
  try {
    for await (const { digest } of target.list()) {
      if (copy.isServedBlob(digest)) continue;
      await target.remove(digest);
      removed += 1;
    }
  } finally {
    copy.close();
  }
  return removed;
}
