/**
 * Blobs in a directory:
 *
 *     <root>/blobs/sha256/ab/abcdef…      complete blobs, named by their digest
 *     <root>/sessions/<session>           bytes still arriving
 *
 * A blob appears by rename on the same file system after its bytes were hashed and synced, so a file under
 * `blobs/` is whole or absent, also after a crash.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  algorithmOf,
  createDigester,
  type Digest,
  type DigestAlgorithm,
  digestOf,
  hexOf,
  isDigest,
} from '../distribution/digest.ts';
import { DomainError, isSystemError } from '../errors.ts';
import type { BlobPieces, BlobStore, BlobWriter, ByteRange, StoredBlob } from './blob-store.ts';
import { PieceBuffers } from './piece-buffers.ts';
import { SmallBlobs } from './small-blobs.ts';
import { VerifiedFiles } from './verified-files.ts';

/** Blobs up to this size are kept in memory once read. */
const smallBlobBytes = 64 * 1024;
const sessionGrammar = /^[a-zA-Z0-9-]{1,64}$/;

export class DirectoryBlobStore implements BlobStore {
  readonly #root: string;
  readonly #small: SmallBlobs;
  readonly #verified = new VerifiedFiles();
  readonly #buffers = new PieceBuffers();
  /** Raised by each removal: what was opened before it is not kept in memory after it. */
  #removals = 0;

  /** `smallBlobsBytes`: memory for the contents of small blobs. */
  constructor(root: string, options: { smallBlobsBytes?: number } = {}) {
    this.#root = root;
    this.#small = new SmallBlobs(options.smallBlobsBytes ?? 64 * 1024 * 1024);
  }

  /** Makes the directories. @throws the system's error when they cannot be made or written. */
  async prepare(): Promise<void> {
    await mkdir(join(this.#root, 'sessions'), { recursive: true, mode: 0o700 });
    await mkdir(join(this.#root, 'blobs'), { recursive: true, mode: 0o700 });
  }

  /** Of the file system that the directory is on, in bytes; `free` is what an ordinary user may still take. */
  async disk(): Promise<{ sizeBytes: number; freeBytes: number }> {
    const { blocks, bavail, bsize } = await statfs(this.#root);
    return { sizeBytes: blocks * bsize, freeBytes: bavail * bsize };
  }

  async stat(digest: Digest): Promise<number | undefined> {
    const kept = this.#small.find(digest);
    if (kept !== undefined) return kept.byteLength;
    return unlessMissing(async () => (await stat(this.#pathOf(digest))).size);
  }

  async open(digest: Digest): Promise<StoredBlob | undefined> {
    const kept = this.#small.find(digest);
    if (kept !== undefined) return inMemory(kept);
    const removals = this.#removals;
    const file = await unlessMissing(() => open(this.#pathOf(digest), 'r'));
    if (file === undefined) return undefined;
    try {
      const stats = await file.stat();
      if (stats.size > smallBlobBytes) return this.#onDisk(file, digest, stats);
      const bytes = await file.readFile();
      if (digestOf(bytes, algorithmOf(digest)) !== digest) throw damaged(digest);
      if (removals === this.#removals) this.#small.keep(digest, bytes);
      await file.close();
      return inMemory(bytes);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async check(digest: Digest): Promise<'sound' | 'damaged' | 'missing'> {
    const file = await unlessMissing(() => open(this.#pathOf(digest), 'r'));
    if (file === undefined) return 'missing';
    try {
      const { size } = await file.stat();
      const digester = createDigester(algorithmOf(digest));
      for await (const piece of readPieces(file, { start: 0, end: size - 1 }, this.#buffers))
        digester.update(piece);
      return digester.digest() === digest ? 'sound' : 'damaged';
    } finally {
      await file.close();
    }
  }

  async begin(session: string): Promise<DirectoryBlobWriter> {
    const path = this.#sessionPath(session);
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    return new DirectoryBlobWriter(this, path, file, { sizeBytes: 0, buffers: this.#buffers });
  }

  async resume(session: string): Promise<DirectoryBlobWriter | undefined> {
    const path = this.#sessionPath(session);
    const file = await unlessMissing(() => open(path, constants.O_RDWR));
    if (file === undefined) return undefined;
    const { size } = await file.stat();
    return new DirectoryBlobWriter(this, path, file, { sizeBytes: size, buffers: this.#buffers });
  }

  async *listSessions(): AsyncIterable<{ session: string; lastWriteMs: number }> {
    for await (const entry of await opendir(join(this.#root, 'sessions'))) {
      // What is not ours is left alone.
      if (!entry.isFile() || !sessionGrammar.test(entry.name)) continue;
      const lastWriteMs = await unlessMissing(
        async () => (await stat(this.#sessionPath(entry.name))).mtimeMs,
      );
      if (lastWriteMs !== undefined) yield { session: entry.name, lastWriteMs };
    }
  }

  async remove(digest: Digest): Promise<boolean> {
    const isRemoved = (await unlessMissing(() => rm(this.#pathOf(digest)).then(() => true))) ?? false;
    this.#removals += 1;
    this.#small.forget(digest);
    return isRemoved;
  }

  async *list(): AsyncIterable<{ digest: Digest; sizeBytes: number; storedAtMs: number }> {
    const blobs = join(this.#root, 'blobs');
    for (const algorithm of await directoriesIn(blobs)) {
      for (const prefix of await directoriesIn(algorithm)) {
        for await (const entry of await opendir(prefix)) {
          const digest = `${basename(algorithm)}:${entry.name}`;
          if (!isDigest(digest)) continue;
          const stats = await unlessMissing(() => stat(join(prefix, entry.name)));
          // The time of its last change of name, which a rename into its place is.
          if (stats !== undefined) yield { digest, sizeBytes: stats.size, storedAtMs: stats.ctimeMs };
        }
      }
    }
  }

  /** Moves a synced file, whose bytes have the digest, into its place and makes the move itself durable. */
  async adopt(path: string, file: FileHandle, digest: Digest): Promise<void> {
    const target = this.#pathOf(digest);
    const shard = dirname(target);
    const firstMade = await mkdir(shard, { recursive: true, mode: 0o700 });
    await rename(path, target);
    this.#small.forget(digest);
    this.#verified.remember(digest, await file.stat());
    await syncDirectory(shard);
    // A directory made just now is itself an entry of its parents.
    if (firstMade !== undefined) {
      for (let made = shard; made.length >= firstMade.length; made = dirname(made)) {
        await syncDirectory(dirname(made));
      }
    }
  }

  /** A file that is as it was when its bytes were last held against the digest is not held against it again. */
  #onDisk(file: FileHandle, digest: Digest, stats: Stats): StoredBlob {
    const whole = { start: 0, end: stats.size - 1 };
    return {
      sizeBytes: stats.size,
      read: (range) => {
        if (range !== undefined) return readPieces(file, range, this.#buffers);
        if (this.#verified.knows(digest, stats)) return readPieces(file, whole, this.#buffers);
        return this.#readVerifying(file, digest, stats);
      },
      close: () => file.close(),
    };
  }

  async *#readVerifying(file: FileHandle, digest: Digest, stats: Stats): BlobPieces {
    const digester = createDigester(algorithmOf(digest));
    let rest = stats.size;
    for await (const piece of readPieces(file, { start: 0, end: stats.size - 1 }, this.#buffers)) {
      digester.update(piece);
      rest -= piece.byteLength;
      if (rest === 0) {
        if (digester.digest() !== digest) throw damaged(digest);
        this.#verified.remember(digest, stats);
      }
      yield piece;
    }
  }

  #pathOf(digest: Digest): string {
    const hex = hexOf(digest);
    return join(this.#root, 'blobs', algorithmOf(digest), hex.slice(0, 2), hex);
  }

  #sessionPath(session: string): string {
    if (!sessionGrammar.test(session)) throw new DomainError('upload-unknown', 'no such upload session');
    return join(this.#root, 'sessions', session);
  }
}

/** A session's file, its hash running along. */
export class DirectoryBlobWriter implements BlobWriter {
  readonly #store: DirectoryBlobStore;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #buffers: PieceBuffers;
  readonly #digester = createDigester('sha256');
  #hashedBytes = 0;
  #sizeBytes: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #writtenBytes: number;
  #closed = false;
  readonly #reads = new Set<Promise<unknown>>();

  constructor(
    store: DirectoryBlobStore,
    path: string,
    file: FileHandle,
    options: { sizeBytes: number; buffers: PieceBuffers },
  ) {
    this.#store = store;
    this.#path = path;
    this.#file = file;
    this.#buffers = options.buffers;
    this.#sizeBytes = options.sizeBytes;
    this.#writtenBytes = options.sizeBytes;
    this.#buffers.enter();
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  /** Bytes that `read` can see. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    // After `resume` the hash is behind the file: it catches up once, in publish.
    if (this.#hashedBytes === this.#sizeBytes) {
      this.#digester.update(chunk);
      this.#hashedBytes += chunk.byteLength;
    }
    this.#sizeBytes += chunk.byteLength;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.byteLength;
    if (this.#pendingBytes >= this.#buffers.pieceBytes) await this.flush();
  }

  /** Hands what was gathered to the file, so that `read` sees it. */
  async flush(): Promise<void> {
    while (this.#pending.length > 0) {
      const { bytesWritten } = await this.#file.writev(this.#pending, this.#writtenBytes);
      this.#writtenBytes += bytesWritten;
      this.#pendingBytes -= bytesWritten;
      this.#pending = withoutFirst(this.#pending, bytesWritten);
    }
  }

  /**
   * Copies what is written from `position` on into `into`; the number of bytes copied, 0 when there are none or the
   * writer is closed.
   */
  async read(into: Uint8Array, position: number): Promise<number> {
    const length = Math.min(into.byteLength, this.#writtenBytes - position);
    if (length <= 0 || this.#closed) return 0;
    const reading = this.#file.read(into, 0, length, position);
    this.#reads.add(reading);
    try {
      return (await reading).bytesRead;
    } finally {
      this.#reads.delete(reading);
    }
  }

  async publish(digest: Digest): Promise<void> {
    try {
      await this.flush();
      const actual = await this.#digest(algorithmOf(digest));
      if (actual !== digest) {
        throw new DomainError('digest-mismatch', 'the bytes received do not have the digest given', {
          detail: { expected: digest, found: actual },
        });
      }
      await this.#file.sync();
      await this.#store.adopt(this.#path, this.#file, digest);
      await this.#close();
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  async suspend(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.flush();
    } finally {
      await this.#close();
    }
  }

  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#path, { force: true });
  }

  async #digest(algorithm: DigestAlgorithm): Promise<Digest> {
    if (algorithm === 'sha256' && this.#hashedBytes === this.#sizeBytes) return this.#digester.digest();
    const digester = createDigester(algorithm);
    for await (const piece of readPieces(this.#file, { start: 0, end: this.#sizeBytes - 1 }, this.#buffers))
      digester.update(piece);
    return digester.digest();
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#pending = [];
    this.#buffers.leave();
    // Never under a read that is still running: its buffer belongs to somebody.
    await Promise.allSettled(this.#reads);
    await this.#file.close();
  }
}

function inMemory(bytes: Uint8Array): StoredBlob {
  return {
    sizeBytes: bytes.byteLength,
    bytes,
    async *read(range) {
      yield range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
    },
    close: async () => {},
  };
}

function damaged(digest: Digest): DomainError {
  return new DomainError('blob-damaged', 'the stored blob does not have its digest: push it again', {
    detail: { digest },
  });
}

/** Reads ahead by one piece: while the caller sends one buffer, the other is being filled. */
async function* readPieces(file: FileHandle, range: ByteRange, buffers: PieceBuffers): BlobPieces {
  let position = range.start;
  const fill = async () => {
    const buffer = buffers.take(range.end + 1 - position);
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position);
    if (bytesRead === 0) {
      throw new DomainError('blob-damaged', 'the stored blob became shorter while it was read');
    }
    position += bytesRead;
    return { buffer, bytesRead };
  };
  const fillNext = () => {
    if (position > range.end) return undefined;
    const filling = fill();
    // Seen when it is awaited; until then it must not count as unhandled.
    filling.catch(() => {});
    return filling;
  };
  buffers.enter();
  let filling = fillNext();
  try {
    while (filling !== undefined) {
      const { buffer, bytesRead } = await filling;
      filling = fillNext();
      yield buffer.subarray(0, bytesRead);
      // Not in a `finally`: of who leaves early, nobody knows whether the system still reads the buffer.
      buffers.give(buffer);
    }
  } finally {
    buffers.leave();
    // The file must not be closed, nor the buffer freed, under a read that is still running.
    await filling?.catch(() => {});
  }
}

function withoutFirst(chunks: Uint8Array[], count: number): Uint8Array[] {
  let index = 0;
  let rest = count;
  while (index < chunks.length && rest >= (chunks[index] as Uint8Array).byteLength) {
    rest -= (chunks[index] as Uint8Array).byteLength;
    index += 1;
  }
  const remaining = chunks.slice(index);
  if (rest > 0) remaining[0] = (remaining[0] as Uint8Array).subarray(rest);
  return remaining;
}

async function directoriesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
