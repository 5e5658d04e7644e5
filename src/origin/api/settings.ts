/** `/api/v0/accounts/{username}/settings`: what users choose for themselves. */
import { Router } from 'express';
import { getUser } from '../accounts/accounts.ts';
import { type AccountSettings, changeSettings, getSettings } from '../accounts/settings.ts';
import type { Database } from '../database.ts';
import type { components } from './contract.d.ts';

export function createSettingsRoutes({ database }: { database: Database }): Router {
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get('/api/v0/accounts/:username/settings', async (request, response) => {
    const user = await getUser(database.queries, request.params.username);
    response.json(toSettings(await getSettings(database.queries, user.id)));
  });
  routes.patch('/api/v0/accounts/:username/settings', async (request, response) => {
    const { contentCacheUUID }: components['schemas']['UpdateUserSettings'] = request.body;
    const settings = await database.transaction(async (tx) => {
      const user = await getUser(tx, request.params.username);
      if (contentCacheUUID !== undefined) {
        await changeSettings(tx, user.id, {
          contentCacheId: contentCacheUUID === '' ? undefined : contentCacheUUID,
        });
      }
      return getSettings(tx, user.id);
    });
    response.json(toSettings(settings));
  });
  return routes;
}

/** The original spells the member with a capital C in answers, and without in requests: both are given. */
function toSettings({ contentCacheId = '' }: AccountSettings): components['schemas']['UserSettings'] {
  return { ContentCacheUUID: contentCacheId, contentCacheUUID: contentCacheId };
}
