/** `dtr gc`: garbage collection by hand, also while the origin runs. */
import { resolve } from 'node:path';
import { DirectoryBlobStore } from '../../shared/blob-store/directory.ts';
import { formatBytes } from '../../shared/byte-size.ts';
import { systemClock } from '../../shared/clock.ts';
import { parseCollectionPolicy } from '../configuration.ts';
import { openDatabaseBeside } from '../database.ts';
import { type CollectionReport, GarbageCollection } from '../images/garbage-collection.ts';
import { Removals } from '../images/removals.ts';
import type { ServeOptions } from '../serve-options.ts';

export interface GcOptions extends Pick<ServeOptions, 'data' | 'gcGrace' | 'gcUntagged' | 'uploadAge'> {
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** @throws an error whose message is one line for the admin */
export async function collectGarbage(options: GcOptions): Promise<void> {
  const policy = parseCollectionPolicy(options);
  const directory = resolve(options.data);
  const database = await openDatabaseBeside(directory);
  try {
    const parts = { database, blobStore: new DirectoryBlobStore(directory), clock: systemClock };
    const collection = new GarbageCollection({ ...parts, removals: new Removals(parts) });
    const report = options.dryRun ? await collection.preview(policy) : await collection.collect(policy);
    if (report === undefined)
      throw new Error('another garbage collection or a backup is running: try again later');
    console.log(options.json ? JSON.stringify(report) : describe(report, options.dryRun));
  } finally {
    await database.close();
  }
}

function describe({ blobs, sizeBytes, manifests, uploads }: CollectionReport, dryRun: boolean): string {
  const removed = dryRun ? 'that would be removed' : 'removed';
  return [
    `untagged manifests ${removed}: ${manifests}`,
    `blobs ${removed}: ${blobs} (${formatBytes(sizeBytes)})`,
    `abandoned uploads ${removed}: ${uploads}`,
  ].join('\n');
}
