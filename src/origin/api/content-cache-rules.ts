/** `/api/v0/content_cache_rules`: which content cache serves the clients of which network. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import {
  changeNetworkRule,
  countNetworkRules,
  createNetworkRule,
  deleteNetworkRule,
  findNetworkRule,
  getNetworkRule,
  listNetworkRules,
  type NetworkRule,
} from '../content-caches/network-rules.ts';
import type { Database } from '../database.ts';
import { recordEvent } from '../events/events.ts';
import { adminsOnly, eventContextOf } from './caller.ts';
import type { components } from './contract.d.ts';
import { assertUnchanged, setEtag } from './etag.ts';
import { pageOf, sendPageHeaders } from './paging.ts';

type Schemas = components['schemas'];

const collection = '/api/v0/content_cache_rules';
const one = `${collection}/:ruleuuid`;

/** What the networks of a company are is for its admins. */
export function createContentCacheRuleGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.all([collection, one], adminsOnly);
  return guards;
}

export function createContentCacheRuleRoutes(options: { database: Database; clock: Clock }): Router {
  const { database, clock } = options;
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get(collection, async (request, response) => {
    const { contentCacheUUID } = request.query as { contentCacheUUID?: string };
    const page = await listNetworkRules(queries, contentCacheUUID, pageOf(request));
    await sendPageHeaders(request, response, page, () => countNetworkRules(queries, contentCacheUUID));
    response.json(page.records.map(toRule));
  });
  routes.post(collection, async (request, response) => {
    const body: Schemas['CreateContentCacheRule'] = request.body;
    const { network, contentCacheUUID, comment = '' } = body;
    const rule = await database.transaction(async (tx) => {
      const contentCacheId = contentCacheUUID || undefined;
      const created = await createNetworkRule(tx, { network, contentCacheId, comment }, clock());
      const event = { type: 'CREATE', object: objectOf(created), content: toRule(created) };
      await recordEvent(tx, eventContextOf(response), event, clock());
      return created;
    });
    response.status(201).location(`${collection}/${rule.id}`).json(toRule(rule));
  });
  routes.get(one, async (request, response) => {
    const rule = await getNetworkRule(queries, request.params.ruleuuid);
    setEtag(response, rule);
    response.json(toRule(rule));
  });
  routes.patch(one, async (request, response) => {
    const body: Schemas['UpdateContentCacheRule'] = request.body;
    const { contentCacheUUID, ...rest } = body;
    const changes =
      contentCacheUUID === undefined ? rest : { ...rest, contentCacheId: contentCacheUUID || undefined };
    const rule = await database.transaction(async (tx) => {
      const { ruleuuid: id } = request.params;
      assertUnchanged(request, await getNetworkRule(tx, id));
      const changed = await changeNetworkRule(tx, id, changes);
      const event = { type: 'UPDATE', object: objectOf(changed), content: body };
      await recordEvent(tx, eventContextOf(response), event, clock());
      return changed;
    });
    setEtag(response, rule);
    response.json(toRule(rule));
  });
  routes.delete(one, async (request, response) => {
    await database.transaction(async (tx) => {
      const rule = await findNetworkRule(tx, request.params.ruleuuid);
      assertUnchanged(request, rule);
      if (rule === undefined) return;
      await deleteNetworkRule(tx, rule.id);
      const event = { type: 'DELETE', object: objectOf(rule) };
      await recordEvent(tx, eventContextOf(response), event, clock());
    });
    response.status(204).end();
  });
  return routes;
}

function toRule({ id, network, contentCacheId, comment }: NetworkRule): Schemas['ContentCacheRule'] {
  return { id, network, contentCacheUUID: contentCacheId ?? '', comment };
}

function objectOf({ id, network }: NetworkRule) {
  return { type: 'content_cache_rule', id, name: network };
}
