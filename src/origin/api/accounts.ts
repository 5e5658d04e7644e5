/** `/api/v0/accounts`: users and organizations, and the settings that users choose for themselves. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { DomainError } from '../../shared/errors.ts';
import { type Account, createAccount, getUser } from '../accounts/accounts.ts';
import type { Passwords } from '../accounts/passwords.ts';
import { type AccountSettings, changeSettings, getSettings } from '../accounts/settings.ts';
import type { Database } from '../database.ts';
import type { components } from './contract.d.ts';

export function createAccountRoutes(options: {
  database: Database;
  passwords: Passwords;
  clock: Clock;
}): Router {
  const { database, passwords, clock } = options;
  const routes = Router({ caseSensitive: true, strict: true });
  routes.post('/api/v0/accounts', async (request, response) => {
    const { password, ...body }: components['schemas']['CreateAccount'] = request.body;
    if (password === undefined && body.isOrg !== true) {
      throw new DomainError('input-invalid', 'password: required for a user', {
        detail: { field: 'password' },
      });
    }
    if (password !== undefined && body.isOrg === true) {
      throw new DomainError('input-invalid', 'password: an organization has none', {
        detail: { field: 'password' },
      });
    }
    const passwordHash = password === undefined ? null : await passwords.hash(password);
    const account = await createAccount(database.queries, { ...body, passwordHash }, clock());
    response.status(201).json(toAccount(account));
  });
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

function toAccount(account: Account): components['schemas']['Account'] {
  return { ...account, isImported: false };
}

/** The original spells the member with a capital C in answers, and without in requests: both are given. */
function toSettings({ contentCacheId = '' }: AccountSettings): components['schemas']['UserSettings'] {
  return { ContentCacheUUID: contentCacheId, contentCacheUUID: contentCacheId };
}
