/** `dtr admin backup`: a copy of everything, also while the origin runs. */
import { resolve } from 'node:path';
import { DirectoryBlobStore } from '../../shared/blob-store/directory.ts';
import { formatBytes } from '../../shared/byte-size.ts';
import { systemClock } from '../../shared/clock.ts';
import { type BackupReport, backUp } from '../backup/back-up.ts';
import { openDatabaseBeside } from '../database.ts';
import { Removals } from '../images/removals.ts';
import { describeProblem, printProgress, withPath } from './admin-output.ts';

export interface BackupCommandOptions {
  readonly data: string;
  readonly to: string;
  readonly verify: boolean;
  readonly json: boolean;
}

/** Ends with exit code 1 when the origin itself lacks blobs. @throws an error whose message is one line for the admin */
export async function backUpData(options: BackupCommandOptions): Promise<void> {
  const dataDirectory = resolve(options.data);
  const to = resolve(options.to);
  const database = await openDatabaseBeside(dataDirectory);
  try {
    const parts = { database, blobStore: new DirectoryBlobStore(dataDirectory), clock: systemClock };
    const origin = { ...parts, dataDirectory, removals: new Removals(parts) };
    const report = await withPath(`cannot back up to ${to}`, () =>
      backUp(origin, to, {
        verify: options.verify,
        progress: printProgress(),
        waiting: () => console.error('waiting for a garbage collection or another backup to end'),
      }),
    );
    console.log(options.json ? JSON.stringify({ to, ...report }) : describe(to, report));
    if (report.findings.length > 0) process.exitCode = 1;
  } finally {
    await database.close();
  }
}

function describe(to: string, report: BackupReport): string {
  const { blobs, sizeBytes, copiedBlobs, copiedBytes, removedBlobs, findings, takenAt } = report;
  return [
    ...findings.map(describeProblem),
    ...(findings.length > 0 ? ['dtr scrub says which images need them: push these again'] : []),
    `backed up as of ${takenAt} to ${to}: ${blobs} blobs (${formatBytes(sizeBytes)}), ${copiedBlobs} of them new (${formatBytes(copiedBytes)}), ${removedBlobs} old ones removed`,
  ].join('\n');
}
