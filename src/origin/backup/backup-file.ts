/**
 * A backup on disk:
 *
 *     <backup>/backup.json                  what a complete backup holds; written last
 *     <backup>/<time>/dtr.db, ca.pem, …     the files of the data directory, as of then
 *     <backup>/blobs/sha256/ab/abcdef…      the blobs, as in the data directory
 *     <backup>/backup.started               one was begun here; without backup.json it never ended
 *
 * The next backup into the same directory adds a `<time>` and new blobs, then replaces backup.json, then removes what is no longer
 * needed: whenever it is interrupted, the one before is still whole. No file is ever written in place.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** Why a backup cannot be made or restored, in one line for the admin. */
export class BackupRefused extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'BackupRefused';
  }
}

/** Raised when a version before could not restore it. */
export const currentFormat = 1;
export const databaseName = 'dtr.db';

export function descriptionPath(backup: string): string {
  return join(backup, 'backup.json');
}

export function startedPath(backup: string): string {
  return join(backup, 'backup.started');
}

/** The name of the directory for the files of a backup, and whether a name is one. */
export function timeName(takenAt: string): string {
  return takenAt.replaceAll(/[:.]/g, '-');
}
export const timeNameGrammar = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/;

const count = z.int().nonnegative();

const descriptionSchema = z.object({
  format: z.literal(currentFormat),
  /** Whatever was acknowledged before is in the backup. */
  takenAt: z.iso.datetime(),
  /** The `<time>` with the files. */
  directory: z.string().regex(timeNameGrammar),
  files: z.array(
    z.object({
      // Plain names: a damaged description must not lead anywhere else.
      name: z.string().regex(/^(?!\.{1,2}$)[^/\0]+$/),
      sizeBytes: count,
      sha256: z.string().regex(/^[a-f0-9]{64}$/),
    }),
  ),
  blobs: count,
  sizeBytes: count,
  /** Blobs that the origin itself lacked; they count as absent after a restore. */
  damagedBlobs: count,
});

export type BackupDescription = z.infer<typeof descriptionSchema>;

/** @throws BackupRefused when there is no complete backup, or none that this version can read */
export async function readDescription(backup: string): Promise<BackupDescription> {
  const path = descriptionPath(backup);
  let description: unknown;
  try {
    description = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    if (existsSync(path)) throw new BackupRefused(`cannot read ${path}: ${(cause as Error).message}`, cause);
    if (existsSync(startedPath(backup)))
      throw new BackupRefused(`the backup in ${backup} was interrupted: run it again`, cause);
    throw new BackupRefused(`there is no backup in ${backup}: ${path} is missing`, cause);
  }
  const { format } = z.object({ format: z.number() }).catch({ format: 0 }).parse(description);
  if (format > currentFormat)
    throw new BackupRefused(`the backup in ${backup} was written by a newer version of this program`);
  const parsed = descriptionSchema.safeParse(description);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BackupRefused(`${path} is damaged: ${issue?.path.join('.')}: ${issue?.message}`);
}
