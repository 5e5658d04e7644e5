/**
 * Prefetches: blobs that an origin wants here before anybody pulls them. A few at a time, behind the pulls. What is asked for
 * twice is one prefetch: by asking again the origin sees where it stands.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BlobStore } from '../shared/blob-store/blob-store.ts';
import { verifyBlobUrl } from '../shared/blob-url.ts';
import type { PrefetchAnswer, PrefetchRequest } from '../shared/cache-command-bodies.ts';
import type { Clock } from '../shared/clock.ts';
import { DomainError } from '../shared/errors.ts';
import type { Logger } from '../shared/logging.ts';
import type { FillRequest } from './blob-source.ts';
import type { Fills } from './fills.ts';
import type { KeySets } from './key-sets.ts';

type Asked = PrefetchRequest['blobs'][number];
type Progress = PrefetchAnswer['blobs'][number];

const maximumRunning = 4;
/** Of those that wait, and of failures that are told. What finds no place waits at the origin, which asks again. */
const maximumKept = 10_000;
/** So long a failure is told; after that it is tried again. */
const failureMs = 30_000;
const longestReason = 2_000;
/** Signatures are verified one after another: so many before other requests have their turn. */
const verifiedAtOnce = 20;

export class Prefetches {
  readonly #store: BlobStore;
  readonly #fills: Fills;
  readonly #keySets: KeySets;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** In the order in which they will run. */
  readonly #waiting = new Map<string, FillRequest>();
  readonly #running = new Map<string, FillRequest>();
  readonly #failures = new Map<string, { readonly reason: string; readonly at: number }>();
  #isClosing = false;

  constructor(options: { store: BlobStore; fills: Fills; keySets: KeySets; clock: Clock; logger: Logger }) {
    this.#store = options.store;
    this.#fills = options.fills;
    this.#keySets = options.keySets;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** Takes what is neither stored nor under way, and says where each one stands. `by`: the origin and the cache it means. */
  async ask(by: { issuer: string; cache: string }, blobs: readonly Asked[]): Promise<Progress[]> {
    const progress: Progress[] = [];
    for (const [index, blob] of blobs.entries()) {
      if (index % verifiedAtOnce === verifiedAtOnce - 1) await nextTurn();
      progress.push(await this.#askOne(by, blob));
    }
    return progress;
  }

  /** Begins no more. */
  close(): void {
    this.#isClosing = true;
    this.#waiting.clear();
  }

  async #askOne(by: { issuer: string; cache: string }, blob: Asked): Promise<Progress> {
    const { digest, repository, token } = blob;
    const key = `${by.issuer} ${repository} ${digest}`;
    const failed = (reason: string): Progress => ({
      digest,
      state: 'failed',
      reason: reason.slice(0, longestReason),
    });
    if ((await this.#store.stat(digest)) !== undefined) return { digest, state: 'stored' };
    const known = this.#running.get(key) ?? this.#waiting.get(key);
    if (known?.token !== token) {
      const failure = this.#failures.get(key);
      if (failure !== undefined && this.#clock() - failure.at < failureMs) return failed(failure.reason);
      try {
        this.#take(key, await this.#fillFor(by, blob));
      } catch (error) {
        if (error instanceof DomainError) return failed(error.message);
        throw error;
      }
    }
    const bytes = this.#fills.receivedBytes(digest);
    return bytes === undefined ? { digest, state: 'waiting' } : { digest, state: 'filling', bytes };
  }

  /** @throws DomainError `signature-invalid`, `keys-unavailable` */
  async #fillFor(
    { issuer, cache }: { issuer: string; cache: string },
    { repository, digest, token }: Asked,
  ): Promise<FillRequest> {
    const claims = await verifyBlobUrl(
      token,
      { repository, digest },
      { findKey: (of, keyId) => this.#keySets.findKey(of, keyId), clock: this.#clock },
    );
    if (claims.issuer !== issuer) {
      throw new DomainError('signature-invalid', 'the signed URL is refused: it is of another origin');
    }
    const charged = { issuer, repository, user: '', cache };
    // The hops when its turn comes, which may be long from now.
    return { repository, digest, token, tokenExpiresAt: claims.expiresAt, hops: [], via: [], charged };
  }

  #take(key: string, fill: FillRequest): void {
    this.#failures.delete(key);
    if (this.#running.has(key)) {
      this.#running.set(key, fill);
      this.#fills.renew({ ...fill, hops: this.#keySets.hopsFor(fill.charged.issuer) });
      return;
    }
    if (this.#isClosing || (this.#waiting.size >= maximumKept && !this.#waiting.has(key))) return;
    // In its place, with the later token.
    this.#waiting.set(key, fill);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#running.size < maximumRunning) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [key, fill] = next;
      this.#waiting.delete(key);
      this.#running.set(key, fill);
      this.#run(key, fill).finally(() => {
        this.#running.delete(key);
        this.#startNext();
      });
    }
  }

  async #run(key: string, request: FillRequest): Promise<void> {
    const { digest, repository, charged } = request;
    try {
      // Not a failure: who asks again sends a new one.
      if (request.tokenExpiresAt * 1000 <= this.#clock()) return;
      await this.#fills.prefetch({ ...request, hops: this.#keySets.hopsFor(charged.issuer) });
      const sizeBytes = await this.#store.stat(digest);
      if (sizeBytes === undefined)
        throw new DomainError('storage-failed', 'it could not be stored, or was purged since');
      this.#logger.info({ repository, digest, bytes: sizeBytes }, 'prefetched');
    } catch (error) {
      const reason = (error as Error).message;
      this.#logger.warn({ repository, digest, reason }, 'a prefetch failed');
      this.#keepFailure(key, reason);
    }
  }

  #keepFailure(key: string, reason: string): void {
    this.#failures.delete(key);
    this.#failures.set(key, { reason, at: this.#clock() });
    if (this.#failures.size <= maximumKept) return;
    const [oldest] = this.#failures.keys();
    this.#failures.delete(oldest as string);
  }
}
