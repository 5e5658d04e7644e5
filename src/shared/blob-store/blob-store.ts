/**
 * Where blobs live, addressed by digest. Any implementation passes test/shared/blob-store/suite.ts.
 *
 * No path, descriptor or rename shows here, so that an object store fits as well as a directory.
 */
import type { Digest } from '../distribution/digest.ts';

/** Bytes `start` to `end`, both inclusive and within the blob. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A blob's bytes, read in pieces. **A piece is valid only until the next one is asked for**: implementations
 * reuse their buffers.
 */
export type BlobPieces = AsyncIterable<Uint8Array>;

/** A blob open for reading; whoever opened it closes it, after the last piece was used. */
export interface StoredBlob {
  readonly sizeBytes: number;
  /** The whole content, when it is small and already in memory: saves the caller a stream. */
  readonly bytes?: Uint8Array;
  /**
   * Reads the range, or everything. Whoever reads everything never gets the last piece of a blob that does not have its
   * digest: the iteration throws DomainError `blob-damaged` instead. A range cannot be held against the digest.
   */
  read(range?: ByteRange): BlobPieces;
  close(): Promise<void>;
}

/** Bytes on their way to become a blob. One owner, who ends it with `publish`, `suspend` or `discard`. */
export interface BlobWriter {
  /** Bytes accepted so far. */
  readonly sizeBytes: number;
  /** False once it was published, suspended or discarded. */
  readonly isOpen: boolean;
  /** Appends; resolves when the writer can take more (backpressure). The chunk now belongs to the writer. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves when the store has taken what was written, and rejects when it cannot. */
  flush(): Promise<void>;
  /**
   * Makes the bytes the blob `digest`, durably: after this they survive a power loss. Publishing a blob that is
   * already there is no error.
   * @throws DomainError `digest-mismatch` when they hash to something else; the bytes are discarded then.
   */
  publish(digest: Digest): Promise<void>;
  /** Lets go, keeping the bytes for `resume`. Once the writer is closed it does nothing. */
  suspend(): Promise<void>;
  /** Lets go and forgets the bytes. */
  discard(): Promise<void>;
}

export interface BlobStore {
  /** The size in bytes, or `undefined` when the blob is not stored. */
  stat(digest: Digest): Promise<number | undefined>;
  /**
   * `undefined` when the blob is not stored. What was opened stays readable until closed, even if removed.
   * @throws DomainError `blob-damaged` when that shows already now
   */
  open(digest: Digest): Promise<StoredBlob | undefined>;
  /** Reads the whole blob from where it lies, whatever is remembered of it, and holds it against its digest. */
  check(digest: Digest): Promise<'sound' | 'damaged' | 'missing'>;
  /** Begins a write session under a name of the caller's: 1 to 64 letters, digits, `-`. */
  begin(session: string): Promise<BlobWriter>;
  /** Continues a session from what is stored of it, also after a restart; `undefined` when it is not known. */
  resume(session: string): Promise<BlobWriter | undefined>;
  /** Sessions with the time of their last write, for purging. */
  listSessions(): AsyncIterable<{ session: string; lastWriteMs: number }>;
  /** True if there was such a blob. */
  remove(digest: Digest): Promise<boolean>;
  /** Every blob, with the time at which it was published or later. */
  list(): AsyncIterable<{ digest: Digest; sizeBytes: number; storedAtMs: number }>;
}
