/** The one way in which a blob goes out: 200, 206, 304, 416, `HEAD`, `ETag`, backpressure and its deadline. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlobPieces, ByteRange } from '../blob-store/blob-store.ts';
import type { Digest } from '../distribution/digest.ts';
import { DomainError } from '../errors.ts';
import { requestedRange } from './byte-range.ts';

/** A blob as the sender needs it: stored whole, or still arriving. */
export interface SendableBlob {
  readonly sizeBytes: number;
  readonly bytes?: Uint8Array;
  read(range?: ByteRange): BlobPieces;
}

/**
 * Answers with the blob and resolves with the number of body bytes sent, once all are handed to the socket. On an
 * error after the headers the socket is destroyed, so that the client sees fewer bytes than `Content-Length`
 * and never a complete answer. The caller closes the blob.
 * @throws DomainError `range-invalid` (416 is answered by the door), `progress-timeout` when the client took no
 * byte for `idleTimeoutMs`; whatever reading the blob throws. `sent.bytes` counts along: it holds what went out before
 * an error, too.
 */
export async function sendBlob(
  request: IncomingMessage,
  response: ServerResponse,
  digest: Digest,
  blob: SendableBlob,
  options: { idleTimeoutMs?: number; sent?: { bytes?: number } } = {},
): Promise<number> {
  const etag = `"${digest}"`;
  const fixed = {
    'Docker-Content-Digest': digest,
    ETag: etag,
    // By digest the answer never changes; whether the asker may have it does, so no shared cache keeps it.
    'Cache-Control': 'private, max-age=31536000, immutable',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; sandbox",
  };
  if (matchesEtag(request.headers['if-none-match'], etag)) {
    response.writeHead(304, fixed).end();
    return 0;
  }
  const range = requestedRange(request, response, etag, blob.sizeBytes);
  const lengthBytes = range === undefined ? blob.sizeBytes : range.end - range.start + 1;
  const head = () =>
    response.writeHead(range === undefined ? 200 : 206, {
      ...fixed,
      'Content-Type': 'application/octet-stream',
      'Content-Length': lengthBytes,
      'Accept-Ranges': 'bytes',
      ...(range === undefined
        ? {}
        : { 'Content-Range': `bytes ${range.start}-${range.end}/${blob.sizeBytes}` }),
    });
  if (request.method === 'HEAD') {
    head().end();
    return 0;
  }
  if (blob.bytes !== undefined) {
    head().end(range === undefined ? blob.bytes : blob.bytes.subarray(range.start, range.end + 1));
    return lengthBytes;
  }
  const { idleTimeoutMs = 60_000, sent = {} } = options;
  const pieces = blob.read(range)[Symbol.asyncIterator]();
  try {
    // Before the head: what fails at once is answered with a status instead of a cut connection.
    const first = await pieces.next();
    head();
    return await sendPieces(response, first, pieces, { lengthBytes, idleTimeoutMs, sent });
  } finally {
    await pieces.return?.();
  }
}

/** True when an `If-None-Match` header names the entity tag. */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((part) => {
    const tag = part.trim();
    return tag === '*' || tag === etag || tag === `W/${etag}`;
  });
}

async function sendPieces(
  response: ServerResponse,
  first: IteratorResult<Uint8Array>,
  pieces: AsyncIterator<Uint8Array>,
  options: { lengthBytes: number; idleTimeoutMs: number; sent: { bytes?: number } },
): Promise<number> {
  const { lengthBytes, idleTimeoutMs, sent } = options;
  let sentBytes = 0;
  let waitsForClient = false;
  // Small first writes must not wait for an acknowledgement; a stalled client must not hold a buffer for ever.
  response.socket?.setNoDelay(true);
  const stalled = () => {
    // Whoever brings the pieces has deadlines of its own: their delay is no fault of the client.
    if (!waitsForClient) return;
    response.destroy(new DomainError('progress-timeout', `the client took no byte for ${idleTimeoutMs} ms`));
  };
  response.setTimeout(idleTimeoutMs, stalled);
  try {
    for (let piece = first; !piece.done; piece = await pieces.next()) {
      waitsForClient = true;
      await write(response, piece.value);
      waitsForClient = false;
      sentBytes += piece.value.byteLength;
      sent.bytes = sentBytes;
      // At once: a client that has it all may close before whoever brings the pieces has tidied up.
      if (sentBytes === lengthBytes) response.end();
    }
    if (!response.writableEnded) response.end();
    return sentBytes;
  } catch (error) {
    response.destroy();
    throw error;
  }
}

/** Resolves when the piece has left our hands and its buffer may be reused. */
function write(response: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // Why we cut the connection, or else the client did: the system's word for a write that was cut off says neither.
    const cut = () => reject(response.errored ?? new ClientGone());
    if (response.destroyed) {
      cut();
      return;
    }
    // The callback is not called when the socket breaks while the piece waits in it.
    response.once('close', cut);
    response.write(piece, (error) => {
      response.off('close', cut);
      if (error) cut();
      else resolve();
    });
  });
}

/** Marks an abort by the client, which is normal and cheap: logged as status 499, never as an error. */
export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection');
    this.name = 'ClientGone';
  }
}
