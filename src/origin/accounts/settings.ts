/** What an account chooses: the content cache that serves its pulls, and what pushes to its namespace may do. */
import { DomainError } from '../../shared/errors.ts';
import { findContentCache } from '../content-caches/content-caches.ts';
import type { Queryable, Transaction } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import { type Account, type AccountRow, accountColumns, toAccount } from './accounts.ts';

/**
 * Which cache serves pulls: one, `none` (the origin itself), or whichever rules and defaults say. Of an organization: what is so for
 * its members.
 */
export type CacheSetting =
  | { readonly choice: 'cache'; readonly contentCacheId: string }
  | { readonly choice: 'none' | 'automatic' };

export interface AccountSettings {
  readonly cache: CacheSetting;
  /** Whether a push creates a repository in its namespace; `null`: as the system says. */
  readonly createRepositoryOnPush: boolean | null;
}

export async function getSettings(queries: Queryable, accountId: string): Promise<AccountSettings> {
  const row = await queries('accounts')
    .leftJoin('account_settings', 'account_settings.account_id', 'accounts.id')
    .where('accounts.id', accountId)
    .first(
      'account_settings.content_cache_choice',
      'account_settings.content_cache_id',
      'accounts.create_repository_on_push',
    );
  const onPush: boolean | number | null = row.create_repository_on_push;
  return {
    cache: toCacheSetting(row),
    createRepositoryOnPush: onPush === null ? null : Boolean(onPush),
  };
}

/** @throws DomainError `setting-invalid` when there is no such cache */
export async function chooseContentCache(
  tx: Transaction,
  accountId: string,
  setting: CacheSetting,
): Promise<void> {
  const id = setting.choice === 'cache' ? setting.contentCacheId : null;
  if (id !== null && (await findContentCache(tx, id)) === undefined) {
    throw new DomainError('setting-invalid', 'contentCacheUUID: there is no content cache with this id', {
      detail: { field: 'contentCacheUUID', value: id },
    });
  }
  await tx('account_settings')
    .insert({
      account_id: accountId,
      account_name: tx('accounts').where({ id: accountId }).select('name'),
      content_cache_id: id,
      content_cache_choice: setting.choice,
    })
    .onConflict('account_id')
    .merge();
}

/** Users and organizations that chose the cache, by name, which is the key of a page. */
export async function listWhoChose(
  queries: Queryable,
  contentCacheId: string,
  page: Page,
): Promise<PageOf<Account>> {
  const query = whoChose(queries, contentCacheId)
    .join('accounts', 'accounts.id', 'account_settings.account_id')
    .orderBy('account_settings.account_name')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('account_settings.account_name', '>=', page.start);
  const rows: AccountRow[] = await query.select(accountColumns);
  return cutPage(rows.map(toAccount), page.size, ({ name }) => name);
}

export async function countWhoChose(queries: Queryable, contentCacheId: string): Promise<number> {
  const [row] = await whoChose(queries, contentCacheId).count({ total: '*' });
  return Number(row?.total ?? 0);
}

function whoChose(queries: Queryable, contentCacheId: string) {
  return queries('account_settings').where('account_settings.content_cache_id', contentCacheId);
}

/** Who never chose, or chose a cache that was deleted, leaves it to others. */
function toCacheSetting(row: {
  content_cache_choice: CacheSetting['choice'] | null;
  content_cache_id: string | null;
}): CacheSetting {
  if (row.content_cache_choice !== 'cache') return { choice: row.content_cache_choice ?? 'automatic' };
  const { content_cache_id: contentCacheId } = row;
  return contentCacheId === null ? { choice: 'automatic' } : { choice: 'cache', contentCacheId };
}

/** The next push follows it. */
export async function changeCreateRepositoryOnPush(
  tx: Transaction,
  accountId: string,
  value: AccountSettings['createRepositoryOnPush'],
): Promise<void> {
  await tx('accounts').where({ id: accountId }).update({ create_repository_on_push: value });
}
