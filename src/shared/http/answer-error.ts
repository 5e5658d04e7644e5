/**
 * What the doors that speak the distribution API (`/v2/` and `/auth/token` of the origin, the cache) answer for each
 * error: status and code of the distribution spec.
 */
import type { ServerResponse } from 'node:http';
import { type DistributionErrorCode, errorBody } from '../distribution/error-codes.ts';
import { DomainError, type ErrorCode } from '../errors.ts';

const answers = {
  'access-denied': [403, 'DENIED'],
  'access-token-unknown': [404, 'UNKNOWN'],
  'account-name-taken': [409, 'UNKNOWN'],
  'account-unknown': [404, 'NAME_UNKNOWN'],
  'blob-damaged': [404, 'BLOB_UNKNOWN'],
  'blob-unknown': [404, 'BLOB_UNKNOWN'],
  'changed-meanwhile': [412, 'UNKNOWN'],
  'content-cache-name-taken': [409, 'UNKNOWN'],
  'content-cache-unknown': [404, 'UNKNOWN'],
  'csrf-token-invalid': [403, 'DENIED'],
  'digest-invalid': [400, 'DIGEST_INVALID'],
  'digest-mismatch': [400, 'DIGEST_INVALID'],
  'grant-unsupported': [400, 'UNSUPPORTED'],
  'input-invalid': [400, 'UNSUPPORTED'],
  'job-unknown': [404, 'UNKNOWN'],
  'json-invalid': [400, 'UNSUPPORTED'],
  'keys-unavailable': [503, 'UNAVAILABLE'],
  'last-admin': [409, 'UNKNOWN'],
  'manifest-blob-unknown': [404, 'MANIFEST_BLOB_UNKNOWN'],
  'manifest-damaged': [404, 'MANIFEST_UNKNOWN'],
  'manifest-invalid': [400, 'MANIFEST_INVALID'],
  'manifest-unknown': [404, 'MANIFEST_UNKNOWN'],
  'media-type-unsupported': [415, 'UNSUPPORTED'],
  'member-unknown': [404, 'UNKNOWN'],
  'method-not-allowed': [405, 'UNSUPPORTED'],
  'name-invalid': [400, 'NAME_INVALID'],
  'namespace-access-unknown': [404, 'UNKNOWN'],
  'network-rule-taken': [409, 'UNKNOWN'],
  'network-rule-unknown': [404, 'UNKNOWN'],
  'not-acceptable': [406, 'UNSUPPORTED'],
  'not-authenticated': [401, 'UNAUTHORIZED'],
  'page-size-invalid': [400, 'PAGINATION_NUMBER_INVALID'],
  'path-unknown': [404, 'UNSUPPORTED'],
  'prefetch-rule-unknown': [404, 'UNKNOWN'],
  'progress-timeout': [408, 'UNKNOWN'],
  'range-invalid': [416, 'RANGE_INVALID'],
  'repository-name-taken': [400, 'UNKNOWN'],
  'repository-unknown': [404, 'NAME_UNKNOWN'],
  'setting-invalid': [400, 'UNSUPPORTED'],
  'signature-invalid': [403, 'DENIED'],
  'signature-missing': [401, 'UNAUTHORIZED'],
  'size-mismatch': [400, 'SIZE_INVALID'],
  'storage-failed': [503, 'UNAVAILABLE'],
  'system-setting-invalid': [400, 'UNSUPPORTED'],
  'tag-immutable': [409, 'TAG_INVALID'],
  'tag-invalid': [400, 'TAG_INVALID'],
  'tag-unknown': [404, 'MANIFEST_UNKNOWN'],
  'team-name-taken': [409, 'UNKNOWN'],
  'team-unknown': [404, 'UNKNOWN'],
  'too-large': [413, 'SIZE_INVALID'],
  'too-many-access-tokens': [409, 'UNKNOWN'],
  'too-many-sign-ins': [429, 'TOOMANYREQUESTS'],
  'too-many-uploads': [429, 'TOOMANYREQUESTS'],
  'upload-range-invalid': [416, 'RANGE_INVALID'],
  'upload-unknown': [404, 'BLOB_UPLOAD_UNKNOWN'],
  'upstream-loop': [508, 'UNAVAILABLE'],
  'upstream-unavailable': [502, 'UNAVAILABLE'],
  'user-unknown': [404, 'NAME_UNKNOWN'],
  'visibility-invalid': [400, 'UNSUPPORTED'],
} as const satisfies Record<ErrorCode, readonly [number, DistributionErrorCode]>;

/** Errors of the storage that pass by themselves: the client may try again. */
const storageTroubles =
  /^(?:ENOSPC|EDQUOT|EMFILE|ENFILE|EROFS|EFBIG|EIO|EACCES|SQLITE_(?:FULL|BUSY|IOERR|CANTOPEN|READONLY).*)$/;

/** Writes the answer, or cuts the connection when one is already under way. Headers set before are kept. */
export function answerError(response: ServerResponse, error: unknown, requestId = ''): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const [status, code, message] = describe(error, requestId);
  const detail = error instanceof DomainError ? error.detail : undefined;
  const body = errorBody(code, message, detail);
  // A request whose body nobody read cannot be followed by another on the same connection.
  const mustClose = !response.req.readableEnded && response.req.headers['content-length'] !== '0';
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(status === 502 || status === 503 || status === 429
      ? { 'Retry-After': String(detail?.retryAfterSeconds ?? 5) }
      : {}),
    ...(mustClose && hasBody(response) ? { Connection: 'close' } : {}),
  });
  const text = response.req.method === 'HEAD' ? '' : body;
  if (mustClose && hasBody(response) && response.req.headers.expect === undefined)
    endAfterBody(response, text);
  else response.end(text);
}

/** A refused body is read on for this long and thrown away, and no more of it than this. */
const lingerMs = 2_000;
const lingerBytes = 64 * 1024 * 1024;

/**
 * Answers at once but closes only when the client has stopped sending: the system resets a connection that is closed with
 * bytes unread, and the client would find that in place of the answer.
 */
function endAfterBody(response: ServerResponse, text: string): void {
  const request = response.req;
  let readBytes = 0;
  const end = () => {
    clearTimeout(late);
    response.end();
  };
  const late = setTimeout(end, lingerMs);
  request.once('end', end).once('close', end);
  request.on('data', (chunk: Buffer) => {
    readBytes += chunk.byteLength;
    if (readBytes > lingerBytes) end();
  });
  response.write(text);
  request.resume();
}

function describe(error: unknown, requestId: string): readonly [number, DistributionErrorCode, string] {
  if (error instanceof DomainError) {
    const [status, code] = answers[error.code];
    return [status, code, error.message];
  }
  const mark = requestId === '' ? '' : `; request ${requestId}`;
  if (storageTroubles.test((error as NodeJS.ErrnoException)?.code ?? '')) {
    return [503, 'UNAVAILABLE', `the storage failed${mark}`];
  }
  return [500, 'UNKNOWN', `an internal error occurred${mark}`];
}

function hasBody(response: ServerResponse): boolean {
  const { headers } = response.req;
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}
