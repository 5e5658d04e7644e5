/** `/api/v0/content_caches`: the caches that users may choose. */
import { type Response, Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { countWhoChose, listWhoChose } from '../accounts/settings.ts';
import {
  type ContentCache,
  changeContentCache,
  countContentCaches,
  createContentCache,
  deleteContentCache,
  findContentCache,
  getContentCache,
  listContentCaches,
  unknownContentCache,
} from '../content-caches/content-caches.ts';
import type { CacheHealth } from '../content-caches/health.ts';
import type { HealthRecord } from '../content-caches/health-records.ts';
import type { Database } from '../database.ts';
import { recordEvent } from '../events/events.ts';
import { toAccount } from './account.ts';
import { adminsOnly, callerOf, eventContextOf } from './caller.ts';
import type { components } from './contract.d.ts';
import { assertUnchanged, setEtag } from './etag.ts';
import { pageOf, sendPageHeaders } from './paging.ts';

type Schemas = components['schemas'];

const collection = '/api/v0/content_caches';
const one = `${collection}/:contentcacheuuid`;

/** Reading is for everybody who signed in. */
export function createContentCacheGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.post(collection, adminsOnly);
  guards.patch(one, adminsOnly);
  guards.delete(one, adminsOnly);
  guards.post(`${one}/probe`, adminsOnly);
  guards.get(`${one}/users`, adminsOnly);
  return guards;
}

export function createContentCacheRoutes(options: {
  database: Database;
  health: CacheHealth;
  clock: Clock;
}): Router {
  const { database, health, clock } = options;
  const toContentCache = (cache: ContentCache, response: Response): Schemas['ContentCache'] => {
    const { caPem, ...content } = cache;
    const record = health.find(cache.id);
    return { ...content, ...known({ caPem, health: record && toHealth(record, response) }) };
  };
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get(collection, async (request, response) => {
    const page = await listContentCaches(database.queries, pageOf(request));
    await sendPageHeaders(request, response, page, () => countContentCaches(database.queries));
    response.json(page.records.map((cache) => toContentCache(cache, response)));
  });
  routes.post(collection, async (request, response) => {
    const body: Schemas['CreateContentCache'] = request.body;
    const cache = await database.transaction(async (tx) => {
      const created = await createContentCache(tx, body, clock());
      const { id: _, ...content } = created;
      const event = { type: 'CREATE', object: objectOf(created), content: inTrail(content) };
      await recordEvent(tx, eventContextOf(response), event, clock());
      return created;
    });
    await health.changed(cache.id);
    response.status(201).location(`${collection}/${cache.id}`).json(toContentCache(cache, response));
  });
  routes.get(one, async (request, response) => {
    const cache = await getContentCache(database.queries, request.params.contentcacheuuid);
    setEtag(response, cache);
    response.json(toContentCache(cache, response));
  });
  routes.patch(one, async (request, response) => {
    const body: Schemas['UpdateContentCache'] = request.body;
    const { contentcacheuuid: id } = request.params;
    const [before, cache] = await database.transaction(async (tx) => {
      const found = await getContentCache(tx, id);
      assertUnchanged(request, found);
      const changed = await changeContentCache(tx, id, body);
      const event = { type: 'UPDATE', object: objectOf(changed), content: inTrail(body) };
      await recordEvent(tx, eventContextOf(response), event, clock());
      return [found, changed];
    });
    if (before.host !== cache.host || before.caPem !== cache.caPem) await health.changed(id);
    else if (before.name !== cache.name) await health.renamed(id);
    setEtag(response, cache);
    response.json(toContentCache(cache, response));
  });
  routes.delete(one, async (request, response) => {
    const { contentcacheuuid: id } = request.params;
    await database.transaction(async (tx) => {
      const cache = await findContentCache(tx, id);
      assertUnchanged(request, cache);
      if (cache === undefined) return;
      await deleteContentCache(tx, id);
      await recordEvent(tx, eventContextOf(response), { type: 'DELETE', object: objectOf(cache) }, clock());
    });
    health.forget(id);
    response.status(204).end();
  });
  routes.post(`${one}/probe`, async (request, response) => {
    const { id } = await getContentCache(database.queries, request.params.contentcacheuuid);
    const record = await health.probe(id);
    if (record === undefined) throw unknownContentCache();
    response.json(toHealth(record, response));
  });
  routes.get(`${one}/users`, async (request, response) => {
    const { id } = await getContentCache(database.queries, request.params.contentcacheuuid);
    const page = await listWhoChose(database.queries, id, pageOf(request));
    await sendPageHeaders(request, response, page, () => countWhoChose(database.queries, id));
    const body: Schemas['Accounts'] = { accounts: page.records.map(toAccount) };
    response.json(body);
  });
  return routes;
}

function objectOf({ id, name }: ContentCache) {
  return { type: 'content_cache', id, name };
}

/** Certificates are long, and read nowhere in the trail: that there is one says enough. */
function inTrail<T extends { caPem?: string | undefined }>({
  caPem,
  ...content
}: T): Readonly<Record<string, unknown>> {
  return caPem === undefined ? content : { ...content, caPem: caPem === '' ? '' : 'PEM' };
}

/** What is wrong with a cache, and how it is in numbers, is for admins. */
function toHealth(record: HealthRecord, response: Response): Schemas['ContentCacheHealth'] {
  const { state, since: sinceMs, lastError, probedAt, ...numbers } = record;
  const since = timeOf(sinceMs);
  if (!callerOf(response).isAdmin) return { state, since };
  return {
    state,
    since,
    ...known({
      lastError: lastError && { ...lastError, at: timeOf(lastError.at) },
      probedAt: probedAt === undefined ? undefined : timeOf(probedAt),
      ...numbers,
    }),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

type Known<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Without what is not known. */
function known<T extends object>(facts: T): Known<T> {
  return Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined)) as Known<T>;
}
