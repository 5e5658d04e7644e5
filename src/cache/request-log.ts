/** One line per request when it has ended, and its place in the metrics. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlobUrlClaims } from '../shared/blob-url.ts';
import type { Digest } from '../shared/distribution/digest.ts';
import type { RepositoryName } from '../shared/distribution/repository-name.ts';
import { splitTarget } from '../shared/distribution/route.ts';
import { DomainError } from '../shared/errors.ts';
import { ClientGone } from '../shared/http/send-blob.ts';
import type { Logger } from '../shared/logging.ts';
import type { CacheMetrics, PullOutcome } from './metrics.ts';
import type { Usage } from './usage.ts';

/** What a request for a blob learned on its way, for its log line. */
interface PullRecord {
  user?: string;
  repository?: RepositoryName;
  digest?: Digest;
  /** The id of the origin's redirect, if it gave one. */
  request?: string | undefined;
  cache?: 'hit' | 'miss';
  bytes?: number;
}

/** What a request learned on its way. */
export interface RequestRecord {
  readonly pull: PullRecord;
  /** Of the signed URL that was good. */
  claims?: BlobUrlClaims;
  /** To be told how the answer ended. */
  delivery?: (ended: 'completed' | 'aborted') => void;
  failure?: unknown;
}

/** Begins a record; writes its line and counts it when the answer has ended or the client is gone. */
export function recordRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: { logger: Logger; metrics: CacheMetrics; usage: Usage; access: boolean },
): RequestRecord {
  const record: RequestRecord = { pull: {} };
  const startedAt = performance.now();
  // Read now: a socket that closed has forgotten it.
  const client = request.socket.remoteAddress;
  response.once('close', () => {
    const { pull, claims, failure } = record;
    const bytes = pull.bytes ?? 0;
    // Ended, not finished: a client that closes right after the last byte is quicker than our being told of it.
    const status = response.writableEnded || isOurs(failure) ? response.statusCode : 499;
    const outcome = outcomeOf(pull, status, failure);
    if (pull.digest !== undefined) options.metrics.pullEnded(outcome, bytes);
    if (claims !== undefined) options.usage.served(claims, request.method, outcome, bytes);
    record.delivery?.(response.writableEnded && status < 400 ? 'completed' : 'aborted');
    if (!options.access && failure === undefined) return;
    const { path } = splitTarget(request.url ?? '');
    const line = {
      method: request.method,
      ...(pull.digest === undefined ? { path } : pull),
      status,
      bytes,
      durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
      client,
      userAgent: request.headers['user-agent'],
      ...(failure instanceof Error ? { reason: failure.message } : {}),
    };
    const message = pull.digest === undefined ? 'request' : 'pull';
    if (failure !== undefined && !(failure instanceof DomainError) && response.statusCode >= 500) {
      options.logger.error({ ...line, err: failure }, message);
    } else if (!response.writableEnded && isOurs(failure)) {
      options.logger.warn({ ...line, cut: true }, message);
    } else {
      options.logger.info(line, message);
    }
  });
  return record;
}

/** True when an answer ended early by trouble here or upstream, and not because the client left or stalled. */
function isOurs(failure: unknown): boolean {
  if (failure instanceof DomainError) return failure.code !== 'progress-timeout';
  return failure !== undefined && !(failure instanceof ClientGone);
}

function outcomeOf(pull: PullRecord, status: number, failure: unknown): PullOutcome {
  if (status >= 500 || (isOurs(failure) && status < 400)) return 'failed';
  if (status >= 400 && status !== 499) return 'refused';
  return pull.cache ?? 'refused';
}
