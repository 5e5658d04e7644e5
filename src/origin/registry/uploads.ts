/** Upload sessions at the registry door: pushing a blob (end-4, 5, 6, 11, 13, 14). */
import type { Clock } from '../../shared/clock.ts';
import { type Digest, parseDigest } from '../../shared/distribution/digest.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import { findRepositoryLevel } from '../access/rights.ts';
import { type Account, findAccount } from '../accounts/accounts.ts';
import type { Database } from '../database.ts';
import { listRepositoriesOfBlob, mountBlob } from '../images/blob-links.ts';
import { getOrCreateRepository, type Repository } from '../images/repositories.ts';
import type { Receive, UploadKey, Uploads } from '../images/uploads.ts';
import type { RegistryTokenClaims } from '../keys/registry-token.ts';
import { eventContextOf } from './actor.ts';
import type { Authorizer } from './authorize.ts';
import { answer, type Exchange, queryValues, refuseMethod } from './exchange.ts';
import { streamBody } from './request-body.ts';

export class UploadHandlers {
  readonly #authorizer: Authorizer;
  readonly #database: Database;
  readonly #uploads: Uploads;
  readonly #clock: Clock;

  constructor(options: {
    authorizer: Authorizer;
    database: Database;
    uploads: Uploads;
    clock: Clock;
  }) {
    this.#authorizer = options.authorizer;
    this.#database = options.database;
    this.#uploads = options.uploads;
    this.#clock = options.clock;
  }

  /** `POST …/blobs/uploads/`: a session, a blob in one request, or a mount. */
  async begin(exchange: Exchange, repository: RepositoryName): Promise<void> {
    if (exchange.request.method !== 'POST') refuseMethod(exchange, ['POST']);
    const claims = await this.#authorizer.authorize(exchange, repository, 'push');
    const account = await this.#accountOf(claims);
    const [mount] = queryValues(exchange, 'mount');
    if (mount !== undefined && (await this.#mount(exchange, account, repository, parseDigest(mount)))) return;
    const digest = digestParameter(exchange);
    const key = await this.#uploads.begin(eventContextOf(exchange, account), repository, account.id);
    if (digest === undefined) {
      answer(exchange, 202, sessionHeaders(key, 0));
      return;
    }
    try {
      await this.#uploads.finish(key, undefined, digest, receive(exchange));
    } catch (error) {
      // The client was never told of this session, so nobody would go on with it.
      await this.#uploads.cancel(key).catch(() => {});
      throw error;
    }
    answerCreated(exchange, repository, digest);
  }

  /** `PATCH`, `PUT`, `GET`, `DELETE …/blobs/uploads/<session>`. */
  async handle(exchange: Exchange, target: { repository: RepositoryName; session: string }): Promise<void> {
    const claims = await this.#authorizer.authorize(exchange, target.repository, 'push');
    const { id: accountId } = await this.#accountOf(claims);
    const key: UploadKey = { ...target, accountId };
    switch (exchange.request.method) {
      case 'PATCH': {
        const sizeBytes = await this.#withRange(exchange, key, () => {
          const { start, lengthBytes } = chunkOf(exchange);
          return this.#uploads.append(key, start, receive(exchange, lengthBytes));
        });
        return answer(exchange, 202, sessionHeaders(key, sizeBytes));
      }
      case 'PUT': {
        const digest = digestParameter(exchange);
        if (digest === undefined) throw new DomainError('digest-invalid', 'the parameter digest is missing');
        await this.#withRange(exchange, key, () => {
          const { start, lengthBytes } = chunkOf(exchange);
          return this.#uploads.finish(key, start, digest, receive(exchange, lengthBytes));
        });
        return answerCreated(exchange, target.repository, digest);
      }
      case 'GET':
      case 'HEAD':
        return answer(exchange, 204, sessionHeaders(key, await this.#uploads.sizeBytes(key)));
      case 'DELETE':
        await this.#uploads.cancel(key);
        return answer(exchange, 204);
      default:
        return refuseMethod(exchange, ['PATCH', 'PUT', 'GET', 'HEAD', 'DELETE']);
    }
  }

  /**
   * Makes a blob of another repository readable in this one: of the one named by `from`, or of any. What counts is
   * that the pushing account may pull from it. False when that cannot be, for whatever reason: then the client uploads
   * the blob, and learns nothing of a repository that it may not read.
   */
  async #mount(
    exchange: Exchange,
    account: Account,
    repository: RepositoryName,
    digest: Digest,
  ): Promise<boolean> {
    const [from] = queryValues(exchange, 'from');
    const linkedIn = await listRepositoriesOfBlob(this.#database.queries, digest, from);
    if (!(await this.#mayPullFromOne(account, linkedIn))) return false;
    const now = this.#clock();
    const mounted = await this.#database.transaction(async (tx) => {
      const { id } = await getOrCreateRepository(tx, eventContextOf(exchange, account), repository, now);
      return mountBlob(tx, { repositoryId: id, digest }, now);
    });
    if (!mounted) return false;
    answerCreated(exchange, repository, digest);
    return true;
  }

  async #mayPullFromOne(account: Account, repositories: readonly Repository[]): Promise<boolean> {
    for (const repository of repositories) {
      const level = await findRepositoryLevel(this.#database.queries, account, repository);
      if (level !== undefined) return true;
    }
    return false;
  }

  /** A refused chunk is answered with where the session stands, so that the client can go on from there. */
  async #withRange<T>(exchange: Exchange, key: UploadKey, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof DomainError && error.code === 'upload-range-invalid') {
        const headers = sessionHeaders(key, await this.#uploads.sizeBytes(key));
        for (const [name, value] of Object.entries(headers)) exchange.response.setHeader(name, value);
      }
      throw error;
    }
  }

  /** Read anew for each request of a push: a user who was deactivated stops at once. */
  async #accountOf(claims: RegistryTokenClaims): Promise<Account> {
    const account = await findAccount(this.#database.queries, claims.subject);
    if (account?.isActive) return account;
    throw new DomainError('access-denied', 'the account may not push');
  }
}

/** Takes the body, which must have the length announced by `Content-Range`, if any. */
function receive(exchange: Exchange, lengthBytes?: number): Receive {
  return async (writer) => {
    let receivedBytes = 0;
    const assertLength = (holds: boolean) => {
      if (holds) return;
      throw new DomainError('upload-range-invalid', 'the body is not as long as its Content-Range says', {
        detail: { lengthBytes },
      });
    };
    await streamBody(exchange, async (chunk) => {
      receivedBytes += chunk.byteLength;
      assertLength(lengthBytes === undefined || receivedBytes <= lengthBytes);
      await writer.write(chunk);
    });
    assertLength(lengthBytes === undefined || receivedBytes === lengthBytes);
  };
}

function digestParameter(exchange: Exchange): Digest | undefined {
  const digests = queryValues(exchange, 'digest');
  if (digests.length > 1) throw new DomainError('digest-invalid', 'one digest expected');
  return digests[0] === undefined ? undefined : parseDigest(digests[0]);
}

/**
 * Where the chunk begins and how long it is, by `Content-Range: <start>-<end>`; nothing without the header
 * (docker sends none).
 * @throws DomainError `upload-range-invalid` when it is not a range or not of the body's length
 */
function chunkOf(exchange: Exchange): { start?: number; lengthBytes?: number } {
  const { headers } = exchange.request;
  const range = headers['content-range'];
  if (range === undefined) return {};
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(range);
  const start = Number(match?.[1]);
  const lengthBytes = Number(match?.[2]) - start + 1;
  const announced = headers['content-length'];
  if (match === null || lengthBytes < 1 || (announced !== undefined && Number(announced) !== lengthBytes)) {
    throw new DomainError('upload-range-invalid', 'Content-Range: <start>-<end> of the body expected', {
      detail: { contentRange: range },
    });
  }
  return { start, lengthBytes };
}

/** `Location` is relative: it holds at whatever name and port the client reached us. */
function sessionHeaders(key: UploadKey, sizeBytes: number): Record<string, string> {
  return {
    Location: `/v2/${key.repository}/blobs/uploads/${key.session}`,
    Range: `0-${Math.max(0, sizeBytes - 1)}`,
    'Docker-Upload-UUID': key.session,
  };
}

function answerCreated(exchange: Exchange, repository: RepositoryName, digest: Digest): void {
  answer(exchange, 201, {
    Location: `/v2/${repository}/blobs/${digest}`,
    'Docker-Content-Digest': digest,
  });
}
