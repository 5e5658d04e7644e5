/** Pages of the repositories that an account may pull from, by name. */
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import type { Account } from '../accounts/accounts.ts';
import type { Query, Queryable } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';

export interface VisibleFilter {
  /** Only those of this account. */
  readonly namespaceId?: string | undefined;
  /** Only those whose name has this in it. */
  readonly contains?: string | undefined;
  /** Only those whose name or short description has this in it, in whichever case. */
  readonly text?: string | undefined;
  /** Only those whose name begins with this. */
  readonly prefix?: string | undefined;
}

/** The ids and names of a page; `page.start` is the name of its first repository. */
export async function listVisibleRepositories(
  queries: Queryable,
  account: Account,
  filter: VisibleFilter,
  page: Page,
): Promise<PageOf<{ id: string; name: RepositoryName }>> {
  // Each way to see some is a range of an index that is read in the order of names and only as far as the page goes:
  // one query with all of them would look at everything that somebody may see, and sort it.
  const found = new Map<string, { id: string; name: RepositoryName }>();
  for (const query of await waysToSee(queries, account)) {
    filtered(query, filter);
    if (page.start !== undefined) query.where('repositories.name', '>=', page.start);
    const rows = await query
      .orderBy('repositories.name')
      .limit(page.size + 1)
      .select('repositories.id', 'repositories.name');
    for (const row of rows) found.set(row.name, row);
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
  const ways = await waysToSee(queries, account);
  if (ways.length === 1) return countOf(filtered(ways[0] as Query, filter));
  const [everyPublic, ...others] = ways as [Query, ...Query[]];
  // What is public is counted without being collected; the rest, which may be seen in several ways, is.
  const privateIds = new Set<string>();
  for (const query of others) {
    const ids = await filtered(query, filter)
      .where('repositories.visibility', 'private')
      .pluck('repositories.id');
    for (const id of ids) privateIds.add(id);
  }
  return (await countOf(filtered(everyPublic, filter))) + privateIds.size;
}

async function countOf(query: Query): Promise<number> {
  const [row] = await query.count({ total: '*' });
  return Number(row?.total ?? 0);
}

/** Everything for an admin, else first of all what is public. */
async function waysToSee(queries: Queryable, account: Account): Promise<Query[]> {
  if (account.isAdmin) return [queries('repositories')];
  const namespaceIds = await listWholeNamespaces(queries, account);
  return [
    queries('repositories').where('repositories.visibility', 'public'),
    ...namespaceIds.map((id) => queries('repositories').where('repositories.namespace_id', id)),
    queries('team_members')
      .join('team_repository_access', 'team_repository_access.team_id', 'team_members.team_id')
      .join('repositories', 'repositories.id', 'team_repository_access.repository_id')
      .where('team_members.user_id', account.id),
    queries('user_repository_access')
      .join('repositories', 'repositories.id', 'user_repository_access.repository_id')
      .where('user_repository_access.user_id', account.id),
  ];
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

function filtered(query: Query, { namespaceId, contains, text, prefix }: VisibleFilter): Query {
  if (namespaceId !== undefined) query.where('repositories.namespace_id', namespaceId);
  if (contains !== undefined)
    query.where((matching) => whereContains(matching, 'repositories.name', contains));
  if (text !== undefined) {
    query.where((matching) => {
      whereContains(matching, 'repositories.name', text);
      matching.orWhere((described) => whereContains(described, 'repositories.short_description', text));
    });
  }
  if (prefix !== undefined) {
    query.where('repositories.name', '>=', prefix).where('repositories.name', '<', `${prefix}\uffff`);
  }
  return query;
}

function whereContains(query: Query, column: string, text: string): void {
  const pattern = `%${text.toLowerCase().replaceAll(/[%_!]/g, '!$&')}%`;
  query.whereRaw("lower(??) LIKE ? ESCAPE '!'", [column, pattern]);
}
