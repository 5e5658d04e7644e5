/** `/api/v0/accounts/{username}/settings`: what users choose for themselves, and owners for their organization. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import { type Account, findAccount } from '../accounts/accounts.ts';
import {
  type AccountSettings,
  type CacheSetting,
  changeCreateRepositoryOnPush,
  chooseContentCache,
  getSettings,
} from '../accounts/settings.ts';
import type { Database, Queryable } from '../database.ts';
import { recordEvent } from '../events/events.ts';
import { eventContextOf } from './caller.ts';
import type { components } from './contract.d.ts';

export function createSettingsRoutes({ database, clock }: { database: Database; clock: Clock }): Router {
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get('/api/v0/accounts/:username/settings', async (request, response) => {
    const account = await getAccount(database.queries, request.params.username);
    response.json(toSettings(await getSettings(database.queries, account.id)));
  });
  routes.patch('/api/v0/accounts/:username/settings', async (request, response) => {
    const changes: components['schemas']['UpdateUserSettings'] = request.body;
    const { createRepositoryOnPush } = changes;
    const cache = parseCacheSetting(changes);
    const settings = await database.transaction(async (tx) => {
      const { id, name, isOrg } = await getAccount(tx, request.params.username);
      if (cache !== undefined) await chooseContentCache(tx, id, cache);
      if (createRepositoryOnPush !== undefined)
        await changeCreateRepositoryOnPush(tx, id, createRepositoryOnPush);
      const object = { type: isOrg ? 'organization' : 'user', id, name };
      await recordEvent(
        tx,
        eventContextOf(response),
        { type: 'UPDATE', object, content: { settings: changes } },
        clock(),
      );
      return getSettings(tx, id);
    });
    response.json(toSettings(settings));
  });
  return routes;
}

/** @throws DomainError `user-unknown` */
async function getAccount(queries: Queryable, name: string): Promise<Account> {
  const account = await findAccount(queries, name);
  if (account !== undefined) return account;
  throw new DomainError('user-unknown', 'A user with the given name does not exist.', { detail: { name } });
}

/** The original spells the member with a capital C in answers, and without in requests: both are given. */
function toSettings({
  cache,
  createRepositoryOnPush,
}: AccountSettings): components['schemas']['UserSettings'] {
  const id = cache.choice === 'cache' ? cache.contentCacheId : '';
  return {
    ContentCacheUUID: id,
    contentCacheUUID: id,
    contentCacheChoice: cache.choice,
    createRepositoryOnPush,
  };
}

/**
 * The original has only the id, empty for none, which is enough to choose; `contentCacheChoice` says what an id cannot.
 * @throws DomainError `setting-invalid` when the two contradict each other
 */
function parseCacheSetting(
  body: Pick<components['schemas']['UpdateUserSettings'], 'contentCacheUUID' | 'contentCacheChoice'>,
): CacheSetting | undefined {
  const { contentCacheUUID: id, contentCacheChoice: choice } = body;
  if (id !== undefined && id !== '') {
    if (choice !== undefined && choice !== 'cache')
      throw contradiction(`cache expected beside the id of one`);
    return { choice: 'cache', contentCacheId: id };
  }
  if (choice === 'cache') throw contradiction('the id of a cache expected beside it, in contentCacheUUID');
  if (choice !== undefined) return { choice };
  return id === undefined ? undefined : { choice: 'none' };
}

function contradiction(expectation: string): DomainError {
  return new DomainError('setting-invalid', `contentCacheChoice: ${expectation}`, {
    detail: { field: 'contentCacheChoice' },
  });
}
