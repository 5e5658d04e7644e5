/**
 * Buffers for reading blobs in pieces. Large pieces are quick, but two hundred downloads with two buffers of 1 MiB each
 * would take 400 MiB: the more readers there are, the smaller are their pieces. Buffers are used again, since fresh
 * memory costs a page fault for every 4 KiB.
 */

/** Measured: below 1 MiB the trips to the thread pool show, above it the processor's cache does. */
const largestBytes = 1024 * 1024;
const smallestBytes = 32 * 1024;
const buffersPerReader = 2;

export class PieceBuffers {
  readonly #capacityBytes: number;
  readonly #spare: Buffer[] = [];
  #readers = 0;

  /** `capacityBytes`: memory for all readers together, as long as there are less than some hundreds of them. */
  constructor(capacityBytes = 16 * 1024 * 1024) {
    this.#capacityBytes = capacityBytes;
  }

  /** Counts a reader, or a writer that gathers as much, until `leave`. */
  enter(): void {
    this.#readers += 1;
  }

  leave(): void {
    this.#readers -= 1;
    // Nobody is there to use them soon, and the rest of the program may want the memory.
    if (this.#readers === 0) this.#spare.length = Math.min(this.#spare.length, buffersPerReader);
  }

  /** How large a piece may be now: a power of two. */
  get pieceBytes(): number {
    const share = this.#capacityBytes / buffersPerReader / Math.max(1, this.#readers);
    let bytes = largestBytes;
    while (bytes > share && bytes > smallestBytes) bytes /= 2;
    return bytes;
  }

  /** A buffer for a piece of at most `atMostBytes`; its content is anything. */
  take(atMostBytes: number): Buffer {
    const { pieceBytes } = this;
    if (atMostBytes < pieceBytes) return Buffer.allocUnsafe(atMostBytes);
    const spare = this.#spare.pop();
    return spare?.byteLength === pieceBytes ? spare : Buffer.allocUnsafeSlow(pieceBytes);
  }

  /** Gives a buffer back that nobody looks at any more. */
  give(buffer: Buffer): void {
    const { pieceBytes } = this;
    const keptBytes = this.#spare.length * pieceBytes;
    if (buffer.byteLength === pieceBytes && keptBytes < this.#capacityBytes / 4) this.#spare.push(buffer);
  }
}
