/** What the API door answers for each error: statuses and codes of the original where it had them. */
import type { ErrorRequestHandler } from 'express';
import { errorBody } from '../../shared/distribution/error-codes.ts';
import { DomainError, type ErrorCode } from '../../shared/errors.ts';
import { requestRecord } from '../request-log.ts';

const answers = {
  'access-denied': [403, 'NOT_AUTHORIZED'],
  'access-token-unknown': [404, 'NO_SUCH_API_TOKEN'],
  'account-name-taken': [409, 'ACCOUNT_EXISTS'],
  'account-unknown': [404, 'NO_SUCH_ACCOUNT'],
  'blob-damaged': [404, 'NO_SUCH_LAYER'],
  'blob-unknown': [404, 'NO_SUCH_LAYER'],
  'changed-meanwhile': [412, 'PRECONDITION_FAILED'],
  'content-cache-name-taken': [409, 'CONTENT_CACHE_EXISTS'],
  'content-cache-unknown': [404, 'NO_SUCH_CONTENT_CACHE'],
  'csrf-token-invalid': [403, 'NOT_AUTHORIZED'],
  'digest-invalid': [400, 'INVALID_DIGEST'],
  'digest-mismatch': [400, 'INVALID_DIGEST'],
  'grant-unsupported': [400, 'INVALID_PARAMETERS'],
  'input-invalid': [400, 'INVALID_PARAMETERS'],
  'job-unknown': [404, 'NO_SUCH_JOB'],
  'json-invalid': [400, 'INVALID_JSON'],
  'keys-unavailable': [503, 'UNAVAILABLE'],
  'last-admin': [409, 'LAST_ADMIN'],
  'manifest-blob-unknown': [404, 'NO_SUCH_LAYER'],
  'manifest-damaged': [404, 'NO_SUCH_MANIFEST'],
  'manifest-invalid': [400, 'INVALID_PARAMETERS'],
  'manifest-unknown': [404, 'NO_SUCH_MANIFEST'],
  'media-type-unsupported': [415, 'UNSUPPORTED_MEDIA_TYPE'],
  'member-unknown': [404, 'NO_SUCH_MEMBER'],
  'method-not-allowed': [405, 'NOT_ALLOWED'],
  'name-invalid': [400, 'INVALID_PARAMETERS'],
  'namespace-access-unknown': [404, 'NO_SUCH_NAMESPACE_TEAM_ACCESS'],
  'network-rule-taken': [409, 'CONTENT_CACHE_RULE_EXISTS'],
  'network-rule-unknown': [404, 'NO_SUCH_CONTENT_CACHE_RULE'],
  'not-acceptable': [406, 'NOT_ACCEPTABLE'],
  'not-authenticated': [401, 'NOT_AUTHENTICATED'],
  'page-size-invalid': [400, 'INVALID_PARAMETERS'],
  'path-unknown': [404, 'NO_SUCH_PATH'],
  'prefetch-rule-unknown': [404, 'NO_SUCH_PREFETCH_RULE'],
  'progress-timeout': [408, 'INVALID_JSON'],
  'range-invalid': [416, 'INVALID_PARAMETERS'],
  'repository-name-taken': [400, 'REPOSITORY_EXISTS'],
  'repository-unknown': [404, 'NO_SUCH_REPOSITORY'],
  'setting-invalid': [400, 'INVALID_USER_SETTINGS'],
  'signature-invalid': [403, 'NOT_AUTHORIZED'],
  'signature-missing': [401, 'NOT_AUTHENTICATED'],
  'size-mismatch': [400, 'INVALID_PARAMETERS'],
  'storage-failed': [503, 'UNAVAILABLE'],
  'system-setting-invalid': [400, 'INVALID_SETTINGS'],
  'tag-immutable': [409, 'TAG_IMMUTABLE'],
  'tag-invalid': [400, 'INVALID_TAG_NAME'],
  'tag-unknown': [404, 'NO_SUCH_TAG'],
  'team-name-taken': [409, 'TEAM_EXISTS'],
  'team-unknown': [404, 'NO_SUCH_TEAM'],
  'too-large': [413, 'TOO_LARGE'],
  'too-many-access-tokens': [409, 'TOO_MANY_TOKENS'],
  'too-many-sign-ins': [429, 'TOO_MANY_REQUESTS'],
  'too-many-uploads': [429, 'TOO_MANY_REQUESTS'],
  'upload-range-invalid': [416, 'INVALID_PARAMETERS'],
  'upload-unknown': [404, 'INVALID_PARAMETERS'],
  'upstream-loop': [508, 'UNAVAILABLE'],
  'upstream-unavailable': [502, 'UNAVAILABLE'],
  'user-unknown': [404, 'NO_SUCH_USER'],
  'visibility-invalid': [400, 'INVALID_REPOSITORY_VISIBILITY'],
} as const satisfies Record<ErrorCode, readonly [status: number, code: string]>;

/** The last handler of the door. Nothing of an unexpected error reaches the client but the request's id. */
export const answerApiError: ErrorRequestHandler = (error, _request, response, next) => {
  const record = requestRecord(response);
  const known = error instanceof DomainError ? error : fromLibrary(error);
  record.error = known ?? error;
  if (response.headersSent) {
    next(error);
    return;
  }
  const [status, code] = known === undefined ? ([500, 'INTERNAL_ERROR'] as const) : answers[known.code];
  const message =
    known?.message ??
    'An internal server error occurred. Contact a system administrator for more information.';
  if (status === 429 || status === 503)
    response.set('Retry-After', String(known?.detail?.retryAfterSeconds ?? 5));
  if (known?.code === 'method-not-allowed') response.set('Allow', String(known.detail?.allow));
  const detail = known === undefined ? { requestId: record.requestId } : known.detail;
  response
    .status(status)
    .type('application/json')
    .send(errorBody(code, message, detail));
};

/** What express and its body parser refused, as an error of ours. */
function fromLibrary(error: unknown): DomainError | undefined {
  const { status, type, message } = error as { status?: number; type?: string; message: string };
  switch (status) {
    case 400:
      if (type?.startsWith('entity.') === true)
        return new DomainError('json-invalid', 'Unable to parse JSON', { cause: error });
      return new DomainError('input-invalid', message, { cause: error });
    case 413:
      return new DomainError('too-large', 'at most 100 KiB expected', { cause: error });
    case 415:
      return new DomainError('media-type-unsupported', 'application/json in UTF-8 expected', {
        cause: error,
      });
    default:
      return undefined;
  }
}
