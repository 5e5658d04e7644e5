/** What backing up and restoring tell the admin. */
import { formatBytes } from '../../shared/byte-size.ts';
import type { Finding, Progress } from '../backup/copy-blobs.ts';

const printEveryMs = 5_000;

/** A line on standard error every few seconds, so that standard output is the result alone. */
export function printProgress(): Progress {
  let printed = performance.now();
  return (done, all) => {
    if (performance.now() - printed < printEveryMs) return;
    printed = performance.now();
    console.error(
      `${done.blobs} of ${all.blobs} blobs (${formatBytes(done.sizeBytes)} of ${formatBytes(all.sizeBytes)})`,
    );
  };
}

export function describeProblem({ digest, problem }: Finding): string {
  return `blob ${digest} is ${problem}`;
}

/** Says of an error of the system's or of SQLite's, such as a full disk, what could not be done. */
export async function withPath<T>(failure: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { syscall, code = '' } = cause as NodeJS.ErrnoException;
    if (syscall === undefined && !code.startsWith('SQLITE_')) throw cause;
    throw new Error(`${failure}: ${(cause as Error).message}`, { cause });
  }
}
