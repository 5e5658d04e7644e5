/** Fills: fetching a blob that is not stored, once, however many clients wait for it. What one is, says fill.ts. */
import type { DirectoryBlobStore } from '../shared/blob-store/directory.ts';
import type { Digest } from '../shared/distribution/digest.ts';
import { DomainError } from '../shared/errors.ts';
import type { SendableBlob } from '../shared/http/send-blob.ts';
import type { Logger } from '../shared/logging.ts';
import { BlobSource, type FillRequest } from './blob-source.ts';
import type { Breakers } from './breakers.ts';
import { Fill, sessionOf } from './fill.ts';
import type { CacheMetrics } from './metrics.ts';
import type { UpstreamClient } from './upstreams.ts';
import type { Usage } from './usage.ts';

/** Another cache waits so long at most for a fill of ours that has no answer yet: it may be its own that we wait for. */
const joinByCacheMs = 3_000;
const defaultMaximumFills = 256;

export interface FillParts {
  readonly store: DirectoryBlobStore;
  readonly client: UpstreamClient;
  readonly breakers: Breakers;
  readonly logger: Logger;
  readonly metrics: CacheMetrics;
  readonly usage: Usage;
  /** Called when a blob has been verified and stored. */
  readonly onStored: (digest: Digest, sizeBytes: number) => void;
  /** Called when a blob cannot be stored, whose size may not be known yet. */
  readonly onUnstored: (reason: string, sizeBytes: number | undefined) => void;
  /** Deletes what was not pulled for longest; true if that many bytes are free now. */
  readonly makeRoom: (sizeBytes: number) => Promise<boolean>;
}

export class Fills {
  readonly #running = new Map<Digest, Fill>();
  readonly #parts: FillParts;
  readonly #maximumFills: number;
  /** Those that wait for their turn, the first one first. */
  readonly #queue: (() => void)[] = [];
  /** Prefetches that wait until nobody else does. */
  readonly #spareQueue: (() => void)[] = [];
  /** By session: what a fill left unfinished that is being removed. */
  readonly #discarding = new Map<string, Promise<void>>();
  #active = 0;
  #closing = false;

  /** `maximumFills`: more than these at the same time wait for their turn. */
  constructor(options: FillParts & { maximumFills?: number | undefined }) {
    this.#parts = options;
    this.#maximumFills = options.maximumFills ?? defaultMaximumFills;
  }

  /** Forgets what fills left unfinished that nobody asked for since `time` (ms since the epoch). */
  async removeLeftovers(time: number): Promise<void> {
    const { store } = this.#parts;
    for await (const { session, lastWriteMs } of store.listSessions()) {
      if (lastWriteMs < time && !this.#isRunning(session)) await this.#discard(session);
    }
  }

  /**
   * Nothing of the blob stays from what is on its way: a running fill goes on for who reads it and is not stored, and what
   * an earlier one left unfinished is removed.
   */
  async purge(digest: Digest): Promise<void> {
    const running = this.#running.get(digest);
    if (running !== undefined) running.purge();
    else await this.#discard(sessionOf(digest));
  }

  /** As `purge`, of every blob. */
  async purgeAll(): Promise<void> {
    for (const fill of this.#running.values()) fill.purge();
    await this.removeLeftovers(Number.POSITIVE_INFINITY);
  }

  /**
   * The blob as it arrives, joining the fill that runs already. Resolves when its size is known.
   * @throws DomainError `upstream-unavailable` when no upstream gives it; `upstream-loop` when the one who asks waits for
   *   itself
   */
  async open(request: FillRequest): Promise<SendableBlob> {
    const running = this.#running.get(request.digest);
    if (running !== undefined && !running.isGone) return this.#join(running, request);
    return this.#start(request, () => this.#turn()).open();
  }

  /**
   * Fetches a blob that nobody waits for, when no pull waits for its turn. Resolves when the fill has ended, also when the blob
   * could not be stored.
   * @throws DomainError `upstream-unavailable` when no upstream gives it
   */
  async prefetch(request: FillRequest): Promise<void> {
    const ended = await this.#spareTurn();
    const running = this.#running.get(request.digest);
    if (running === undefined || running.isGone) return this.#start(request, async () => ended).done;
    ended();
    running.renew(request);
    return running.done;
  }

  /** A token for a fill that runs already, which may live longer than the one it began with. */
  renew(request: FillRequest): void {
    this.#running.get(request.digest)?.renew(request);
  }

  /** How much of a blob has come of which a fill runs; `undefined` when none does. */
  receivedBytes(digest: Digest): number | undefined {
    return this.#running.get(digest)?.receivedBytes;
  }

  /** The size of a blob that is not stored, asked of the upstreams. @throws DomainError `upstream-unavailable` */
  sizeBytes(request: FillRequest): Promise<number> {
    return new BlobSource(request, this.#parts).askSize();
  }

  /** Resolves when the running fills have ended; takes no new ones. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.allSettled([...this.#running.values()].map((fill) => fill.done));
  }

  #start(request: FillRequest, turn: () => Promise<() => void>): Fill {
    if (this.#closing) throw new DomainError('storage-failed', 'the cache is shutting down');
    const { digest } = request;
    const fill = new Fill(request, this.#parts, async () => {
      const ended = await turn();
      await this.#discarding.get(sessionOf(digest));
      return ended;
    });
    this.#running.set(digest, fill);
    // What went wrong was told to the clients that wait and to the log, by the fill itself.
    fill.done
      .catch(() => {})
      .finally(() => {
        if (this.#running.get(digest) === fill) this.#running.delete(digest);
      });
    return fill;
  }

  #isRunning(session: string): boolean {
    return [...this.#running.keys()].some((digest) => sessionOf(digest) === session);
  }

  /** Nobody begins to fill where something is still being removed. */
  async #discard(session: string): Promise<void> {
    const { store } = this.#parts;
    const discarding = store.resume(session).then((leftover) => leftover?.discard());
    const settled = discarding.catch(() => {});
    this.#discarding.set(session, settled);
    try {
      await discarding;
    } finally {
      if (this.#discarding.get(session) === settled) this.#discarding.delete(session);
    }
  }

  async #join(fill: Fill, request: FillRequest): Promise<SendableBlob> {
    fill.renew(request);
    if (request.via.length === 0) return fill.open();
    const loop = new DomainError('upstream-loop', 'this cache waits for the same blob from another cache');
    if (fill.asking !== undefined && this.#parts.client.isOneOf(fill.asking, request.via)) throw loop;
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      late = setTimeout(() => reject(loop), joinByCacheMs);
    });
    return Promise.race([fill.open(), tooLate]).finally(() => clearTimeout(late));
  }

  /** Resolves when a fill may begin; call what it gives when it has ended. */
  async #turn(): Promise<() => void> {
    if (this.#active >= this.#maximumFills) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#active += 1;
    return this.#turnTaken();
  }

  /** Likewise, behind everybody who waits or comes to wait in a `#turn`. */
  async #spareTurn(): Promise<() => void> {
    if (this.#active >= this.#maximumFills)
      await new Promise<void>((resolve) => this.#spareQueue.push(resolve));
    else this.#active += 1;
    return this.#turnTaken();
  }

  #turnTaken(): () => void {
    let isEnded = false;
    return () => {
      if (isEnded) return;
      isEnded = true;
      const next = this.#queue.shift() ?? this.#spareQueue.shift();
      // It takes over the turn.
      if (next !== undefined) next();
      else this.#active -= 1;
    };
  }
}
