/** Manifests at the registry door: always from the origin (end-3, end-7, end-9). */
import type { Clock } from '../../shared/clock.ts';
import { algorithmOf, type Digest, digestOf } from '../../shared/distribution/digest.ts';
import { isIndex } from '../../shared/distribution/media-types.ts';
import { parseTag, type Reference } from '../../shared/distribution/reference.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import { requestedRange } from '../../shared/http/byte-range.ts';
import { matchesEtag } from '../../shared/http/send-blob.ts';
import type { Database } from '../database.ts';
import { maximumManifestBytes, parseManifest } from '../images/manifest.ts';
import { deleteManifest, type FindManifest, type StoredManifest } from '../images/manifests.ts';
import { findPlatformImage } from '../images/platforms.ts';
import type { PullCounts } from '../images/pull-counts.ts';
import { acceptPush } from '../images/pushes.ts';
import { findRepository, unknownRepository } from '../images/repositories.ts';
import { deleteTag } from '../images/tags.ts';
import { acceptsIndex } from './accept.ts';
import { eventContextOf, findActor } from './actor.ts';
import type { Authorizer } from './authorize.ts';
import { answer, type Exchange, queryValues, refuseMethod } from './exchange.ts';
import { readBody } from './request-body.ts';

interface ManifestTarget {
  readonly repository: RepositoryName;
  readonly reference: Reference;
}

export class ManifestHandlers {
  readonly #authorizer: Authorizer;
  readonly #database: Database;
  readonly #find: FindManifest;
  readonly #pulls: PullCounts;
  readonly #clock: Clock;

  constructor(options: {
    authorizer: Authorizer;
    database: Database;
    findManifest: FindManifest;
    pulls: PullCounts;
    clock: Clock;
  }) {
    this.#authorizer = options.authorizer;
    this.#database = options.database;
    this.#find = options.findManifest;
    this.#pulls = options.pulls;
    this.#clock = options.clock;
  }

  handle(exchange: Exchange, target: ManifestTarget): Promise<void> {
    switch (exchange.request.method) {
      case 'GET':
      case 'HEAD':
        return this.#get(exchange, target);
      case 'PUT':
        return this.#put(exchange, target);
      case 'DELETE':
        return this.#delete(exchange, target);
      default:
        return refuseMethod(exchange, ['GET', 'HEAD', 'PUT', 'DELETE']);
    }
  }

  async #get(exchange: Exchange, { repository, reference }: ManifestTarget): Promise<void> {
    await this.#authorizer.authorize(exchange, repository, 'pull');
    const manifest = await ('tag' in reference
      ? this.#find.byTag(repository, reference.tag)
      : this.#find.byDigest(repository, reference.digest));
    if (manifest === undefined) throw await this.#notFound(repository, reference);
    if ('digest' in reference || !isIndex(manifest.mediaType)) return this.#send(exchange, manifest);
    exchange.response.setHeader('Vary', 'Accept');
    return this.#send(exchange, await this.#readable(exchange, repository, manifest));
  }

  #send(exchange: Exchange, manifest: StoredManifest): void {
    const { request, response, record } = exchange;
    const etag = `"${manifest.digest}"`;
    const headers = {
      'Docker-Content-Digest': manifest.digest,
      ETag: etag,
      'Accept-Ranges': 'bytes',
      // A tag may move at any moment: whoever keeps the answer must ask again.
      'Cache-Control': 'private, no-cache',
    };
    if (matchesEtag(request.headers['if-none-match'], etag)) {
      response.writeHead(304, headers).end();
      return;
    }
    const total = manifest.bytes.byteLength;
    const range = requestedRange(request, response, etag, total);
    const bytes = range === undefined ? manifest.bytes : manifest.bytes.subarray(range.start, range.end + 1);
    if (request.method === 'GET') {
      record.bytes = bytes.byteLength;
      this.#pulls.count(manifest.repositoryId);
    }
    answer(
      exchange,
      range === undefined ? 200 : 206,
      {
        'Content-Type': manifest.mediaType,
        ...headers,
        ...(range === undefined ? {} : { 'Content-Range': `bytes ${range.start}-${range.end}/${total}` }),
      },
      bytes,
    );
  }

  /**
   * The index that a tag names, or for a client that says it cannot read one, its image for linux/amd64
   * (docs/decisions/0006).
   * @throws DomainError `manifest-unknown` when it has none
   */
  async #readable(
    exchange: Exchange,
    repository: RepositoryName,
    index: StoredManifest,
  ): Promise<StoredManifest> {
    if (acceptsIndex(exchange.request.headers.accept)) return index;
    const digest = findPlatformImage(index.bytes, { os: 'linux', architecture: 'amd64' });
    const image = digest === undefined ? undefined : await this.#find.byDigest(repository, digest);
    if (image !== undefined) return image;
    throw new DomainError(
      'manifest-unknown',
      'the tag names an image index without an image for linux/amd64, and the Accept header names no index',
      { detail: { digest: index.digest, mediaType: index.mediaType } },
    );
  }

  async #put(exchange: Exchange, { repository, reference }: ManifestTarget): Promise<void> {
    const claims = await this.#authorizer.authorize(exchange, repository, 'push');
    const bytes = await readBody(exchange, maximumManifestBytes);
    const contentType = exchange.request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    const digest = checkedDigest(bytes, reference);
    const manifest = parseManifest(bytes, contentType);
    const tags = 'tag' in reference ? [reference.tag] : queryValues(exchange, 'tag').map(parseTag);
    const push = { repository, digest, bytes, manifest, tags: [...new Set(tags)] };
    await this.#database.transaction(async (tx) => {
      const context = eventContextOf(exchange, await findActor(tx, claims));
      await acceptPush(tx, context, push, this.#clock());
    });
    if ('digest' in reference) for (const tag of tags) exchange.response.appendHeader('OCI-Tag', tag);
    answer(exchange, 201, {
      Location: `/v2/${repository}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      ...(manifest.subject === undefined ? {} : { 'OCI-Subject': manifest.subject }),
    });
  }

  async #delete(exchange: Exchange, { repository, reference }: ManifestTarget): Promise<void> {
    const claims = await this.#authorizer.authorize(exchange, repository, 'delete');
    const deleted = await this.#database.transaction(async (tx) => {
      const found = await findRepository(tx, repository);
      if (found === undefined) return false;
      const context = eventContextOf(exchange, await findActor(tx, claims));
      return 'tag' in reference
        ? deleteTag(tx, context, found, reference.tag, this.#clock())
        : deleteManifest(tx, context, found, reference.digest, this.#clock());
    });
    if (!deleted) throw await this.#notFound(repository, reference);
    answer(exchange, 202);
  }

  async #notFound(repository: RepositoryName, reference: Reference): Promise<DomainError> {
    const found = await findRepository(this.#database.queries, repository);
    if (found === undefined) return unknownRepository(repository);
    return new DomainError('manifest-unknown', 'the repository holds no such manifest', {
      detail: reference,
    });
  }
}

/** @throws DomainError `digest-mismatch` when the manifest was put under another digest than its own */
function checkedDigest(bytes: Buffer, reference: Reference): Digest {
  if ('tag' in reference) return digestOf(bytes);
  const digest = digestOf(bytes, algorithmOf(reference.digest));
  if (digest === reference.digest) return digest;
  throw new DomainError('digest-mismatch', 'the manifest does not have the digest that it was put under', {
    detail: { expected: reference.digest, found: digest },
  });
}
