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
  const collect = async (query: Query, name: string) => {
    if (page.start !== undefined) query.where(name, '>=', page.start);
    const rows: VisibleRepository[] = await query.orderBy(name).limit(page.size + 1);
    for (const row of rows) found.set(row.name, row);
  };
  for (const query of await wholeRanges(queries, account, filter)) {
    await collect(query.select('repositories.id', 'repositories.name'), 'repositories.name');
  }
  // Two teams may have access to the same one: twice in the rows, it would be missed on the page.
  for (const [query, table] of grantedRanges(queries, account, filter)) {
    const name = `${table}.repository_name`;
    await collect(query.distinct(`${table}.repository_id as id`, `${name} as name`), name);
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
  let total = 0;
  for (const query of await wholeRanges(queries, account, filter)) {
    const [row] = await query.count({ total: '*' });
    total += Number(row?.total ?? 0);
  }
  const [first, ...others] = grantedRanges(queries, account, filter).map(([query, table]) =>
    query.select(`${table}.repository_id`),
  );
  if (first === undefined) return total;
  // Those that are in no whole range. As a sum, so that the database begins with the few that were granted.
  const [row] = await queries
    .from(first.union(others).as('granted'))
    .join('repositories', 'repositories.id', 'granted.repository_id')
    .whereNotIn('repositories.namespace_id', await listWholeNamespaces(queries, account))
    .select(queries.raw("sum(CASE WHEN repositories.visibility = 'private' THEN 1 ELSE 0 END) AS total"));
  return total + Number(row?.total ?? 0);
}

/** What is seen because of what it is: public, or in a namespace that the account sees all of. No two have one in common. */
async function wholeRanges(queries: Queryable, account: Account, filter: VisibleFilter): Promise<Query[]> {
  const range = (visibility: 'public' | 'private', namespaceId?: string) => {
    const query = queries('repositories').where('repositories.visibility', visibility);
    if (namespaceId !== undefined) query.where('repositories.namespace_id', namespaceId);
    return filtered(query, 'repositories.name', filter);
  };
  const { namespace } = filter;
  if (account.isAdmin) return [range('public', namespace?.id), range('private', namespace?.id)];
  if (namespace === undefined) {
    const whole = await listWholeNamespaces(queries, account);
    return [range('public'), ...whole.map((id) => range('private', id))];
  }
  const isWhole = (await findNamespaceLevel(queries, account, namespace)) !== undefined;
  return [range('public', namespace.id), ...(isWhole ? [range('private', namespace.id)] : [])];
}

/** What is seen because access to it was given, to a team of the account or to itself. */
function grantedRanges(
  queries: Queryable,
  account: Account,
  filter: VisibleFilter,
): [query: Query, table: string][] {
  if (account.isAdmin) return [];
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
    if (filter.text !== undefined) query.join('repositories', 'repositories.id', `${table}.repository_id`);
    const { namespace } = filter;
    if (namespace !== undefined) whereBegins(query, `${table}.repository_name`, `${namespace.name}/`);
    filtered(query, `${table}.repository_name`, filter);
  }
  return ranges;
}

/** The namespaces in which the account sees everything: its own, those it owns, those that a team of its has access to. */
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

/** `name` is the column of the repository's name. */
function filtered(query: Query, name: string, { contains, text, prefix }: VisibleFilter): Query {
  if (contains !== undefined) query.whereRaw("?? LIKE ? ESCAPE '!'", [name, patternOf(contains)]);
  if (text !== undefined) {
    query.whereRaw("(?? LIKE ? ESCAPE '!' OR lower(repositories.short_description) LIKE ? ESCAPE '!')", [
      name,
      patternOf(text),
      patternOf(text),
    ]);
  }
  if (prefix !== undefined) whereBegins(query, name, prefix);
  return query;
}

/** A range and no LIKE, which no index would help. No character of a name comes after the last one of these. */
function whereBegins(query: Query, name: string, prefix: string): void {
  query.where(name, '>=', prefix).where(name, '<', `${prefix}\uffff`);
}

/** Names are in lower case. */
function patternOf(text: string): string {
  return `%${text.toLowerCase().replaceAll(/[%_!]/g, '!$&')}%`;
}
