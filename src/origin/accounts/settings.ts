/** What an account chooses: the content cache that serves its pulls, and what pushes to its namespace may do. */
import { DomainError } from '../../shared/errors.ts';
import { findContentCache } from '../content-caches/content-caches.ts';
import type { Queryable, Transaction } from '../database.ts';

export interface AccountSettings {
  /** `undefined`: the origin itself serves the blobs. */
  readonly contentCacheId: string | undefined;
  /** Whether a push creates a repository in its namespace; `null`: as the system says. */
  readonly createRepositoryOnPush: boolean | null;
}

export async function getSettings(queries: Queryable, accountId: string): Promise<AccountSettings> {
  const row = await queries('accounts')
    .leftJoin('account_settings', 'account_settings.account_id', 'accounts.id')
    .where('accounts.id', accountId)
    .first('account_settings.content_cache_id', 'accounts.create_repository_on_push');
  const onPush: boolean | number | null = row.create_repository_on_push;
  return {
    contentCacheId: row.content_cache_id ?? undefined,
    createRepositoryOnPush: onPush === null ? null : Boolean(onPush),
  };
}

/** @throws DomainError `setting-invalid` when there is no such cache */
export async function chooseContentCache(
  tx: Transaction,
  accountId: string,
  contentCacheId: string | undefined,
): Promise<void> {
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

/** The next push follows it. */
export async function changeCreateRepositoryOnPush(
  tx: Transaction,
  accountId: string,
  value: AccountSettings['createRepositoryOnPush'],
): Promise<void> {
  await tx('accounts').where({ id: accountId }).update({ create_repository_on_push: value });
}
