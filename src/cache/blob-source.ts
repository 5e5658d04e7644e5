/**
 * The bytes of one blob from its upstreams: where one breaks off or stalls, the same or the next goes on, by `Range`, from
 * the byte that was reached.
 */
import type { Digest } from '../shared/distribution/digest.ts';
import type { RepositoryName } from '../shared/distribution/repository-name.ts';
import { DomainError } from '../shared/errors.ts';
import type { Logger } from '../shared/logging.ts';
import type { Breakers } from './breakers.ts';
import { HopTurns } from './hop-turns.ts';
import type { CacheMetrics } from './metrics.ts';
import { BytesAtFault, readHead, UpstreamRefusal } from './upstream-answer.ts';
import { describeUpstreamError, type UpstreamAnswer, type UpstreamClient } from './upstreams.ts';
import type { Charged, Usage } from './usage.ts';

/** What a fill forwards: the very token that opened the blob here opens it upstream. */
export interface FillRequest {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly token: string;
  /** Seconds since the epoch. */
  readonly tokenExpiresAt: number;
  /** In the order in which they are asked. */
  readonly hops: readonly string[];
  /** The caches that this request came through, from the first. */
  readonly via: readonly string[];
  /** Whose usage the bytes are that come from upstream. */
  readonly charged: Charged;
}

/** So long may it take without a byte: clients must have an answer within 30 s. */
const patienceMs = 25_000;

export interface SourceParts {
  readonly client: UpstreamClient;
  readonly breakers: Breakers;
  readonly logger: Logger;
  readonly metrics: CacheMetrics;
  readonly usage: Usage;
}

export class BlobSource {
  sizeBytes: number | undefined;
  /** Whom it asks at the moment, and without an answer yet. */
  asking: string | undefined;
  /** True once an upstream said that the blob is shorter than what was kept of it. */
  startsBehindTheEnd = false;
  /** Everyone who gave a byte. */
  readonly givers = new Set<string>();
  readonly #parts: SourceParts;
  readonly #hops: readonly string[];
  readonly #via: readonly string[];
  /** Who caused it: not who joins later with a token that lives longer. */
  readonly #charged: Charged;
  #request: FillRequest;

  constructor(request: FillRequest, parts: SourceParts) {
    this.#parts = parts;
    this.#request = request;
    this.#via = request.via;
    this.#charged = request.charged;
    this.#hops = request.hops.filter((hop) => !parts.client.isOneOf(hop, request.via));
  }

  /** A later token outlives the one that the fill began with. */
  renew(request: FillRequest): void {
    if (request.tokenExpiresAt > this.#request.tokenExpiresAt) this.#request = request;
  }

  /**
   * From byte `start` on, to `end` inclusive or the last. `onSize` is told the size of the blob before the first byte.
   * @throws DomainError `upstream-unavailable` when nobody goes on
   */
  async *read(options: {
    start: number;
    end?: number;
    onSize?: (sizeBytes: number) => void;
  }): AsyncGenerator<Uint8Array> {
    const { end, onSize } = options;
    let position = options.start;
    const turns = this.#turns();
    const failures: string[] = [];
    for (;;) {
      const hop = await this.#next(turns, failures);
      try {
        for await (const chunk of this.#readFrom(hop, { start: position, end, onSize }, turns.restMs)) {
          position += chunk.byteLength;
          this.givers.add(hop);
          this.#parts.metrics.received(hop, chunk.byteLength);
          this.#parts.usage.fetched(this.#charged, chunk.byteLength);
          turns.progressed();
          yield chunk;
        }
        this.#parts.breakers.succeeded(hop);
        return;
      } catch (error) {
        this.#tellFailure(error, { hop, turns, failures, atByte: position });
      }
    }
  }

  /** Asks for the size only. @throws DomainError `upstream-unavailable` */
  async askSize(): Promise<number> {
    const turns = this.#turns();
    const failures: string[] = [];
    for (;;) {
      const hop = await this.#next(turns, failures);
      try {
        const answer = await this.#ask(hop, { method: 'HEAD', headersTimeoutMs: turns.restMs });
        await answer.body.dump();
        const { sizeBytes } = readHead(answer, this.#request.digest, {
          start: 0,
          end: undefined,
          known: this.sizeBytes,
        });
        this.#parts.breakers.succeeded(hop);
        this.sizeBytes = sizeBytes;
        return sizeBytes;
      } catch (error) {
        this.#tellFailure(error, { hop, turns, failures, atByte: 0 });
      }
    }
  }

  async *#readFrom(
    hop: string,
    wanted: { start: number; end: number | undefined; onSize: ((sizeBytes: number) => void) | undefined },
    headersTimeoutMs: number,
  ): AsyncGenerator<Uint8Array> {
    const { start, end } = wanted;
    const range = start === 0 && end === undefined ? undefined : `bytes=${start}-${end ?? ''}`;
    const answer = await this.#ask(hop, { method: 'GET', range, headersTimeoutMs });
    const { body } = answer;
    // Destroyed unread, it reports an error of its own beside the one thrown here.
    body.on('error', () => {});
    try {
      const head = readHead(answer, this.#request.digest, { start, end, known: this.sizeBytes });
      this.sizeBytes = head.sizeBytes;
      wanted.onSize?.(head.sizeBytes);
      let rest = (end ?? head.sizeBytes - 1) + 1 - start;
      let skip = head.skipBytes;
      if (answer.statusCode === 416) return;
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        const skipped = Math.min(skip, chunk.byteLength);
        skip -= skipped;
        if (skipped === chunk.byteLength) continue;
        const fresh = skipped === 0 ? chunk : chunk.subarray(skipped);
        // Of a whole that was not asked for, only the part.
        const taken = answer.statusCode === 200 && end !== undefined ? fresh.subarray(0, rest) : fresh;
        if (taken.byteLength > rest) throw new UpstreamRefusal('fault', 'it sent more than it announced');
        rest -= taken.byteLength;
        yield taken;
        if (rest === 0 && end !== undefined) return;
      }
      if (rest > 0) throw new UpstreamRefusal('fault', 'it sent less than it announced');
    } finally {
      body.destroy();
    }
  }

  async #ask(
    hop: string,
    options: { method: 'GET' | 'HEAD'; range?: string | undefined; headersTimeoutMs: number },
  ): Promise<UpstreamAnswer> {
    const { repository, digest, token } = this.#request;
    this.asking = hop;
    const askedAt = performance.now();
    try {
      const answer = await this.#parts.client.request(
        hop,
        `/v2/${repository}/blobs/${digest}?token=${token}`,
        {
          ...options,
          via: this.#via,
        },
      );
      this.#parts.metrics.upstreamAnswered(hop, (performance.now() - askedAt) / 1000);
      return answer;
    } finally {
      this.asking = undefined;
    }
  }

  #turns(): HopTurns {
    return new HopTurns({ hops: this.#hops, breakers: this.#parts.breakers, patienceMs });
  }

  async #next(turns: HopTurns, failures: readonly string[]): Promise<string> {
    const hop = await turns.next();
    if (hop !== undefined) return hop;
    const rest = this.#hops.filter((one) => this.#parts.breakers.rests(one));
    const reasons = failures.length > 0 ? failures : rest.map((one) => `${one}: it rests after it failed`);
    throw new DomainError(
      'upstream-unavailable',
      `no upstream gave the blob: ${reasons.join('; ') || 'no upstream is configured for it'}`,
    );
  }

  /** What a failure means for this fill, and for others that would ask the same hop. */
  #tellFailure(
    error: unknown,
    { hop, turns, failures, atByte }: { hop: string; turns: HopTurns; failures: string[]; atByte: number },
  ): void {
    const { breakers, client, logger, metrics } = this.#parts;
    metrics.upstreamFailed(hop);
    const reason = `${describeUpstreamError(error)}${client.protocolRemark(hop)}`;
    if (failures.length < 10) failures.push(`${hop}: ${reason}`);
    logger.warn({ digest: this.#request.digest, upstream: hop, reason, atByte }, 'an upstream failed');
    if (!(error instanceof UpstreamRefusal)) {
      breakers.failed(hop);
      return;
    }
    if (error instanceof BytesAtFault) this.startsBehindTheEnd = true;
    // What it answers to the same question will be the same; after some bytes, another may go on.
    if (this.givers.size === 0) turns.exclude(hop);
    // The only one who has the other blobs does not rest because of this one.
    if (error.kind === 'fault' && !breakers.isLastResort(hop)) breakers.failed(hop);
    else breakers.undecided(hop);
  }
}
