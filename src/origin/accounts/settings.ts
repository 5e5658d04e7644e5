/** What users choose for themselves: the content cache that serves their pulls. */
import { DomainError } from '../../shared/errors.ts';
import { findContentCache } from '../content-caches/content-caches.ts';
import type { Queryable, Transaction } from '../database.ts';

export interface AccountSettings {
  /** `undefined`: the origin itself serves the blobs. */
  readonly contentCacheId: string | undefined;
}

export async function getSettings(queries: Queryable, accountId: string): Promise<AccountSettings> {
  const row = await queries('account_settings')
    .where('account_settings.account_id', accountId)
    .select('account_settings.content_cache_id')
    .first();
  return { contentCacheId: row?.content_cache_id ?? undefined };
}

/** @throws DomainError `setting-invalid` when there is no such cache */
export async function changeSettings(
  tx: Transaction,
  accountId: string,
  settings: AccountSettings,
): Promise<void> {
  const { contentCacheId } = settings;
  if (contentCacheId !== undefined && (await findContentCache(tx, contentCacheId)) === undefined) {
    throw new DomainError('setting-invalid', 'contentCacheUUID: there is no content cache with this id', {
      detail: { field: 'contentCacheUUID', value: contentCacheId },
    });
  }
  await tx('account_settings')
    .insert({
      account_id: accountId,
      content_cache_id: contentCacheId ?? null,
      content_cache_choice: contentCacheId === undefined ? 'none' : 'cache',
    })
    .onConflict('account_id')
    .merge();
}
