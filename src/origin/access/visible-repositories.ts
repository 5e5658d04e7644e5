/**
 * Pages of the repositories that an account may pull from, by name. What somebody may see is made up of ranges of indexes, each
 * in the order of names and read only as far as the page goes: one query for all of them would look at everything, and sort it.
 */
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import type { Account } from '../accounts/accounts.ts';
import type { Query, Queryable } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import { findNamespaceLevel } from './rights.ts';

export interface VisibleFilter {
  /** Only those of this account. */
  readonly namespace?: { readonly id: string; readonly name: string } | undefined;
  /** Only those whose name has this in it, in whichever case. */
  readonly contains?: string | undefined;
  /** Only those whose name or short description has this in it, in whichever case. */
  readonly text?: string | undefined;
  /** Only those whose name begins with this. */
  readonly prefix?: string | undefined;
}

interface VisibleRepository {
  readonly id: string;
  readonly name: RepositoryName;
}

/** `page.start` is the name of its first repository. */
export async function listVisibleRepositories(
  queries: Queryable,
  account: Account,
  filter: VisibleFilter,
  page: Page,
): Promise<PageOf<VisibleRepository>> {
  const found = new Map<string, VisibleRepository>();
  const collect = async (query: Query, name: string): Promise<void> => {
    if (page.start !== undefined) query.where(name, '>=', page.start);
    const rows: VisibleRepository[] = await query.orderBy(name).limit(page.size + 1);
    for (const row of rows) found.set(row.name, row);
  };
  const collectWhole = (query: Query) =>
    collect(query.select('repositories.id', 'repositories.name'), 'repositories.name');

  const namespaces = await findWholeNamespaces(queries, account, filter);
  await collectWhole(ofVisibility(queries, 'public', filter));
  if (namespaces === 'all') await collectWhole(ofVisibility(queries, 'private', filter));
  else {
    await collectWhole(inNamespaces(queries, namespaces, filter));
    // Two teams may have access to the same one: twice in the rows, it would be missed on the page.
    for (const [query, table] of grantedRanges(queries, account, filter)) {
      const name = `${table}.repository_name`;
      await collect(query.distinct(`${table}.repository_id as id`, `${name} as name`), name);
    }
  }
  const rows = [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  return cutPage(rows, page.size, ({ name }) => name);
}

/** How many there are on all pages. */
export async function countVisibleRepositories(
  queries: Queryable,
  account: Account,
  filter: VisibleFilter,
): Promise<number> {
  const count = async (query: Query): Promise<number> => {
    const [row] = await query.count({ total: '*' });
    return Number(row?.total ?? 0);
  };
  const namespaces = await findWholeNamespaces(queries, account, filter);
  const total = await count(ofVisibility(queries, 'public', filter));
  if (namespaces === 'all') return total + (await count(ofVisibility(queries, 'private', filter)));
  const inWhole = await count(inNamespaces(queries, namespaces, filter));
  const [byTeams, own] = grantedRanges(queries, account, filter).map(([query, table]) =>
    query.whereNotIn(`${table}.namespace_id`, namespaces).select(`${table}.repository_name`),
  ) as [Query, Query];
  return total + inWhole + (await count(queries.from(byTeams.union(own).as('granted'))));
}

/** The namespaces in which the account sees everything that fits. */
async function findWholeNamespaces(
  queries: Queryable,
  account: Account,
  { namespace }: VisibleFilter,
): Promise<'all' | readonly string[]> {
  if (account.isAdmin) return 'all';
  if (namespace === undefined) return listWholeNamespaces(queries, account);
  const isWhole = (await findNamespaceLevel(queries, account, namespace)) !== undefined;
  return isWhole ? [namespace.id] : [];
}

/**
 * The private ones in any of these. SQLite goes from namespace to namespace by the join, each only as far as a page goes; else
 * it might look at those of all namespaces by their names.
 */
function inNamespaces(queries: Queryable, ids: readonly string[], filter: VisibleFilter): Query {
  const query = queries('accounts')
    .crossJoin(queries.raw('repositories'))
    .whereIn('accounts.id', ids)
    .whereRaw('repositories.namespace_id = accounts.id')
    .where('repositories.visibility', 'private');
  return fitting(query, filter);
}

function ofVisibility(queries: Queryable, visibility: 'public' | 'private', filter: VisibleFilter): Query {
  return fitting(queries('repositories').where('repositories.visibility', visibility), filter);
}

function fitting(query: Query, filter: VisibleFilter): Query {
  if (filter.namespace !== undefined) query.where('repositories.namespace_id', filter.namespace.id);
  return filtered(query, { name: 'repositories.name', searchText: 'repositories.search_text' }, filter);
}

/** What is seen because access to it was given, to a team of the account or to itself. Public ones are seen anyhow. */
function grantedRanges(
  queries: Queryable,
  account: Account,
  filter: VisibleFilter,
): [query: Query, table: string][] {
  const teams = queries('team_members')
    .where('team_members.user_id', account.id)
    .select('team_members.team_id');
  const ranges: [Query, string][] = [
    [
      queries('team_repository_access').whereIn('team_repository_access.team_id', teams),
      'team_repository_access',
    ],
    [
      queries('user_repository_access').where('user_repository_access.user_id', account.id),
      'user_repository_access',
    ],
  ];
  for (const [query, table] of ranges) {
    const name = `${table}.repository_name`;
    query.where(`${table}.visibility`, 'private');
    if (filter.namespace !== undefined) whereBegins(query, name, `${filter.namespace.name}/`);
    filtered(query, { name, searchText: `${table}.search_text` }, filter);
  }
  return ranges;
}

/** Its own, those that it owns, those that a team of its has access to. */
async function listWholeNamespaces(queries: Queryable, account: Account): Promise<string[]> {
  const owned: string[] = await queries('organization_members')
    .where('organization_members.user_id', account.id)
    .where('organization_members.is_admin', true)
    .pluck('organization_members.organization_id');
  const byTeams: string[] = await queries('team_members')
    .join('teams', 'teams.id', 'team_members.team_id')
    .join('team_namespace_access', 'team_namespace_access.team_id', 'teams.id')
    .where('team_members.user_id', account.id)
    .pluck('teams.organization_id');
  return [...new Set([account.id, ...owned, ...byTeams])];
}

function filtered(
  query: Query,
  columns: { readonly name: string; readonly searchText: string },
  { contains, text, prefix }: VisibleFilter,
): Query {
  const whereContains = (column: string, part: string) =>
    query.whereRaw("?? LIKE ? ESCAPE '!'", [column, patternOf(part)]);
  if (contains !== undefined) whereContains(columns.name, contains);
  if (text !== undefined) whereContains(columns.searchText, text);
  if (prefix !== undefined) whereBegins(query, columns.name, prefix);
  return query;
}

/** A range and no LIKE, which no index would help. No character of a name comes after the last one of these. */
function whereBegins(query: Query, name: string, prefix: string): void {
  query.where(name, '>=', prefix).where(name, '<', `${prefix}\uffff`);
}

/** Names and texts to search in are in lower case. */
function patternOf(text: string): string {
  return `%${text.toLowerCase().replaceAll(/[%_!]/g, '!$&')}%`;
}
