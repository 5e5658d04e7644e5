/**
 * Restoring a backup. The database comes last, by a rename: a restore that was interrupted leaves blobs without a database,
 * which no origin starts on, and goes on when it is run again.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { DirectoryBlobStore } from '../../shared/blob-store/directory.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import { databasePath, findDamage, takeLock } from '../database-files.ts';
import {
  type BackupDescription,
  BackupRefused,
  databaseName,
  readDescription,
  timeName,
} from './backup-file.ts';
import { copyBlobs, type Finding, type Progress } from './copy-blobs.ts';
import { DatabaseCopy } from './database-copy.ts';
import { copyFile, summarizeFile, syncDirectory, syncFile } from './durable-files.ts';

export interface RestoreReport {
  readonly takenAt: string;
  readonly blobs: number;
  readonly sizeBytes: number;
  /** Blobs whose bytes in the backup are not those of their digest any more: they count as absent. */
  readonly findings: readonly Finding[];
  /** Where the data are that had been there. */
  readonly keptAside: string | undefined;
}

export interface RestoreOptions {
  /** Where to restore to: a directory that is empty or absent. */
  readonly data: string;
  /** Otherwise, keep what is there aside under another name. */
  readonly replace: boolean;
  readonly progress: Progress;
  readonly clock: Clock;
}

/** @throws BackupRefused; DatabaseRefused when an origin runs on the data; the system's errors */
export async function restore(from: string, options: RestoreOptions): Promise<RestoreReport> {
  // Of a symbolic link, what it leads to.
  const data = existsSync(options.data) ? await realpath(options.data) : options.data;
  if (!relative(data, from).startsWith('..'))
    throw new BackupRefused(`the backup ${from} is inside of ${data}`);
  const description = await readDescription(from);
  const backup = new DirectoryBlobStore(from, { smallBlobsBytes: 0 });
  await checkFiles(from, description);
  await checkDatabase(from, description, backup);
  const keptAside = await makeRoom({ ...options, data });
  try {
    const findings = await fill({ ...options, data }, { from, description, backup });
    const { takenAt, blobs, sizeBytes } = description;
    return { takenAt, blobs, sizeBytes, findings, keptAside };
  } catch (error) {
    if (keptAside === undefined) throw error;
    const where = `what was in ${data} is in ${keptAside}`;
    throw new BackupRefused(`${(error as Error).message} (${where})`, error);
  }
}

async function fill(
  options: RestoreOptions,
  { from, description, backup }: { from: string; description: BackupDescription; backup: DirectoryBlobStore },
): Promise<readonly Finding[]> {
  const { data } = options;
  await mkdir(data, { recursive: true, mode: 0o700 });
  const lock = takeLock(data);
  try {
    await writeFile(startedPath(data), '', { mode: 0o600 });
    await new DirectoryBlobStore(data).prepare();
    await syncDirectory(data);
    await syncDirectory(dirname(data));
    // SQLite would bring what an interrupted restore had begun to write into the new file.
    await rm(`${unfinishedDatabase(data)}-journal`, { force: true });
    for (const { name } of description.files) {
      const path = name === databaseName ? unfinishedDatabase(data) : join(data, name);
      await rm(path, { force: true });
      await copyFile(join(from, description.directory, name), path);
    }
    const findings = await copyFromBackup(backup, options);
    await syncFile(unfinishedDatabase(data));
    await rename(unfinishedDatabase(data), databasePath(data));
    await syncDirectory(data);
    await rm(startedPath(data));
    return findings;
  } finally {
    lock.close();
  }
}

function startedPath(data: string): string {
  return join(data, 'restore.started');
}

function unfinishedDatabase(data: string): string {
  return join(data, 'restore.db');
}

async function checkFiles(from: string, { directory, files }: BackupDescription): Promise<void> {
  for (const { name, sizeBytes, sha256 } of files) {
    const path = join(from, directory, name);
    if (!existsSync(path)) throw new BackupRefused(`the backup is damaged: ${path} is missing`);
    const found = await summarizeFile(path);
    if (found.sizeBytes !== sizeBytes || found.sha256 !== sha256)
      throw new BackupRefused(`the backup is damaged: ${path} is not as it was written`);
  }
}

/** That it is sound and not newer, and that every blob is there in its size. */
async function checkDatabase(
  from: string,
  { directory }: BackupDescription,
  backup: DirectoryBlobStore,
): Promise<void> {
  const path = join(from, directory, databaseName);
  if (!existsSync(path)) throw new BackupRefused(`the backup is damaged: ${path} is missing`);
  const damage = findDamage(path);
  if (damage !== undefined) throw new BackupRefused(`the backup is damaged: ${path}: ${damage}`);
  const copy = new DatabaseCopy(path, { readonly: true });
  try {
    if (copy.isNewer())
      throw new BackupRefused(`the backup's database was written by a newer version of this program`);
    let first: Digest | undefined;
    let missing = 0;
    for (const { digest, sizeBytes } of copy.servedBlobs()) {
      if ((await backup.stat(digest)) === sizeBytes) continue;
      first ??= digest;
      missing += 1;
    }
    if (first !== undefined)
      throw new BackupRefused(
        `the backup is damaged: ${missing} blobs are missing or cut short, such as ${first}`,
      );
  } finally {
    copy.close();
  }
}

/** Where what was in the directory is now. @throws BackupRefused when it holds something that is to stay */
async function makeRoom({ data, replace, clock }: RestoreOptions): Promise<string | undefined> {
  const names = existsSync(data) ? await readdir(data) : [];
  const isInterrupted = existsSync(startedPath(data)) && !existsSync(databasePath(data));
  const ignored = new Set(['lost+found', 'dtr.lock', 'dtr.lock-journal']);
  if (isInterrupted || names.every((name) => ignored.has(name))) return undefined;
  if (!replace) {
    throw new BackupRefused(
      `${data} is not empty: restore into another directory, or add --replace to keep what is there aside`,
    );
  }
  const lock = takeLock(data);
  try {
    const aside = `${data}.before-${timeName(new Date(clock()).toISOString())}`;
    await rename(data, aside).catch((cause) => {
      throw new BackupRefused(`cannot move ${data} to ${aside}: ${cause.message}`, cause);
    });
    await syncDirectory(dirname(data));
    return aside;
  } finally {
    lock.close();
  }
}

/** Copies the blobs, and marks those that turn out to be damaged in the database that is not in its place yet. */
async function copyFromBackup(
  backup: DirectoryBlobStore,
  { data, progress, clock }: RestoreOptions,
): Promise<readonly Finding[]> {
  const copy = new DatabaseCopy(unfinishedDatabase(data), { readonly: false });
  try {
    const store = new DirectoryBlobStore(data, { smallBlobsBytes: 0 });
    const { findings } = await copyBlobs(copy, { from: backup, to: store }, { progress });
    copy.markDamaged(findings, clock());
    return findings;
  } finally {
    copy.close();
  }
}
