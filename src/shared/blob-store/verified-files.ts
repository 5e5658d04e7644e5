/**
 * Which files were held against their digest, and how they looked then. Hashing a blob takes longer than sending it, so it
 * is done once for a file: when it was written, or when it is first read after a start, and again when anything
 * about it changed. What a disk changes silently beneath the file system, `dtr scrub` finds.
 */
import type { Stats } from 'node:fs';
import type { Digest } from '../distribution/digest.ts';

/** About 300 bytes of memory each. */
const maximumRemembered = 50_000;

export class VerifiedFiles {
  readonly #looks = new Map<Digest, string>();

  knows(digest: Digest, stats: Stats): boolean {
    return this.#looks.get(digest) === look(stats);
  }

  remember(digest: Digest, stats: Stats): void {
    this.#looks.delete(digest);
    this.#looks.set(digest, look(stats));
    if (this.#looks.size <= maximumRemembered) return;
    const [oldest] = this.#looks.keys();
    this.#looks.delete(oldest as Digest);
  }
}

/** The time of the last change (ctime) cannot be set back by who writes into a file. */
function look({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}
