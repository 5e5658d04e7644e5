/** One line per request when it has ended, and its place in the metrics. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { splitTarget } from '../shared/distribution/route.ts';
import { DomainError } from '../shared/errors.ts';
import type { Logger } from '../shared/logging.ts';
import type { PullRecord } from './blobs.ts';
import type { CacheMetrics, PullOutcome } from './metrics.ts';

/** What a request learned on its way. */
export interface RequestRecord {
  readonly pull: PullRecord;
  failure?: unknown;
}

/** Begins a record and writes its line when the answer has ended or the client is gone. */
export function recordRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: { logger: Logger; metrics: CacheMetrics; access: boolean },
): RequestRecord {
  const record: RequestRecord = { pull: {} };
  const startedAt = performance.now();
  // Read now: a socket that closed has forgotten it.
  const client = request.socket.remoteAddress;
  response.once('close', () => {
    const { pull, failure } = record;
    // Ended, not finished: a client that closes right after the last byte is quicker than our being told of it.
    const status = response.writableEnded || isOurs(failure) ? response.statusCode : 499;
    if (pull.digest !== undefined)
      options.metrics.pullEnded(outcomeOf(pull, status, failure), pull.bytes ?? 0);
    if (!options.access && failure === undefined) return;
    const { path } = splitTarget(request.url ?? '');
    const line = {
      method: request.method,
      ...(pull.digest === undefined ? { path } : pull),
      status,
      bytes: pull.bytes ?? 0,
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
  return failure instanceof DomainError && failure.code !== 'progress-timeout';
}

function outcomeOf(pull: PullRecord, status: number, failure: unknown): PullOutcome {
  if (status >= 500 || (isOurs(failure) && status < 400)) return 'failed';
  if (status >= 400 && status !== 499) return 'refused';
  return pull.cache ?? 'refused';
}
