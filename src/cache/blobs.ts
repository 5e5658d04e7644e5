/** The cache's one real door: `GET`/`HEAD /v2/<name>/blobs/<digest>?token=…`, from disk or by a fill. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StoredBlob } from '../shared/blob-store/blob-store.ts';
import type { DirectoryBlobStore } from '../shared/blob-store/directory.ts';
import {
  assertOpens,
  type BlobUrlClaims,
  parseBlobUrlQuery,
  verifyBlobUrlToken,
} from '../shared/blob-url.ts';
import type { Clock } from '../shared/clock.ts';
import type { Digest } from '../shared/distribution/digest.ts';
import type { RepositoryName } from '../shared/distribution/repository-name.ts';
import { DomainError, isSystemError } from '../shared/errors.ts';
import { sendBlob } from '../shared/http/send-blob.ts';
import type { Logger } from '../shared/logging.ts';
import {
  cacheIdHeader,
  goesRound,
  parseVia,
  protocolHeader,
  protocolVersion,
  viaHeader,
} from '../shared/protocol.ts';
import type { Deliveries } from './deliveries.ts';
import type { Entries } from './entries.ts';
import type { Fills } from './fills.ts';
import type { KeySets } from './key-sets.ts';
import type { CacheMetrics } from './metrics.ts';
import type { RequestRecord } from './request-log.ts';
import { chargedFor } from './usage.ts';

/** A client shows the same token for retries and ranges: verified once, remembered until it expires. */
const maximumRemembered = 20_000;

export class BlobDoor {
  readonly #store: DirectoryBlobStore;
  readonly #entries: Entries;
  readonly #fills: Fills;
  readonly #keySets: KeySets;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #cacheId: string;
  readonly #metrics: CacheMetrics;
  readonly #deliveries: Deliveries;
  readonly #verified = new Map<string, BlobUrlClaims>();

  constructor(options: {
    store: DirectoryBlobStore;
    entries: Entries;
    fills: Fills;
    keySets: KeySets;
    clock: Clock;
    logger: Logger;
    /** By which other caches know this process. */
    cacheId: string;
    metrics: CacheMetrics;
    deliveries: Deliveries;
  }) {
    this.#deliveries = options.deliveries;
    this.#metrics = options.metrics;
    this.#store = options.store;
    this.#entries = options.entries;
    this.#fills = options.fills;
    this.#keySets = options.keySets;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#cacheId = options.cacheId;
  }

  /** @throws DomainError when the signed URL does not open the blob, or it cannot be had */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    target: { repository: RepositoryName; digest: Digest },
    query: string,
    record: RequestRecord,
  ): Promise<void> {
    const { repository, digest } = target;
    const { pull } = record;
    pull.repository = repository;
    pull.digest = digest;
    const signed = parseBlobUrlQuery(query);
    if (signed === undefined) {
      throw new DomainError('signature-missing', 'this cache serves signed URLs only: pull from the origin');
    }
    const { token, requestId } = signed;
    pull.request = requestId;
    const claims = await this.#verify(token);
    assertOpens(claims, target);
    pull.user = claims.subject;
    record.claims = claims;
    // HEAD delivers nothing.
    if (requestId !== undefined && request.method === 'GET') {
      const ended = this.#deliveries.begin(claims.issuer, requestId);
      if (response.closed) ended('aborted');
      else record.delivery = ended;
    }
    response.setHeader(cacheIdHeader, this.#cacheId);
    response.setHeader(protocolHeader, protocolVersion);
    const stored = await this.#openStored(digest);
    if (stored !== undefined) {
      pull.cache = 'hit';
      await this.#sendStored(request, response, digest, stored, pull);
      return;
    }
    pull.cache = 'miss';
    const via = parseVia(request.headers[viaHeader]);
    if (goesRound(via, this.#cacheId)) {
      throw new DomainError('upstream-loop', 'the caches ask each other in a circle: ask the next upstream');
    }
    const hops = this.#keySets.hopsFor(claims.issuer);
    const charged = chargedFor(claims);
    const fill = { repository, digest, token, tokenExpiresAt: claims.expiresAt, hops, via, charged };
    if (request.method === 'HEAD') {
      const sizeBytes = await this.#fills.sizeBytes(fill);
      await sendBlob(request, response, digest, { sizeBytes, read: nothing });
      return;
    }
    pull.bytes = await sendBlob(request, response, digest, await this.#fills.open(fill), { sent: pull });
  }

  /** A stored blob that shows to be damaged is dropped: `undefined`, so that it is fetched again. */
  async #openStored(digest: Digest): Promise<StoredBlob | undefined> {
    try {
      const stored = await this.#store.open(digest);
      if (stored === undefined || stored.bytes !== undefined) return stored;
      const wantedBytes = this.#entries.sizeBytes(digest);
      if (wantedBytes === undefined || wantedBytes === stored.sizeBytes) return stored;
      await stored.close();
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    await this.#drop(digest);
    return undefined;
  }

  async #sendStored(
    request: IncomingMessage,
    response: ServerResponse,
    digest: Digest,
    stored: StoredBlob,
    pull: RequestRecord['pull'],
  ): Promise<void> {
    this.#entries.touch(digest, stored.sizeBytes);
    try {
      pull.bytes = await sendBlob(request, response, digest, stored, { sent: pull });
    } catch (error) {
      // This client has part of it already: it is cut off, and the next one gets it from upstream.
      if (isDamage(error)) await this.#drop(digest);
      throw isDamage(error)
        ? new DomainError('storage-failed', (error as Error).message, { cause: error })
        : error;
    } finally {
      await stored.close();
    }
  }

  async #drop(digest: Digest): Promise<void> {
    this.#logger.error({ digest }, 'a stored blob is damaged: dropped, to be fetched again');
    if (await this.#store.remove(digest)) {
      this.#metrics.evicted('damaged', 1, this.#entries.sizeBytes(digest) ?? 0);
    }
    this.#entries.forget(digest);
  }

  async #verify(token: string): Promise<BlobUrlClaims> {
    const remembered = this.#verified.get(token);
    if (remembered !== undefined && remembered.expiresAt * 1000 > this.#clock()) return remembered;
    this.#verified.delete(token);
    const claims = await verifyBlobUrlToken(token, {
      findKey: (issuer, keyId) => this.#keySets.findKey(issuer, keyId),
      clock: this.#clock,
    });
    this.#verified.set(token, claims);
    if (this.#verified.size > maximumRemembered) {
      const [oldest] = this.#verified.keys();
      this.#verified.delete(oldest as string);
    }
    return claims;
  }
}

/** The bytes on disk are not what they were, or cannot be read. */
function isDamage(error: unknown): boolean {
  return (error instanceof DomainError && error.code === 'blob-damaged') || isSystemError(error, 'EIO');
}

/** Nobody reads the body of an answer to HEAD. */
async function* nothing(): AsyncGenerator<Uint8Array> {}
