/** `/api/v0/meta` and `/api/v0/admin`: the system itself. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { version } from '../../shared/version.ts';
import { chooseDefaultCache, findDefaultCacheId } from '../content-caches/default-cache.ts';
import type { Database, Queryable } from '../database.ts';
import { recordEvent } from '../events/events.ts';
import { changeSystemSettings, getSystemSettings } from '../settings/system-settings.ts';
import { adminsOnly, eventContextOf } from './caller.ts';
import type { components } from './contract.d.ts';
import { formatTime } from './time.ts';

/** What was decided at the start, and is only shown here. */
export interface SystemFacts {
  readonly logLevel: string;
  /** PEM of the CA that signed the server's certificate, if it is known. */
  readonly ca: string | undefined;
  readonly replicaId: string;
}

const settings = '/api/v0/meta/settings';

export function createMetaGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.use([settings, '/api/v0/meta/cluster_status'], adminsOnly);
  return guards;
}

export function createMetaRoutes(options: {
  database: Database;
  system: SystemFacts;
  externalUrl: string;
  clock: Clock;
}): Router {
  const { database, system, externalUrl, clock } = options;
  const routes = Router({ caseSensitive: true, strict: true });

  const showSettings = async (queries: Queryable): Promise<components['schemas']['Settings']> => {
    const { createRepositoryOnPush, anonymousPulls } = await getSystemSettings(queries);
    return {
      createRepositoryOnPush,
      anonymousPulls,
      defaultContentCacheUUID: (await findDefaultCacheId(queries)) ?? '',
      dtrHost: new URL(externalUrl).host,
      logLevel: system.logLevel,
      webTLSCA: system.ca ?? '',
      reportAnalytics: false,
      scanningEnabled: false,
      sso: false,
    };
  };

  routes.get(settings, async (_request, response) => {
    response.json(await showSettings(database.queries));
  });

  routes.post(settings, async (request, response) => {
    const changes: components['schemas']['UpdateSettings'] = request.body;
    const changed = await database.transaction(async (tx) => {
      const { defaultContentCacheUUID, ...others } = changes;
      await changeSystemSettings(tx, others);
      if (defaultContentCacheUUID !== undefined)
        await chooseDefaultCache(tx, defaultContentCacheUUID || undefined);
      const object = { type: 'system', id: '', name: 'settings' };
      const event = { type: 'UPDATE', object, content: changes };
      if (Object.keys(changes).length > 0) await recordEvent(tx, eventContextOf(response), event, clock());
      return showSettings(tx);
    });
    response.status(202).json(changed);
  });

  routes.get('/api/v0/meta/features', async (_request, response) => {
    const features: components['schemas']['Features'] = {
      db_version: await database.countMigrations(),
      metadataStoreOptedIn: true,
      mirroringLicensed: false,
      onlineGCEnabled: true,
      promotionLicensed: false,
      scanningEnabled: false,
      scanningLicensed: false,
      ucpHost: '',
    };
    response.json(features);
  });

  routes.get('/api/v0/meta/cluster_status', async (_request, response) => {
    const { replicaId } = system;
    const status: components['schemas']['ClusterStatus'] = {
      gc_lock_holder: database.isDoing('garbage-collection') ? replicaId : '',
      replica_health: { [replicaId]: 'OK' },
      replica_readonly: { [replicaId]: false },
      replica_timestamp: { [replicaId]: formatTime(clock()) },
      rethink_system_tables: {},
    };
    response.json(status);
  });

  routes.get('/api/v0/admin/version', (_request, response) => {
    const answer: components['schemas']['Version'] = { version };
    response.json(answer);
  });

  return routes;
}
