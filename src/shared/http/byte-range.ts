/** `Range` requests (RFC 9110, section 14): one range of bytes; anything else is ignored, as the RFC allows. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ByteRange } from '../blob-store/blob-store.ts';
import { DomainError } from '../errors.ts';

/**
 * The range of the content `etag` that a request asks for; `undefined`: everything. Only a `GET` has ranges (14.2), and
 * one with `If-Range` only of the content that it names (13.1.5).
 * @throws DomainError `range-invalid`, `Content-Range` set on the response
 */
export function requestedRange(
  request: IncomingMessage,
  response: ServerResponse,
  etag: string,
  sizeBytes: number,
): ByteRange | undefined {
  const { range: header, 'if-range': ifRange } = request.headers;
  if (header === undefined || request.method !== 'GET') return undefined;
  if (ifRange !== undefined && ifRange !== etag) return undefined;
  const range = parseByteRange(header, sizeBytes);
  if (range !== 'unsatisfiable') return range;
  response.setHeader('Content-Range', `bytes */${sizeBytes}`);
  throw new DomainError('range-invalid', `there are ${sizeBytes} bytes`, {
    detail: { range: header, sizeBytes },
  });
}

/**
 * `undefined`: send everything. `'unsatisfiable'`: 416, also for an end before its start. An end past the last byte
 * is clamped, since some clients ask for one byte more than there is.
 */
export function parseByteRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header.trim());
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [, first, last] = match as unknown as [string, string, string];
  if (first === '') {
    const suffix = Math.min(Number(last), sizeBytes);
    return suffix === 0 ? 'unsatisfiable' : { start: sizeBytes - suffix, end: sizeBytes - 1 };
  }
  const start = Number(first);
  if (start >= sizeBytes) return 'unsatisfiable';
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return end < start ? 'unsatisfiable' : { start, end };
}
