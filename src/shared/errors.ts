/**
 * What went wrong, in the domain's words: no status, no code of an HTTP API. Each door (the HTTP surface that
 * met the error) has one table that turns these codes into its own answers.
 */
export type ErrorCode =
  | 'access-denied'
  | 'account-name-taken'
  | 'account-unknown'
  | 'blob-damaged'
  | 'blob-unknown'
  | 'content-cache-name-taken'
  | 'content-cache-unknown'
  | 'digest-invalid'
  | 'digest-mismatch'
  | 'grant-unsupported'
  | 'input-invalid'
  | 'json-invalid'
  | 'keys-unavailable'
  | 'manifest-blob-unknown'
  | 'manifest-damaged'
  | 'manifest-invalid'
  | 'manifest-unknown'
  | 'media-type-unsupported'
  | 'method-not-allowed'
  | 'name-invalid'
  | 'network-rule-taken'
  | 'network-rule-unknown'
  | 'not-acceptable'
  | 'not-authenticated'
  | 'page-size-invalid'
  | 'path-unknown'
  | 'progress-timeout'
  | 'range-invalid'
  | 'repository-unknown'
  | 'setting-invalid'
  | 'signature-invalid'
  | 'signature-missing'
  | 'size-mismatch'
  | 'storage-failed'
  | 'tag-invalid'
  | 'too-large'
  | 'too-many-uploads'
  | 'upload-range-invalid'
  | 'upload-unknown'
  | 'upstream-loop'
  | 'upstream-unavailable';

/** Facts a person needs to act: which field, which digest, what was expected. Never a secret. */
export type Detail = Readonly<Record<string, unknown>>;

/** An error whose cause is known where it is thrown. Everything else is a bug and becomes a 500. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly detail: Detail | undefined;

  constructor(code: ErrorCode, message: string, options: { detail?: Detail; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DomainError';
    this.code = code;
    this.detail = options.detail;
  }
}

/** True for errors of Node's system calls, such as ENOENT. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
