/** `/api/v0/accounts/{username}/settings`: what users choose for themselves, and owners for their organization. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import { type Account, findAccount } from '../accounts/accounts.ts';
import {
  type AccountSettings,
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
    const { contentCacheUUID, createRepositoryOnPush } = changes;
    const settings = await database.transaction(async (tx) => {
      const { id, name, isOrg } = await getAccount(tx, request.params.username);
      if (contentCacheUUID !== undefined) await chooseContentCache(tx, id, contentCacheUUID || undefined);
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
function toSettings(settings: AccountSettings): components['schemas']['UserSettings'] {
  const { contentCacheId = '', createRepositoryOnPush } = settings;
  return { ContentCacheUUID: contentCacheId, contentCacheUUID: contentCacheId, createRepositoryOnPush };
}
