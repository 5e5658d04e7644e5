/** The registry door: `/v2/`. Ahead of Express, since it is the hot path and parses the raw path itself. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseRoute, splitTarget } from '../../shared/distribution/route.ts';
import { answerError } from '../../shared/http/answer-error.ts';
import { nextBatch } from '../../shared/http/request-batches.ts';
import type { RequestRecord } from '../request-log.ts';
import type { Authorizer } from './authorize.ts';
import type { BlobHandlers } from './blobs.ts';
import { answerJson, apiVersion, assertRead, type Exchange } from './exchange.ts';
import type { ListingHandlers } from './listings.ts';
import type { ManifestHandlers } from './manifests.ts';
import type { UploadHandlers } from './uploads.ts';

export interface RegistryHandlers {
  readonly authorizer: Authorizer;
  readonly blobs: BlobHandlers;
  readonly listings: ListingHandlers;
  readonly manifests: ManifestHandlers;
  readonly uploads: UploadHandlers;
}

export type RegistryDoor = (
  request: IncomingMessage,
  response: ServerResponse,
  record: RequestRecord,
) => Promise<void>;

export function createRegistryDoor(handlers: RegistryHandlers): RegistryDoor {
  return async (request, response, record) => {
    const { path, query } = splitTarget(request.url ?? '');
    const exchange: Exchange = { request, response, query, record };
    try {
      if (request.readableEnded) await nextBatch();
      await route(handlers, exchange, path);
    } catch (error) {
      record.error = error;
      if (!response.headersSent) response.setHeader(...apiVersion);
      answerError(response, error, record.requestId);
    }
  };
}

async function route(handlers: RegistryHandlers, exchange: Exchange, path: string): Promise<void> {
  const target = parseRoute(path);
  switch (target.kind) {
    case 'base':
      assertRead(exchange);
      handlers.authorizer.authenticate(exchange);
      return answerJson(exchange, {});
    case 'manifest':
      return handlers.manifests.handle(exchange, target);
    case 'blob':
      return handlers.blobs.handle(exchange, target);
    case 'uploads':
      return handlers.uploads.begin(exchange, target.repository);
    case 'upload':
      return handlers.uploads.handle(exchange, target);
    case 'tags':
      return handlers.listings.tags(exchange, target.repository);
    case 'referrers':
      return handlers.listings.referrers(exchange, target.repository, target.digest);
    case 'catalog':
      return handlers.listings.catalog(exchange);
  }
}
