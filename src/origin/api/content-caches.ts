/** `/api/v0/content_caches`: the caches that users may choose. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import {
  changeContentCache,
  countContentCaches,
  createContentCache,
  deleteContentCache,
  findContentCache,
  getContentCache,
  listContentCaches,
} from '../content-caches/content-caches.ts';
import type { Database } from '../database.ts';
import { recordEvent } from '../events/events.ts';
import { adminsOnly, eventContextOf } from './caller.ts';
import type { components } from './contract.d.ts';
import { assertUnchanged, sendWithEtag } from './etag.ts';
import { pageOf, sendPageHeaders } from './paging.ts';

const collection = '/api/v0/content_caches';
const one = `${collection}/:contentcacheuuid`;

/** Reading is for everybody who signed in. */
export function createContentCacheGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.post(collection, adminsOnly);
  guards.patch(one, adminsOnly);
  guards.delete(one, adminsOnly);
  return guards;
}

export function createContentCacheRoutes({ database, clock }: { database: Database; clock: Clock }): Router {
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get(collection, async (request, response) => {
    const page = await listContentCaches(database.queries, pageOf(request));
    await sendPageHeaders(request, response, page, () => countContentCaches(database.queries));
    response.json(page.records);
  });
  routes.post(collection, async (request, response) => {
    const body: components['schemas']['CreateContentCache'] = request.body;
    const cache = await database.transaction(async (tx) => {
      const created = await createContentCache(tx, body, clock());
      const { id, ...content } = created;
      const object = { type: 'content_cache', id, name: created.name };
      await recordEvent(tx, eventContextOf(response), { type: 'CREATE', object, content }, clock());
      return created;
    });
    response.status(201).location(`${collection}/${cache.id}`).json(cache);
  });
  routes.get(one, async (request, response) => {
    sendWithEtag(response, await getContentCache(database.queries, request.params.contentcacheuuid));
  });
  routes.patch(one, async (request, response) => {
    const body: components['schemas']['UpdateContentCache'] = request.body;
    const { contentcacheuuid: id } = request.params;
    const cache = await database.transaction(async (tx) => {
      assertUnchanged(request, await getContentCache(tx, id));
      const changed = await changeContentCache(tx, id, body);
      const object = { type: 'content_cache', id, name: changed.name };
      await recordEvent(tx, eventContextOf(response), { type: 'UPDATE', object, content: body }, clock());
      return changed;
    });
    sendWithEtag(response, cache);
  });
  routes.delete(one, async (request, response) => {
    const { contentcacheuuid: id } = request.params;
    await database.transaction(async (tx) => {
      const cache = await findContentCache(tx, id);
      assertUnchanged(request, cache);
      if (cache === undefined) return;
      await deleteContentCache(tx, id);
      const object = { type: 'content_cache', id, name: cache.name };
      await recordEvent(tx, eventContextOf(response), { type: 'DELETE', object }, clock());
    });
    response.status(204).end();
  });
  return routes;
}
