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

/** Another cache waits so long at most for a fill of ours that has no answer yet: it may be its own that we wait for. */
const joinByCacheMs = 3_000;
const defaultMaximumFills = 256;

export interface FillParts {
  readonly store: DirectoryBlobStore;
  readonly client: UpstreamClient;
  readonly breakers: Breakers;
  readonly logger: Logger;
  readonly metrics: CacheMetrics;
  /** Called when a blob has been verified and stored. */
  readonly onStored: (digest: Digest, sizeBytes: number) => void;
  /** Deletes what was not pulled for longest; true if that many bytes are free now. */
  readonly makeRoom: (sizeBytes: number) => Promise<boolean>;
}

export class Fills {
  readonly #running = new Map<Digest, Fill>();
  readonly #parts: FillParts;
  readonly #maximumFills: number;
  /** Those that wait for their turn, the first one first. */
  readonly #queue: (() => void)[] = [];
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
    const running = new Set([...this.#running.keys()].map(sessionOf));
    for await (const { session, lastWriteMs } of store.listSessions()) {
      if (lastWriteMs < time && !running.has(session)) await (await store.resume(session))?.discard();
    }
  }

  /**
   * The blob as it arrives, joining the fill that runs already. Resolves when its size is known.
   * @throws DomainError `upstream-unavailable` when no upstream gives it; `upstream-loop` when the one who asks waits for
   *   itself
   */
  async open(request: FillRequest): Promise<SendableBlob> {
    const running = this.#running.get(request.digest);
    if (running !== undefined) return this.#join(running, request);
    if (this.#closing) throw new DomainError('storage-failed', 'the cache is shutting down');
    const fill = new Fill(request, this.#parts, () => this.#turn());
    this.#running.set(request.digest, fill);
    // What went wrong was told to the clients that wait and to the log, by the fill itself.
    fill.done.catch(() => {}).finally(() => this.#running.delete(request.digest));
    return fill.open();
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
    let isEnded = false;
    return () => {
      if (isEnded) return;
      isEnded = true;
      const next = this.#queue.shift();
      // It takes over the turn.
      if (next !== undefined) next();
      else this.#active -= 1;
    };
  }
}
