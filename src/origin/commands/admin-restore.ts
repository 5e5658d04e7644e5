/** `dtr admin restore`: brings a backup back into an empty directory. */
import { resolve } from 'node:path';
import { formatBytes } from '../../shared/byte-size.ts';
import { systemClock } from '../../shared/clock.ts';
import { type RestoreReport, restore } from '../backup/restore.ts';
import { describeProblem, printProgress, withPath } from './admin-output.ts';

export interface RestoreCommandOptions {
  readonly from: string;
  readonly data: string;
  readonly replace: boolean;
  readonly json: boolean;
}

/** Ends with exit code 1 when blobs of the backup are damaged. @throws an error whose message is one line for the admin */
export async function restoreData(options: RestoreCommandOptions): Promise<void> {
  const [from, data] = [resolve(options.from), resolve(options.data)];
  const report = await withPath(`cannot restore to ${data}`, () =>
    restore(from, { data, replace: options.replace, progress: printProgress(), clock: systemClock }),
  );
  console.log(options.json ? JSON.stringify({ data, ...report }) : describe(data, report));
  if (report.findings.length > 0) process.exitCode = 1;
}

function describe(data: string, { takenAt, blobs, sizeBytes, findings, keptAside }: RestoreReport): string {
  return [
    ...findings.map(describeProblem),
    ...(findings.length > 0 ? ['dtr scrub says which images need them: push these again'] : []),
    ...(keptAside === undefined ? [] : [`what was in ${data} is in ${keptAside}`]),
    `restored as of ${takenAt} to ${data}: ${blobs} blobs (${formatBytes(sizeBytes)})`,
  ].join('\n');
}
