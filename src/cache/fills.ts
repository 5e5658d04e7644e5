/**
 * Fills: fetching a blob that is not stored, once, however many clients wait for it.
 *
 *     upstream → hash → temporary file        the fill, which no client can slow or end
 *                        ↑ ↑ ↑
 *                     readers, each at its own offset and speed, the first client included
 *
 * The last byte is held back until the digest is verified: a client never gets a complete answer that is wrong.
 */
import type { Dispatcher } from 'undici';
import type { BlobPieces, ByteRange, StoredBlob } from '../shared/blob-store/blob-store.ts';
import type { DirectoryBlobStore, DirectoryBlobWriter } from '../shared/blob-store/directory.ts';
import { type Digest, hexOf } from '../shared/distribution/digest.ts';
import type { RepositoryName } from '../shared/distribution/repository-name.ts';
import { DomainError } from '../shared/errors.ts';
import type { SendableBlob } from '../shared/http/send-blob.ts';
import type { Logger } from '../shared/logging.ts';
import type { CacheMetrics } from './metrics.ts';
import { describeUpstreamError, type UpstreamClient } from './upstreams.ts';

/** What a fill forwards: the very token that opened the blob here opens it upstream. */
export interface FillRequest {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly token: string;
  /** In the order in which they are asked. */
  readonly hops: readonly string[];
}

/** Each hop is asked this often at most: once more after it broke off in the middle. */
const roundsOfHops = 2;
const readerPieceBytes = 256 * 1024;

export class Fills {
  readonly #running = new Map<Digest, Fill>();
  readonly #store: DirectoryBlobStore;
  readonly #client: UpstreamClient;
  readonly #logger: Logger;
  readonly #metrics: CacheMetrics;
  readonly #onStored: (digest: Digest) => void;
  #closing = false;

  constructor(options: {
    store: DirectoryBlobStore;
    client: UpstreamClient;
    logger: Logger;
    metrics: CacheMetrics;
    /** Called when a blob has been verified and stored. */
    onStored: (digest: Digest) => void;
  }) {
    this.#store = options.store;
    this.#client = options.client;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#onStored = options.onStored;
  }

  /** Forgets what fills of an earlier process left behind. */
  async removeLeftovers(): Promise<void> {
    for await (const { session } of this.#store.listSessions()) {
      await (await this.#store.resume(session))?.discard();
    }
  }

  /**
   * The blob as it arrives, joining the fill that runs already. Resolves when its size is known.
   * @throws DomainError `upstream-unavailable` when no upstream gives it
   */
  async open(request: FillRequest): Promise<SendableBlob> {
    let fill = this.#running.get(request.digest);
    if (fill === undefined) {
      if (this.#closing) throw new DomainError('upstream-unavailable', 'the cache is shutting down');
      fill = new Fill({
        request,
        store: this.#store,
        client: this.#client,
        logger: this.#logger,
        metrics: this.#metrics,
      });
      this.#running.set(request.digest, fill);
      this.#follow(request.digest, fill);
    }
    return fill.open();
  }

  /** The size of a blob that is not stored, asked of the upstreams. @throws DomainError `upstream-unavailable` */
  async sizeBytes(request: FillRequest): Promise<number> {
    const failures: string[] = [];
    for (const hop of request.hops) {
      try {
        const answer = await this.#client.request(hop, targetOf(request), { method: 'HEAD' });
        await answer.body.dump();
        return sizeOf(answer, request.digest, 0, undefined);
      } catch (error) {
        failures.push(`${hop}: ${describeUpstreamError(error)}`);
      }
    }
    throw unavailable(failures);
  }

  /** Resolves when the running fills have ended; takes no new ones. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.allSettled([...this.#running.values()].map((fill) => fill.done));
  }

  #follow(digest: Digest, fill: Fill): void {
    this.#metrics.fillStarted();
    fill.done
      .then(
        () => {
          this.#metrics.fillEnded('stored');
          this.#onStored(digest);
        },
        // Told to the clients that wait and to the log, by the fill itself.
        () => this.#metrics.fillEnded('failed'),
      )
      .finally(() => this.#running.delete(digest));
  }
}

class Fill {
  /** Settles when the blob is stored, or cannot be had. */
  readonly done: Promise<void>;
  readonly #request: FillRequest;
  readonly #store: DirectoryBlobStore;
  readonly #client: UpstreamClient;
  readonly #logger: Logger;
  readonly #metrics: CacheMetrics;
  #writer: DirectoryBlobWriter | undefined;
  #sizeBytes: number | undefined;
  #state: 'filling' | 'stored' | 'failed' = 'filling';
  #failure: unknown;
  /** Readers wait on this for the next change; replaced at each. */
  #change = Promise.withResolvers<void>();
  #waiting = false;
  #readers = 0;
  /** Open from the moment the blob is stored until the last reader leaves. */
  #stored: Promise<StoredBlob | undefined> | undefined;
  #lastTurn = Promise.resolve();

  constructor(options: {
    request: FillRequest;
    store: DirectoryBlobStore;
    client: UpstreamClient;
    logger: Logger;
    metrics: CacheMetrics;
  }) {
    this.#request = options.request;
    this.#store = options.store;
    this.#client = options.client;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.done = this.#run();
  }

  async open(): Promise<SendableBlob> {
    while (this.#sizeBytes === undefined && this.#state === 'filling') await this.#nextChange();
    if (this.#sizeBytes === undefined || this.#state === 'failed') throw this.#failure;
    return { sizeBytes: this.#sizeBytes, read: (range) => this.#readAlong(range) };
  }

  async #run(): Promise<void> {
    const { digest } = this.#request;
    try {
      // A fill of it may have ended after the door looked.
      this.#sizeBytes = await this.#store.stat(digest);
      if (this.#sizeBytes === undefined) {
        this.#writer = await this.#store.begin(`fill-${hexOf(digest).slice(0, 48)}`);
        const hop = await this.#fetch(this.#writer);
        await this.#publish(this.#writer, hop);
      }
      if (this.#readers > 0) await this.#openStored();
      this.#state = 'stored';
    } catch (error) {
      this.#state = 'failed';
      this.#failure = error;
      await this.#writer?.discard().catch(() => {});
      throw error;
    } finally {
      this.#announce();
    }
  }

  async #publish(writer: DirectoryBlobWriter, hop: string): Promise<void> {
    const { digest } = this.#request;
    try {
      await this.#inTurn(() => writer.publish(digest));
    } catch (error) {
      this.#logger.error({ digest, upstream: hop, err: error }, 'the blob of an upstream was not stored');
      if (error instanceof DomainError && error.code === 'digest-mismatch') {
        throw unavailable([`${hop}: its bytes do not have the digest asked for`]);
      }
      throw error;
    }
  }

  /** Brings every byte into the writer, going on elsewhere when a hop breaks off. Returns the hop that gave the last. */
  async #fetch(writer: DirectoryBlobWriter): Promise<string> {
    const { digest, hops } = this.#request;
    const failures: string[] = [];
    for (let round = 0; round < roundsOfHops; round += 1) {
      for (const hop of hops) {
        try {
          await this.#fetchFrom(hop, writer);
          return hop;
        } catch (error) {
          // Trouble with our own disk is no fault of the hop, and another one does not cure it.
          if (!writer.isOpen || isOwnTrouble(error)) throw error;
          const reason = describeUpstreamError(error);
          failures.push(`${hop}: ${reason}`);
          this.#metrics.upstreamFailed(hop);
          this.#logger.warn(
            { digest, upstream: hop, reason, atByte: writer.sizeBytes },
            'an upstream failed',
          );
        }
      }
      // A second round is for those who broke off in the middle.
      if (writer.sizeBytes === 0) break;
    }
    throw unavailable(failures);
  }

  async #fetchFrom(hop: string, writer: DirectoryBlobWriter): Promise<void> {
    const from = writer.sizeBytes;
    const askedAt = performance.now();
    const answer = await this.#client.request(
      hop,
      targetOf(this.#request),
      from === 0 ? {} : { range: `bytes=${from}-` },
    );
    this.#metrics.upstreamAnswered(hop, (performance.now() - askedAt) / 1000);
    const { body } = answer;
    // Destroyed unread, it reports an error of its own beside the one thrown here.
    body.on('error', () => {});
    try {
      const sizeBytes = sizeOf(answer, this.#request.digest, from, this.#sizeBytes);
      if (this.#sizeBytes === undefined) {
        this.#sizeBytes = sizeBytes;
        this.#announce();
      }
      for await (const chunk of body) {
        if (writer.sizeBytes + chunk.byteLength > sizeBytes)
          throw new Error('it sent more than it announced');
        this.#metrics.received(hop, chunk.byteLength);
        await own(this.#inTurn(() => writer.write(chunk)));
        if (this.#waiting) await own(this.#inTurn(() => writer.flush()));
        this.#announce();
      }
      if (writer.sizeBytes < sizeBytes) throw new Error('it sent less than it announced');
    } finally {
      body.destroy();
    }
  }

  /** Reads along behind the writer, then, once the blob is stored, from the store. */
  async *#readAlong(range: ByteRange | undefined): BlobPieces {
    const lastByte = (this.#sizeBytes as number) - 1;
    const end = range?.end ?? lastByte;
    const buffer = Buffer.allocUnsafe(Math.min(readerPieceBytes, end + 1));
    let position = range?.start ?? 0;
    this.#readers += 1;
    try {
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
      if (position <= end) yield* this.#readStored({ start: position, end });
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
      await this.#inTurn(() => writer.flush());
    }
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

function targetOf({ repository, digest, token }: FillRequest): string {
  return `/v2/${repository}/blobs/${digest}?token=${token}`;
}

/**
 * The size of the whole blob by the head of an answer.
 * @throws Error saying what is wrong with the answer, for the log
 */
function sizeOf(
  answer: Dispatcher.ResponseData,
  digest: Digest,
  from: number,
  known: number | undefined,
): number {
  const { statusCode, headers } = answer;
  const wanted = from === 0 ? 200 : 206;
  if (statusCode !== wanted) throw new Error(`it answered ${statusCode} where ${wanted} was expected`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Error(`it encoded the blob as ${encoding}`);
  const named = headers['docker-content-digest'];
  if (named !== undefined && named !== digest) throw new Error(`it answered with the blob ${named}`);
  const length = String(headers['content-length'] ?? '');
  if (!/^\d{1,15}$/.test(length)) throw new Error('it did not announce the length of the blob');
  const sizeBytes = from + Number(length);
  if (from > 0 && headers['content-range'] !== `bytes ${from}-${sizeBytes - 1}/${sizeBytes}`) {
    throw new Error('it answered with another range than the one asked for');
  }
  if (known !== undefined && known !== sizeBytes)
    throw new Error(`its blob has ${sizeBytes} bytes, not ${known}`);
  return sizeBytes;
}

function unavailable(failures: readonly string[]): DomainError {
  const reasons = failures.length === 0 ? 'no upstream is configured for it' : failures.join('; ');
  return new DomainError('upstream-unavailable', `no upstream gave the blob: ${reasons}`);
}

/** Marks trouble of this cache itself, so that it is not blamed on the hop. */
class OwnTrouble extends DomainError {}

async function own(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    throw new OwnTrouble('storage-failed', `the cache cannot store the blob: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function isOwnTrouble(error: unknown): boolean {
  return error instanceof OwnTrouble;
}
