/**
 * One fill:
 *
 *     upstream → hash → temporary file        the fill, which no client can slow or end
 *                        ↑ ↑ ↑
 *                     readers, each at its own offset and speed, the first client included
 *
 * The last byte is held back until the digest is verified: a client never gets a complete answer that is wrong. What has
 * arrived is kept when the fill breaks off, and the next fill of that blob goes on from there, also after a restart. When
 * the bytes cannot be stored, each reader goes on with an upstream request of its own, and nothing is stored.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobPieces, ByteRange, StoredBlob } from '../shared/blob-store/blob-store.ts';
import type { DirectoryBlobStore, DirectoryBlobWriter } from '../shared/blob-store/directory.ts';
import { algorithmOf, createDigester, type Digest, hexOf } from '../shared/distribution/digest.ts';
import { DomainError } from '../shared/errors.ts';
import type { SendableBlob } from '../shared/http/send-blob.ts';
import { BlobSource, type FillRequest } from './blob-source.ts';
import type { FillParts } from './fills.ts';
import { verifiedPieces } from './verified-pieces.ts';

const readerPieceBytes = 256 * 1024;
/** How often to look whether the readers of bytes that cannot be stored have left. */
const readersLeftMs = 50;

/** The name under which the bytes of a fill are kept. */
export function sessionOf(digest: Digest): string {
  return `fill-${hexOf(digest).slice(0, 48)}`;
}

export class Fill {
  /** Settles when the blob is stored, or cannot be had or stored and the last reader has left. */
  readonly done: Promise<void>;
  #request: FillRequest;
  readonly #parts: FillParts;
  readonly #store: DirectoryBlobStore;
  readonly #source: BlobSource;
  #writer: DirectoryBlobWriter | undefined;
  #sizeBytes: number | undefined;
  #state: 'filling' | 'stored' | 'unstored' | 'failed' = 'filling';
  #failure: unknown;
  /** Readers wait on this for the next change; replaced at each. */
  #change = Promise.withResolvers<void>();
  #waiting = false;
  #readers = 0;
  /** What it fetches is for its readers alone. */
  #isPurged = false;
  /** Open from the moment the blob is stored until the last reader leaves. */
  #stored: Promise<StoredBlob | undefined> | undefined;
  #lastTurn = Promise.resolve();

  /** `turn` resolves when the fill may begin, with what to call at its end. */
  constructor(request: FillRequest, parts: FillParts, turn: () => Promise<() => void>) {
    this.#request = request;
    this.#parts = parts;
    this.#store = parts.store;
    this.#source = new BlobSource(request, parts);
    this.done = this.#run(turn);
  }

  /** The hop that was asked and has not answered yet. */
  get asking(): string | undefined {
    return this.#source.asking;
  }

  /** Of the blob, an earlier fill's part included. */
  get receivedBytes(): number {
    return this.#writer?.sizeBytes ?? 0;
  }

  /** Goes on for its readers, and leaves nothing behind. */
  purge(): void {
    this.#isPurged = true;
  }

  /** Only its readers still have what it fetched: who comes now has to fetch it again. */
  get isGone(): boolean {
    return this.#isPurged && this.#state === 'stored';
  }

  renew(request: FillRequest): void {
    this.#source.renew(request);
    if (request.tokenExpiresAt > this.#request.tokenExpiresAt) this.#request = request;
  }

  async open(): Promise<SendableBlob> {
    while (this.#sizeBytes === undefined && this.#state === 'filling') await this.#nextChange();
    if (this.#state === 'failed') throw this.#failure;
    // Nothing is kept of it: not even its size may be known.
    this.#sizeBytes ??= await this.#source.askSize();
    return { sizeBytes: this.#sizeBytes, read: (range) => this.#readAlong(range) };
  }

  async #run(turn: () => Promise<() => void>): Promise<void> {
    const ended = await turn();
    const { metrics } = this.#parts;
    metrics.fillStarted();
    try {
      // A fill of it may have ended after the door looked.
      const storedBytes = await this.#store.stat(this.#request.digest).catch(() => undefined);
      if (storedBytes !== undefined) this.#sizeBytes = storedBytes;
      else if (!(await this.#fetchAndStore())) {
        ended();
        metrics.fillEnded('failed');
        await this.#endUnstored();
        return;
      }
      if (this.#readers > 0) await this.#openStored();
      this.#state = 'stored';
      metrics.fillEnded('stored');
      ended();
      if (this.#isPurged) await this.#endPurged();
      else this.#parts.onStored(this.#request.digest, this.#sizeBytes as number);
    } catch (error) {
      this.#state = 'failed';
      this.#failure = error;
      metrics.fillEnded('failed');
      await this.#letGo();
      throw error;
    } finally {
      ended();
      this.#announce();
    }
  }

  /** False when it cannot be stored here. @throws DomainError `upstream-unavailable` when it cannot be had */
  async #fetchAndStore(): Promise<boolean> {
    const session = sessionOf(this.#request.digest);
    const isBegun = await this.#tryToStore(0, async () => {
      this.#writer ??= (await this.#store.resume(session)) ?? (await this.#store.begin(session));
    });
    const writer = this.#writer;
    if (!isBegun || writer === undefined) return false;
    const onSize = (sizeBytes: number) => {
      this.#sizeBytes ??= sizeBytes;
      this.#announce();
    };
    for await (const chunk of this.#source.read({ start: writer.sizeBytes, onSize })) {
      if (!(await this.#append(writer, chunk))) return false;
      this.#announce();
    }
    return this.#publish(writer);
  }

  /** False when the disk does not take it. */
  async #append(writer: DirectoryBlobWriter, chunk: Uint8Array): Promise<boolean> {
    const lacking = (this.#sizeBytes as number) - writer.sizeBytes;
    // The writer keeps what it could not hand to the file: flushing is trying again.
    let isTaken = false;
    return this.#tryToStore(lacking, () =>
      this.#inTurn(async () => {
        if (!isTaken) {
          isTaken = true;
          await writer.write(chunk);
          if (this.#waiting) await writer.flush();
        } else {
          await writer.flush();
        }
      }),
    );
  }

  async #publish(writer: DirectoryBlobWriter): Promise<boolean> {
    const { digest } = this.#request;
    try {
      // Here, since publishing discards what it cannot write.
      const isWritten = await this.#tryToStore(0, () => this.#inTurn(() => writer.flush()));
      if (!isWritten) return false;
      await this.#inTurn(() => writer.publish(digest));
      return true;
    } catch (error) {
      const givers = [...this.#source.givers];
      if (!(error instanceof DomainError) || error.code !== 'digest-mismatch') throw error;
      this.#parts.logger.error(
        { digest, upstream: givers.at(-1) ?? 'kept of an earlier fill', upstreams: givers },
        'the bytes of an upstream do not have the digest asked for: nothing is stored',
      );
      for (const hop of givers) if (!this.#parts.breakers.isLastResort(hop)) this.#parts.breakers.failed(hop);
      throw new DomainError(
        'upstream-unavailable',
        `no upstream gave the blob: ${givers.join(', ')}: the bytes do not have the digest asked for`,
      );
    }
  }

  /** Does it again once there is room; false, and a line in the log, when it does not work even then. */
  async #tryToStore(lackingBytes: number, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (first) {
      if (isOutOfSpace(first) && (await this.#parts.makeRoom(lackingBytes).catch(() => false))) {
        const again = await work().then(
          () => true,
          () => false,
        );
        if (again) return true;
      }
      const reason = (first as Error).message;
      const { digest } = this.#request;
      this.#parts.logger.error({ digest, reason }, 'a blob cannot be stored: passed on without storing it');
      this.#parts.onUnstored(reason, this.#sizeBytes);
      return false;
    }
  }

  /** The file stays until those are done who began to read from it. */
  async #endUnstored(): Promise<void> {
    this.#state = 'unstored';
    this.#announce();
    await this.#untilReadersLeft();
    await this.#writer?.discard().catch(() => {});
  }

  async #untilReadersLeft(): Promise<void> {
    // Who waits for the size becomes a reader, or leaves, in the next moments.
    do await sleep(readersLeftMs);
    while (this.#readers > 0);
  }

  /** The file is gone, and stays open for those who began to read from it. */
  async #endPurged(): Promise<void> {
    await this.#openStored();
    await this.#store.remove(this.#request.digest);
    this.#announce();
    await this.#untilReadersLeft();
    await this.#closeStored();
  }

  /** Keeps what is of use for the next fill. */
  async #letGo(): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    const isOfUse = writer.sizeBytes > 0 && !this.#source.startsBehindTheEnd && !this.#isPurged;
    await this.#inTurn(() => (isOfUse ? writer.suspend() : writer.discard())).catch(() => {});
  }

  /** Reads along behind the writer; once the blob is stored, from the store. */
  async *#readAlong(range: ByteRange | undefined): BlobPieces {
    const lastByte = (this.#sizeBytes as number) - 1;
    const { start, end } = range ?? { start: 0, end: lastByte };
    let position = start;
    this.#readers += 1;
    try {
      const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(readerPieceBytes, end + 1 - start)));
      while (this.#state === 'filling') {
        // Short of the last byte: that one, and the end of an empty blob, wait for the digest.
        const readable = Math.min(end + 1, lastByte) - position;
        if (readable <= 0 && end < lastByte) return;
        const into = buffer.subarray(0, Math.max(0, Math.min(buffer.byteLength, readable)));
        const copied = await this.#readWritten(into, position);
        if (copied > 0) {
          position += copied;
          yield buffer.subarray(0, copied);
        } else if (this.#state === 'filling') {
          await this.#nextChange();
        }
      }
      if (this.#state === 'failed') throw this.#failure;
      if (position > end && end < lastByte) return;
      if (this.#state === 'unstored') yield* this.#readOn({ start, end }, position);
      else if (position <= end) yield* this.#readStored({ start: position, end });
    } finally {
      this.#readers -= 1;
      if (this.#readers === 0) await this.#closeStored();
    }
  }

  /** Copies what the file has from `position` on; what the writer still gathers is brought there first. */
  async #readWritten(into: Uint8Array, position: number): Promise<number> {
    const writer = this.#writer;
    if (writer === undefined || into.byteLength === 0) return 0;
    for (;;) {
      const copied = await writer.read(into, position);
      if (copied > 0 || !writer.isOpen || writer.sizeBytes <= position) return copied;
      try {
        await this.#inTurn(() => writer.flush());
      } catch {
        // The fill meets the same trouble, and decides what becomes of it.
        return 0;
      }
    }
  }

  /** Goes on from `position` without the disk, by a request of this reader's own. */
  async *#readOn({ start, end }: ByteRange, position: number): BlobPieces {
    const { digest } = this.#request;
    const isWhole = start === 0 && end === (this.#sizeBytes as number) - 1;
    const source = new BlobSource(this.#request, this.#parts);
    source.sizeBytes = this.#sizeBytes;
    const pieces = source.read({ start: position, ...(isWhole ? {} : { end }) });
    if (!isWhole) {
      yield* pieces;
      return;
    }
    const digester = createDigester(algorithmOf(digest));
    const buffer = Buffer.allocUnsafe(readerPieceBytes);
    for (let at = 0; at < position; ) {
      const copied = await this.#readWritten(
        buffer.subarray(0, Math.min(buffer.byteLength, position - at)),
        at,
      );
      if (copied === 0) throw new DomainError('storage-failed', 'what was read of the blob is gone');
      digester.update(buffer.subarray(0, copied));
      at += copied;
    }
    yield* verifiedPieces(pieces, digest, digester);
  }

  /** From the file that was opened when the blob was stored: eviction does not take it from who reads. */
  async *#readStored(range: ByteRange): BlobPieces {
    const stored = await this.#openStored();
    if (stored === undefined) {
      throw new DomainError('storage-failed', 'the blob was removed before it was read');
    }
    yield* stored.read(range);
  }

  #openStored(): Promise<StoredBlob | undefined> {
    this.#stored ??= this.#store.open(this.#request.digest);
    return this.#stored;
  }

  async #closeStored(): Promise<void> {
    const stored = this.#stored;
    this.#stored = undefined;
    await (await stored)?.close();
  }

  /** The writer does one thing at a time, and readers ask it for some, too. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#lastTurn.then(work);
    this.#lastTurn = done.catch(() => {});
    return done;
  }

  #nextChange(): Promise<void> {
    this.#waiting = true;
    return this.#change.promise;
  }

  #announce(): void {
    if (!this.#waiting && this.#state === 'filling') return;
    this.#waiting = false;
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
  }
}

function isOutOfSpace(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException)?.code ?? '');
}
