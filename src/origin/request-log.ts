/** One structured line per request, with what its handlers learned on the way. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Network } from '../shared/cidr.ts';
import { DomainError } from '../shared/errors.ts';
import { clientAddress } from '../shared/http/client-address.ts';
import type { Logger } from '../shared/logging.ts';
import type { DescribedChoice } from './content-caches/choose.ts';
import type { OriginMetrics } from './metrics.ts';

/** Filled in by the handlers of a request; never holds a secret. */
export interface RequestRecord {
  readonly requestId: string;
  /** The client's address, canonical, behind trusted proxies; `undefined` when it was gone before it could be asked. */
  readonly client: string | undefined;
  user?: string;
  /** Bytes of a blob or manifest sent. */
  bytes?: number;
  /** Where a blob request went, and why. */
  choice?: DescribedChoice;
  error?: unknown;
}

/** Begins a record and writes its line when the answer is finished or the client has gone. */
export function recordRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: {
    logger: Logger;
    trustedProxies: readonly Network[];
    metrics: Pick<OriginMetrics, 'requestEnded'> | undefined;
  },
): RequestRecord {
  const { logger, trustedProxies, metrics } = options;
  // Read now: a socket that closed has forgotten it.
  const client = clientAddress(request, trustedProxies);
  const record: RequestRecord = { requestId: randomUUID(), client };
  const startedAt = performance.now();
  response.once('close', () => {
    const { error } = record;
    // Without the query: it can hold a token.
    const target = request.url ?? '';
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    const durationMs = performance.now() - startedAt;
    const line = {
      requestId: record.requestId,
      method: request.method,
      path,
      // Ended, not finished: a client that closes right after the last byte is quicker than our being told of it.
      status: response.writableEnded ? response.statusCode : 499,
      bytes: record.bytes ?? 0,
      durationMs: Math.round(durationMs * 10) / 10,
      user: record.user,
      client,
      userAgent: request.headers['user-agent'],
      ...(record.choice === undefined ? {} : { choice: record.choice }),
      ...(error instanceof Error ? { error: error.message } : {}),
    };
    metrics?.requestEnded(path, line.status, durationMs / 1000, line.bytes);
    if (error !== undefined && !(error instanceof DomainError) && response.statusCode >= 500) {
      logger.error({ ...line, err: error }, 'request');
    } else {
      logger.info(line, 'request');
    }
  });
  return record;
}

/** The record of a request that Express handles: `server.ts` puts it into `locals`. */
export function requestRecord(response: { locals: Record<string, unknown> }): RequestRecord {
  return response.locals.record as RequestRecord;
}
