/** Whether blobs can be stored, once one could not: a full disk shows in the first blob that it does not take. */
import type { DirectoryBlobStore } from '../shared/blob-store/directory.ts';
import { assertWritable } from './health.ts';

const probeSession = 'storing';

export class StoringTrouble {
  readonly #store: DirectoryBlobStore;
  #last: { readonly reason: string; readonly sizeBytes: number } | undefined;
  #looking: Promise<boolean> | undefined;

  constructor(store: DirectoryBlobStore) {
    this.#store = store;
  }

  /** A blob was passed on without being stored. `sizeBytes` may not be known. */
  happened(reason: string, sizeBytes: number | undefined): void {
    this.#last = { reason, sizeBytes: sizeBytes ?? 1 };
  }

  /** Why blobs cannot be stored; `undefined` when they can, or when what could not be stored would fit by now. */
  async reason(): Promise<string | undefined> {
    const last = this.#last;
    if (last === undefined) return undefined;
    this.#looking ??= this.#isOver(last.sizeBytes).finally(() => {
      this.#looking = undefined;
    });
    if (!(await this.#looking)) return `storage: the last blob could not be stored: ${last.reason}`;
    if (this.#last === last) this.#last = undefined;
    return undefined;
  }

  async #isOver(sizeBytes: number): Promise<boolean> {
    const disk = await this.#store.disk();
    // One that no disk of this size holds says nothing of the others.
    if (disk.freeBytes <= sizeBytes && sizeBytes < disk.sizeBytes) return false;
    return assertWritable(this.#store, probeSession).then(
      () => true,
      () => false,
    );
  }
}
