/** `/api/v0/content_caches`: the caches that users may choose. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import {
  createContentCache,
  deleteContentCache,
  findContentCache,
  listContentCaches,
} from '../content-caches/content-caches.ts';
import type { Database } from '../database.ts';
import type { components } from './contract.d.ts';

type ContentCache = components['schemas']['ContentCache'];

export function createContentCacheRoutes({ database, clock }: { database: Database; clock: Clock }): Router {
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get('/api/v0/content_caches', async (_request, response) => {
    const caches: ContentCache[] = await listContentCaches(database.queries);
    response.json(caches);
  });
  routes.post('/api/v0/content_caches', async (request, response) => {
    const body: components['schemas']['CreateContentCache'] = request.body;
    const cache: ContentCache = await createContentCache(database.queries, body, clock());
    response.status(201).location(`/api/v0/content_caches/${cache.id}`).json(cache);
  });
  routes.get('/api/v0/content_caches/:contentcacheuuid', async (request, response) => {
    const cache: ContentCache | undefined = await findContentCache(
      database.queries,
      request.params.contentcacheuuid,
    );
    if (cache === undefined) {
      throw new DomainError('content-cache-unknown', 'A content cache with the given uuid does not exist.');
    }
    response.json(cache);
  });
  routes.delete('/api/v0/content_caches/:contentcacheuuid', async (request, response) => {
    await deleteContentCache(database.queries, request.params.contentcacheuuid);
    response.status(204).end();
  });
  return routes;
}
