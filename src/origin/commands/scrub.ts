/** `dtr scrub`: reads everything that is stored and says what is damaged, also while the origin runs. */
import { resolve } from 'node:path';
import { DirectoryBlobStore } from '../../shared/blob-store/directory.ts';
import { formatBytes } from '../../shared/byte-size.ts';
import { systemClock } from '../../shared/clock.ts';
import { openDatabaseBeside } from '../database.ts';
import { type Finding, Scrub } from '../images/scrub.ts';

/** Ends with exit code 1 when something is damaged. @throws an error whose message is one line for the admin */
export async function scrub(options: { data: string; json: boolean }): Promise<void> {
  const directory = resolve(options.data);
  const database = await openDatabaseBeside(directory);
  try {
    const parts = { database, blobStore: new DirectoryBlobStore(directory), clock: systemClock };
    const report = await new Scrub(parts).run((finding) => {
      if (!options.json) console.log(describe(finding));
    });
    if (options.json) console.log(JSON.stringify(report));
    else {
      console.log(
        `${report.blobs} blobs (${formatBytes(report.sizeBytes)}) and ${report.manifests} manifests read, ${report.findings.length} damaged or missing`,
      );
    }
    if (report.findings.length > 0) process.exitCode = 1;
  } finally {
    await database.close();
  }
}

function describe({ what, digest, problem, images }: Finding): string {
  const remedy = images.length === 0 ? 'no image needs it' : `push again: ${images.join(', ')}`;
  return `${what} ${digest} is ${problem}; ${remedy}`;
}
