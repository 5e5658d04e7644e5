/** The cache's one real door: `GET`/`HEAD /v2/<name>/blobs/<digest>?token=…`, from disk or by a fill. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DirectoryBlobStore } from '../shared/blob-store/directory.ts';
import { assertOpens, type BlobUrlClaims, verifyBlobUrlToken } from '../shared/blob-url.ts';
import type { Clock } from '../shared/clock.ts';
import type { Digest } from '../shared/distribution/digest.ts';
import type { RepositoryName } from '../shared/distribution/repository-name.ts';
import { DomainError } from '../shared/errors.ts';
import { sendBlob } from '../shared/http/send-blob.ts';
import type { Entries } from './entries.ts';
import type { Fills } from './fills.ts';
import type { KeySets } from './key-sets.ts';

/** What a request learned on its way, for its log line. */
export interface PullRecord {
  user?: string;
  repository?: RepositoryName;
  digest?: Digest;
  cache?: 'hit' | 'miss';
  bytes?: number;
}

/** A client shows the same token for retries and ranges: verified once, remembered until it expires. */
const maximumRemembered = 20_000;

export class BlobDoor {
  readonly #store: DirectoryBlobStore;
  readonly #entries: Entries;
  readonly #fills: Fills;
  readonly #keySets: KeySets;
  readonly #clock: Clock;
  readonly #verified = new Map<string, BlobUrlClaims>();

  constructor(options: {
    store: DirectoryBlobStore;
    entries: Entries;
    fills: Fills;
    keySets: KeySets;
    clock: Clock;
  }) {
    this.#store = options.store;
    this.#entries = options.entries;
    this.#fills = options.fills;
    this.#keySets = options.keySets;
    this.#clock = options.clock;
  }

  /** @throws DomainError when the signed URL does not open the blob, or it cannot be had */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    target: { repository: RepositoryName; digest: Digest },
    query: string,
    record: PullRecord,
  ): Promise<void> {
    const { repository, digest } = target;
    record.repository = repository;
    record.digest = digest;
    const token = tokenOf(query);
    const claims = await this.#verify(token);
    assertOpens(claims, target);
    record.user = claims.subject;
    const stored = await this.#store.open(digest);
    if (stored !== undefined) {
      record.cache = 'hit';
      this.#entries.touch(digest);
      try {
        record.bytes = await sendBlob(request, response, digest, stored, { sent: record });
      } finally {
        await stored.close();
      }
      return;
    }
    record.cache = 'miss';
    const fill = { repository, digest, token, hops: this.#keySets.hopsFor(claims.issuer) };
    if (request.method === 'HEAD') {
      const sizeBytes = await this.#fills.sizeBytes(fill);
      await sendBlob(request, response, digest, { sizeBytes, read: nothing });
      return;
    }
    record.bytes = await sendBlob(request, response, digest, await this.#fills.open(fill), { sent: record });
  }

  async #verify(token: string): Promise<BlobUrlClaims> {
    const remembered = this.#verified.get(token);
    if (remembered !== undefined && remembered.expiresAt * 1000 > this.#clock()) return remembered;
    this.#verified.delete(token);
    const claims = await verifyBlobUrlToken(token, {
      findKey: (issuer, keyId) => this.#keySets.findKey(issuer, keyId),
      clock: this.#clock,
    });
    if (this.#verified.size >= maximumRemembered) this.#verified.clear();
    this.#verified.set(token, claims);
    return claims;
  }
}

/** The one parameter that there may be. @throws DomainError `signature-missing`, `signature-invalid` */
function tokenOf(query: string): string {
  const match = /^token=([\w-]+\.[\w-]+\.[\w-]+)$/.exec(query);
  if (match !== null) return match[1] as string;
  if (!/(?:^|&)token=/.test(query)) {
    throw new DomainError('signature-missing', 'this cache serves signed URLs only: pull from the origin');
  }
  throw new DomainError('signature-invalid', 'the signed URL is refused: one parameter, token, expected');
}

/** Nobody reads the body of an answer to HEAD. */
async function* nothing(): AsyncGenerator<Uint8Array> {}
