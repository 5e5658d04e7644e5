/** Blobs at the registry door: where a pull is sent to the user's cache (end-2, end-10). */
import type { BlobStore } from '../../shared/blob-store/blob-store.ts';
import { parseBlobUrlQuery, verifyBlobUrl } from '../../shared/blob-url.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import { sendBlob } from '../../shared/http/send-blob.ts';
import type { FindVerificationKey } from '../../shared/signed-token.ts';
import { describeChoice } from '../content-caches/choose.ts';
import type { Redirector } from '../content-caches/redirect.ts';
import type { Database } from '../database.ts';
import {
  confirmBlobs,
  type FindLinkedBlob,
  markBlobDamaged,
  unlinkBlob,
  useResolutionMs,
} from '../images/blob-links.ts';
import { findRepository, unknownRepository } from '../images/repositories.ts';
import type { RegistryTokenClaims } from '../keys/registry-token.ts';
import type { Authorizer } from './authorize.ts';
import { answer, type Exchange, refuseMethod } from './exchange.ts';

interface BlobTarget {
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

export class BlobHandlers {
  readonly #authorizer: Authorizer;
  readonly #database: Database;
  readonly #blobStore: BlobStore;
  readonly #findLinked: FindLinkedBlob;
  readonly #redirector: Redirector;
  readonly #findVerificationKey: FindVerificationKey;
  readonly #clock: Clock;

  constructor(options: {
    authorizer: Authorizer;
    database: Database;
    blobStore: BlobStore;
    findLinkedBlob: FindLinkedBlob;
    redirector: Redirector;
    findVerificationKey: FindVerificationKey;
    clock: Clock;
  }) {
    this.#authorizer = options.authorizer;
    this.#database = options.database;
    this.#blobStore = options.blobStore;
    this.#findLinked = options.findLinkedBlob;
    this.#redirector = options.redirector;
    this.#findVerificationKey = options.findVerificationKey;
    this.#clock = options.clock;
  }

  handle(exchange: Exchange, target: BlobTarget): Promise<void> {
    switch (exchange.request.method) {
      case 'GET':
      case 'HEAD':
        return this.#get(exchange, target);
      case 'DELETE':
        return this.#delete(exchange, target);
      default:
        return refuseMethod(exchange, ['GET', 'HEAD', 'DELETE']);
    }
  }

  async #get(exchange: Exchange, target: BlobTarget): Promise<void> {
    const { request, record } = exchange;
    const signed = parseBlobUrlQuery(exchange.query);
    const claims =
      signed === undefined
        ? await this.#authorizer.authorize(exchange, target.repository, 'pull')
        : await this.#assertOpens(exchange, target, signed.token);
    const linked = await this.#findLinked(target.repository, target.digest);
    if (linked === undefined) throw await this.#notFound(target);
    if (claims !== undefined) {
      // HEAD stays here: clients ask it before a push. A signed URL is a cache's fill: never redirected again.
      const location =
        request.method === 'GET'
          ? await this.#redirect(exchange, target, claims, Boolean(linked.redirect))
          : undefined;
      if (location !== undefined) {
        // 307 and not 302: the method stays. Not to be kept: it expires, and belongs to one user.
        answer(exchange, 307, {
          Location: location,
          'Cache-Control': 'no-store',
          'Referrer-Policy': 'no-referrer',
          'Docker-Content-Digest': target.digest,
        });
        return;
      }
      await this.#confirm(target, linked);
    }
    try {
      record.bytes = await this.#send(exchange, target.digest);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'blob-damaged')
        await this.#markDamaged(target.digest);
      throw error;
    }
  }

  /** Where the client gets the blob; `undefined` when it is here. */
  async #redirect(
    { request, record }: Exchange,
    target: BlobTarget,
    claims: RegistryTokenClaims,
    redirects: boolean,
  ): Promise<string | undefined> {
    const ask = {
      ...target,
      pull: claims.id,
      user: claims.subject,
      client: record.client,
      userAgent: request.headers['user-agent'] ?? '',
      range: request.headers.range,
    };
    const { choice, location } = await this.#redirector.redirect(ask, redirects);
    record.choice = describeChoice(choice);
    return location;
  }

  async #send({ request, response, record }: Exchange, digest: Digest): Promise<number> {
    const blob = await this.#blobStore.open(digest);
    if (blob === undefined) {
      throw new DomainError('blob-damaged', 'the blob is missing from the storage: push it again', {
        detail: { digest },
      });
    }
    try {
      // Counted along: a client that has it all may close, and the line be written, before we have tidied up.
      return await sendBlob(request, response, digest, blob, { sent: record });
    } finally {
      await blob.close();
    }
  }

  /** Who is told that a blob is there will not push it: garbage collection must know. */
  async #confirm(target: BlobTarget, linked: { repositoryId: string; lastUsedAt: number }): Promise<void> {
    const now = this.#clock();
    if (now - linked.lastUsedAt < useResolutionMs) return;
    const confirmed = await this.#database.transaction((tx) =>
      confirmBlobs(tx, linked.repositoryId, [target.digest], now),
    );
    // Not confirmed: somebody else did it in this moment, or it was collected.
    if (confirmed > 0 || (await this.#findLinked(target.repository, target.digest)) !== undefined) return;
    throw await this.#notFound(target);
  }

  /** From now on it is absent, so that a client pushes it again, and so repairs it. */
  async #markDamaged(digest: Digest): Promise<void> {
    await this.#database.transaction((tx) => markBlobDamaged(tx, digest, this.#clock()));
  }

  /**
   * Unless the signed URL opens this blob, it is refused, whatever else is sent with it.
   * @throws DomainError `signature-invalid`
   */
  async #assertOpens(exchange: Exchange, target: BlobTarget, token: string): Promise<undefined> {
    const { subject } = await verifyBlobUrl(token, target, {
      findKey: this.#findVerificationKey,
      clock: this.#clock,
    });
    exchange.record.user = subject;
  }

  async #delete(exchange: Exchange, target: BlobTarget): Promise<void> {
    await this.#authorizer.authorize(exchange, target.repository, 'delete');
    const repository = await findRepository(this.#database.queries, target.repository);
    const deleted =
      repository !== undefined &&
      (await this.#database.transaction((tx) => unlinkBlob(tx, repository.id, target.digest)));
    if (!deleted) throw await this.#notFound(target);
    answer(exchange, 202);
  }

  async #notFound({ repository, digest }: BlobTarget): Promise<DomainError> {
    const found = await findRepository(this.#database.queries, repository);
    if (found === undefined) return unknownRepository(repository);
    return new DomainError('blob-unknown', 'the repository holds no such blob', { detail: { digest } });
  }
}
