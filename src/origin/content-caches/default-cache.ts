/** The system's default: the cache of everybody for whom nobody else decides. Kept with the settings of the system. */
import { DomainError } from '../../shared/errors.ts';
import type { Queryable, Transaction } from '../database.ts';
import { defaultCacheKey, findContentCache } from './content-caches.ts';

/** `undefined`: the origin itself. */
export async function findDefaultCacheId(queries: Queryable): Promise<string | undefined> {
  const row = await queries('system_settings')
    .where('system_settings.key', defaultCacheKey)
    .first('system_settings.value');
  return row === undefined ? undefined : JSON.parse(row.value);
}

/** The next pull follows it. @throws DomainError `system-setting-invalid` when there is no such cache */
export async function chooseDefaultCache(tx: Transaction, id: string | undefined): Promise<void> {
  if (id === undefined) {
    await tx('system_settings').where('system_settings.key', defaultCacheKey).delete();
    return;
  }
  if ((await findContentCache(tx, id)) === undefined) {
    throw new DomainError(
      'system-setting-invalid',
      'defaultContentCacheUUID: there is no content cache with this id',
      { detail: { field: 'defaultContentCacheUUID', value: id } },
    );
  }
  await tx('system_settings')
    .insert({ key: defaultCacheKey, value: JSON.stringify(id) })
    .onConflict('key')
    .merge();
}
