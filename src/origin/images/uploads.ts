/**
 * Upload sessions: pushing a blob in one or more requests (distribution spec, "Pushing blobs").
 *
 * The database knows whose session it is, the blob store holds its bytes, so a session outlives a restart. Between
 * requests the open writer is kept for a while, with its running hash: a push of one PATCH and one PUT hashes once.
 */
import { randomUUID } from 'node:crypto';
import type { BlobStore, BlobWriter } from '../../shared/blob-store/blob-store.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database } from '../database.ts';
import type { EventContext } from '../events/events.ts';
import { linkBlob } from './blob-links.ts';
import type { Removals } from './removals.ts';
import { getOrCreateRepository } from './repositories.ts';

/** Whose session: it answers to nobody else, and in no other repository. */
export interface UploadKey {
  readonly session: string;
  readonly repository: RepositoryName;
  readonly accountId: string;
}

/** Open sessions of one account: enough for many clients that push many layers at once. */
const maximumUploadsPerAccount = 100;
/** When an account is at its limit, sessions that got no byte for this long make room. */
const abandonedMs = 3_600_000;

/** An open writer that nobody used for this long is put away; the session goes on from the bytes stored. */
const keepOpenMs = 60_000;

interface OpenSession {
  readonly writer: BlobWriter;
  readonly repositoryId: string;
}

export class Uploads {
  readonly #database: Database;
  readonly #blobStore: BlobStore;
  readonly #removals: Removals;
  readonly #clock: Clock;
  readonly #idle = new Map<string, OpenSession & { putAway: NodeJS.Timeout }>();
  /** Sessions that a request is writing to; the writer once it is open. */
  readonly #busy = new Map<string, BlobWriter | undefined>();

  constructor(options: { database: Database; blobStore: BlobStore; removals: Removals; clock: Clock }) {
    this.#database = options.database;
    this.#blobStore = options.blobStore;
    this.#removals = options.removals;
    this.#clock = options.clock;
  }

  /**
   * Opens a session, creating the repository on its first push.
   * @throws DomainError `repository-unknown`, `name-invalid`, `too-many-uploads`
   */
  async begin(context: EventContext, repository: RepositoryName, accountId: string): Promise<UploadKey> {
    const session = randomUUID();
    const now = this.#clock();
    if ((await this.#countOf(accountId)) >= maximumUploadsPerAccount) await this.#makeRoom(accountId, now);
    const repositoryId = await this.#database.transaction(async (tx) => {
      const { id } = await getOrCreateRepository(tx, context, repository, now);
      await tx('uploads').insert({ id: session, repository_id: id, account_id: accountId, created_at: now });
      return id;
    });
    this.#keep(session, { writer: await this.#blobStore.begin(session), repositoryId });
    return { session, repository, accountId };
  }

  async #countOf(accountId: string): Promise<number> {
    const row = await this.#database
      .queries('uploads')
      .where('uploads.account_id', accountId)
      .count({ count: '*' })
      .first();
    return Number(row?.count);
  }

  async #makeRoom(accountId: string, now: number): Promise<void> {
    const own = new Set<string>(
      await this.#database.queries('uploads').where('uploads.account_id', accountId).pluck('uploads.id'),
    );
    for await (const { session, lastWriteMs } of this.#blobStore.listSessions()) {
      if (!own.has(session) || lastWriteMs > now - abandonedMs || this.#busy.has(session)) continue;
      await (await this.#blobStore.resume(session))?.discard();
      await this.#forget(session);
      own.delete(session);
    }
    if (own.size < maximumUploadsPerAccount) return;
    throw new DomainError(
      'too-many-uploads',
      `at most ${maximumUploadsPerAccount} upload sessions at a time: finish or cancel some`,
    );
  }

  /** Bytes received so far, also while another request sends more. @throws DomainError `upload-unknown` */
  async sizeBytes(key: UploadKey): Promise<number> {
    const writer = this.#busy.get(key.session);
    if (writer !== undefined) {
      await this.#repositoryOf(key);
      return writer.sizeBytes;
    }
    return this.#use(key, async ({ writer }) => writer.sizeBytes);
  }

  /**
   * Appends what `receive` writes and returns the bytes received so far. When `receive` fails, what had arrived is
   * kept and the session can go on.
   * @param start where the client believes it continues, `undefined` if it did not say
   * @throws DomainError `upload-unknown`; `upload-range-invalid` with the session's size in the detail
   */
  async append(key: UploadKey, start: number | undefined, receive: Receive): Promise<number> {
    return this.#use(key, async ({ writer }) => {
      assertContinues(writer, start);
      await receive(writer);
      // A client that was told that its bytes arrived does not send them again.
      await writer.flush();
      return writer.sizeBytes;
    });
  }

  /**
   * Appends the last bytes, if any, and makes the session a blob of the repository: durable when this resolves.
   * @throws DomainError `digest-mismatch` (the session is gone then), and what `append` throws
   */
  async finish(key: UploadKey, start: number | undefined, digest: Digest, receive: Receive): Promise<void> {
    await this.#use(key, async ({ writer, repositoryId }) => {
      assertContinues(writer, start);
      await receive(writer);
      const { sizeBytes } = writer;
      await this.#removals.claim({ digest, sizeBytes });
      try {
        await writer.publish(digest);
      } catch (error) {
        await this.#forget(key.session);
        throw error;
      }
      const now = this.#clock();
      await this.#database.transaction(async (tx) => {
        // First: a session whose repository was deleted meanwhile has nothing to link to.
        if ((await tx('uploads').where('uploads.id', key.session).delete()) === 0) throw unknownUpload(key);
        await linkBlob(tx, { repositoryId, digest, sizeBytes }, now);
      });
    });
  }

  /** @throws DomainError `upload-unknown` */
  async cancel(key: UploadKey): Promise<void> {
    await this.#use(key, async ({ writer }) => {
      await writer.discard();
      await this.#forget(key.session);
    });
  }

  /** Puts every open writer away, its bytes kept. */
  async close(): Promise<void> {
    const sessions = [...this.#idle.values()];
    this.#idle.clear();
    for (const { writer, putAway } of sessions) {
      clearTimeout(putAway);
      await writer.suspend();
    }
  }

  /** Runs `work` with the session's writer, one request at a time. */
  async #use<T>(key: UploadKey, work: (open: OpenSession) => Promise<T>): Promise<T> {
    const { session } = key;
    if (this.#busy.has(session)) {
      throw new DomainError('upload-range-invalid', 'another request is writing to this upload session');
    }
    this.#busy.set(session, undefined);
    try {
      const open = await this.#open(key);
      this.#busy.set(session, open.writer);
      try {
        const result = await work(open);
        if (open.writer.isOpen) this.#keep(session, open);
        return result;
      } catch (error) {
        await open.writer.suspend();
        throw error;
      }
    } finally {
      this.#busy.delete(session);
    }
  }

  /** The id of the repository that the session is for, if it is the caller's. @throws DomainError `upload-unknown` */
  async #repositoryOf(key: UploadKey): Promise<string> {
    const row = await this.#database
      .queries('uploads')
      .join('repositories', 'repositories.id', 'uploads.repository_id')
      .where('uploads.id', key.session)
      .where('uploads.account_id', key.accountId)
      .where('repositories.name', key.repository)
      .select('uploads.repository_id')
      .first();
    if (row === undefined) throw unknownUpload(key);
    return row.repository_id;
  }

  async #open(key: UploadKey): Promise<OpenSession> {
    const repositoryId = await this.#repositoryOf(key);
    const idle = this.#idle.get(key.session);
    if (idle !== undefined) {
      this.#idle.delete(key.session);
      clearTimeout(idle.putAway);
      return idle;
    }
    const writer = await this.#blobStore.resume(key.session);
    if (writer === undefined) throw unknownUpload(key);
    return { writer, repositoryId };
  }

  #keep(session: string, open: OpenSession): void {
    const putAway = setTimeout(() => {
      this.#idle.delete(session);
      // Failing to close loses nothing: the bytes are in the store, and publish verifies them.
      open.writer.suspend().catch(() => {});
    }, keepOpenMs);
    putAway.unref();
    this.#idle.set(session, { ...open, putAway });
  }

  async #forget(session: string): Promise<void> {
    await this.#database.transaction((tx) => tx('uploads').where('uploads.id', session).delete());
  }
}

/** Writes a request's bytes; what it threw away by throwing, the client sends again. */
export type Receive = (writer: BlobWriter) => Promise<void>;

function assertContinues(writer: BlobWriter, start: number | undefined): void {
  if (start !== undefined && start !== writer.sizeBytes) {
    throw new DomainError('upload-range-invalid', `the session continues at byte ${writer.sizeBytes}`, {
      detail: { start, sizeBytes: writer.sizeBytes },
    });
  }
}

function unknownUpload(key: UploadKey): DomainError {
  return new DomainError('upload-unknown', 'no such upload session', { detail: { session: key.session } });
}
