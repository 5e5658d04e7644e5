/** `/api/v0/content_cache_prefetch_rules`: what is fetched to content caches when its tag is pushed. For admins. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import type { Database } from '../database.ts';
import { recordEvent } from '../events/events.ts';
import {
  changePrefetchRule,
  createPrefetchRule,
  deletePrefetchRule,
  getPrefetchRule,
  listPrefetchRules,
  type PrefetchRule,
} from '../jobs/prefetch-rules.ts';
import { adminsOnly, callerOf, eventContextOf } from './caller.ts';
import type { components } from './contract.d.ts';
import { assertUnchanged, sendWithEtag } from './etag.ts';

type Schemas = components['schemas'];

const collection = '/api/v0/content_cache_prefetch_rules';
const one = `${collection}/:ruleID`;

export function createPrefetchRuleGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.use(collection, adminsOnly);
  return guards;
}

export function createPrefetchRuleRoutes({ database, clock }: { database: Database; clock: Clock }): Router {
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get(collection, async (_request, response) => {
    response.json(await listPrefetchRules(database.queries));
  });
  routes.post(collection, async (request, response) => {
    const {
      tag = '*',
      contentCaches = [],
      platforms = [],
      isEnabled = true,
      repository,
    } = request.body as Schemas['CreatePrefetchRule'];
    const rule = await database.transaction(async (tx) => {
      const now = clock();
      const input = { repository, tag, contentCaches, platforms, isEnabled };
      const created = await createPrefetchRule(tx, input, { name: callerOf(response).name, now });
      const event = { type: 'CREATE', object: objectOf(created), content: { ...input } };
      await recordEvent(tx, eventContextOf(response), event, now);
      return created;
    });
    response.status(201).location(`${collection}/${rule.id}`).json(rule);
  });
  routes.get(one, async (request, response) => {
    sendWithEtag(response, await getPrefetchRule(database.queries, request.params.ruleID));
  });
  routes.patch(one, async (request, response) => {
    const body: Schemas['UpdatePrefetchRule'] = request.body;
    const rule = await database.transaction(async (tx) => {
      assertUnchanged(request, await getPrefetchRule(tx, request.params.ruleID));
      const changed = await changePrefetchRule(tx, request.params.ruleID, body);
      const event = { type: 'UPDATE', object: objectOf(changed), content: { ...body } };
      await recordEvent(tx, eventContextOf(response), event, clock());
      return changed;
    });
    sendWithEtag(response, rule);
  });
  routes.delete(one, async (request, response) => {
    const { ruleID: id } = request.params;
    await database.transaction(async (tx) => {
      const rule = (await listPrefetchRules(tx)).find((known) => known.id === id);
      assertUnchanged(request, rule);
      if (rule === undefined) return;
      await deletePrefetchRule(tx, id);
      await recordEvent(tx, eventContextOf(response), { type: 'DELETE', object: objectOf(rule) }, clock());
    });
    response.status(204).end();
  });
  return routes;
}

function objectOf({ id, repository, tag }: PrefetchRule) {
  return { type: 'content_cache_prefetch_rule', id, name: `${repository}:${tag}` };
}
