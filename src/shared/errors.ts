/**
 * What went wrong, in the domain's words: no status, no code of an HTTP API. Each door (the HTTP surface that
 * met the error) has one table that turns these codes into its own answers.
 */
export type ErrorCode =
  | 'access-denied'
  | 'access-token-unknown'
  | 'account-name-taken'
  | 'account-unknown'
  | 'blob-damaged'
  | 'blob-unknown'
  | 'changed-meanwhile'
  | 'content-cache-name-taken'
  | 'content-cache-unknown'
  | 'csrf-token-invalid'
  | 'digest-invalid'
  | 'digest-mismatch'
  | 'grant-unsupported'
  | 'input-invalid'
  | 'job-unknown'
  | 'json-invalid'
  | 'keys-unavailable'
  | 'last-admin'
  | 'manifest-blob-unknown'
  | 'manifest-damaged'
  | 'manifest-invalid'
  | 'manifest-unknown'
  | 'media-type-unsupported'
  | 'member-unknown'
  | 'method-not-allowed'
  | 'name-invalid'
  | 'namespace-access-unknown'
  | 'network-rule-taken'
  | 'network-rule-unknown'
  | 'not-acceptable'
  | 'not-authenticated'
  | 'page-size-invalid'
  | 'path-unknown'
  | 'prefetch-rule-unknown'
  | 'progress-timeout'
  | 'range-invalid'
  | 'repository-name-taken'
  | 'repository-unknown'
  | 'setting-invalid'
  | 'signature-invalid'
  | 'signature-missing'
  | 'size-mismatch'
  | 'storage-failed'
  | 'system-setting-invalid'
  | 'tag-immutable'
  | 'tag-invalid'
  | 'tag-unknown'
  | 'team-name-taken'
  | 'team-unknown'
  | 'too-large'
  | 'too-many-access-tokens'
  | 'too-many-sign-ins'
  | 'too-many-uploads'
  | 'upload-range-invalid'
  | 'upload-unknown'
  | 'upstream-loop'
  | 'upstream-unavailable'
  | 'user-unknown'
  | 'visibility-invalid';

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
