/** Access given to teams and users: the rows behind the levels. Levels add up, so each is given and taken by itself. */
import { accountObject } from '../accounts/account-changes.ts';
import { type Account, type AccountRow, accountColumns, toAccount } from '../accounts/accounts.ts';
import {
  type Team,
  type TeamRow,
  type TeamView,
  teamObject,
  teamViews,
  toTeamView,
} from '../accounts/teams.ts';
import type { Query, Queryable, Transaction } from '../database.ts';
import { type EventContext, type EventObject, recordEvent } from '../events/events.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import type { AccessLevel } from './levels.ts';

interface NamedRepository {
  readonly id: string;
  readonly name: string;
}

/** Who is given access, and to what. A team is of the repository's organization: the caller has seen to that. */
export type Grant =
  | { readonly organization: Account; readonly team: Team; readonly repository: NamedRepository }
  | { readonly user: Account; readonly repository: NamedRepository }
  /** To every repository of the organization, those to come included. */
  | { readonly organization: Account; readonly team: Team };

/** In place of what the same grant gave before. */
export async function giveAccess(
  tx: Transaction,
  context: EventContext,
  grant: Grant,
  level: AccessLevel,
  now: number,
): Promise<void> {
  const { table, key, object, target } = describe(grant);
  const before = await tx(table).where(key).first('access_level');
  if (before?.access_level === level) return;
  await tx(table)
    .insert({ ...key, ...listedOf(tx, grant), access_level: level })
    .onConflict(Object.keys(key))
    .merge(['access_level']);
  await recordEvent(tx, context, { type: 'GRANT', object, target, content: { accessLevel: level } }, now);
}

/** It is no error when there was none. */
export async function takeAccess(
  tx: Transaction,
  context: EventContext,
  grant: Grant,
  now: number,
): Promise<void> {
  const { table, key, object, target } = describe(grant);
  if ((await tx(table).where(key).delete()) === 0) return;
  await recordEvent(tx, context, { type: 'REVOKE', object, target }, now);
}

export interface TeamAccess {
  readonly level: AccessLevel;
  readonly team: TeamView;
}

/** The teams with access to the repository, by name, which is the key of a page. */
export async function listTeamAccess(
  queries: Queryable,
  organization: Account,
  repository: NamedRepository,
  viewer: Account,
  page: Page,
): Promise<PageOf<TeamAccess>> {
  const query = teamViews(queries, organization, viewer)
    .join('team_repository_access', 'team_repository_access.team_id', 'teams.id')
    .where('team_repository_access.repository_id', repository.id)
    .select('team_repository_access.access_level');
  return teamAccessPage(query, page);
}

/** The teams with access to the whole namespace, by name, which is the key of a page. */
export async function listNamespaceAccess(
  queries: Queryable,
  organization: Account,
  viewer: Account,
  page: Page,
): Promise<PageOf<TeamAccess>> {
  const query = teamViews(queries, organization, viewer)
    .join('team_namespace_access', 'team_namespace_access.team_id', 'teams.id')
    .select('team_namespace_access.access_level');
  return teamAccessPage(query, page);
}

export async function countNamespaceAccess(queries: Queryable, organization: Account): Promise<number> {
  return countOf(
    queries('team_namespace_access')
      .join('teams', 'teams.id', 'team_namespace_access.team_id')
      .where('teams.organization_id', organization.id),
  );
}

export async function findNamespaceAccess(queries: Queryable, team: Team): Promise<AccessLevel | undefined> {
  const row = await queries('team_namespace_access')
    .where('team_namespace_access.team_id', team.id)
    .first('team_namespace_access.access_level');
  return row?.access_level;
}

/** The users with access of their own to the repository, by name, which is the key of a page. */
export async function listUserAccess(
  queries: Queryable,
  repository: NamedRepository,
  page: Page,
): Promise<PageOf<{ readonly level: AccessLevel; readonly user: Account }>> {
  const query = queries('user_repository_access')
    .join('accounts', 'accounts.id', 'user_repository_access.user_id')
    .where('user_repository_access.repository_id', repository.id)
    .orderBy('user_repository_access.user_name')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('user_repository_access.user_name', '>=', page.start);
  const rows: (AccountRow & AccessRow)[] = await query.select(
    ...accountColumns,
    'user_repository_access.access_level',
  );
  const access = rows.map((row) => ({ level: row.access_level, user: toAccount(row) }));
  return cutPage(access, page.size, ({ user }) => user.name);
}

/** The repositories that the team has access to, by name, which is the key of a page. */
export async function listRepositoryAccess(
  queries: Queryable,
  team: Team,
  page: Page,
): Promise<PageOf<{ readonly level: AccessLevel; readonly repositoryId: string }>> {
  const query = queries('team_repository_access')
    .where('team_repository_access.team_id', team.id)
    .orderBy('team_repository_access.repository_name')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('team_repository_access.repository_name', '>=', page.start);
  const rows = await query.select(
    'team_repository_access.repository_id as repositoryId',
    'team_repository_access.repository_name as name',
    'team_repository_access.access_level as level',
  );
  return cutPage(rows, page.size, ({ name }) => name);
}

/** How many teams, or users, have access of their own to the repository; or to how many repositories a team has it. */
export async function countAccess(
  queries: Queryable,
  whose: 'teams' | 'users' | 'repositories',
  id: string,
): Promise<number> {
  const table = whose === 'users' ? 'user_repository_access' : 'team_repository_access';
  return countOf(queries(table).where(whose === 'repositories' ? { team_id: id } : { repository_id: id }));
}

interface AccessRow {
  access_level: AccessLevel;
}

/** The row of a grant, and how the trail names it. */
function describe(grant: Grant): {
  table: string;
  key: Record<string, string>;
  object: EventObject;
  target: EventObject;
} {
  const { repository } = 'repository' in grant ? grant : { repository: undefined };
  if ('user' in grant) {
    return {
      table: 'user_repository_access',
      key: { user_id: grant.user.id, repository_id: grant.repository.id },
      object: repositoryObject(grant.repository),
      target: accountObject(grant.user),
    };
  }
  const target = teamObject(grant.organization, grant.team);
  if (repository === undefined) {
    return {
      table: 'team_namespace_access',
      key: { team_id: grant.team.id },
      object: accountObject(grant.organization),
      target,
    };
  }
  return {
    table: 'team_repository_access',
    key: { team_id: grant.team.id, repository_id: repository.id },
    object: repositoryObject(repository),
    target,
  };
}

/** What lists are in order of, and what they look at beside the level. It changes with the repository. */
function listedOf(tx: Transaction, grant: Grant): Record<string, string | Query> {
  if (!('repository' in grant)) return {};
  const { id, name } = grant.repository;
  const current = (column: string) => tx('repositories').where({ id }).select(column);
  return {
    repository_name: name,
    namespace_id: current('namespace_id'),
    visibility: current('visibility'),
    search_text: current('search_text'),
    ...('user' in grant ? { user_name: grant.user.name } : {}),
  };
}

function repositoryObject({ id, name }: NamedRepository): EventObject {
  return { type: 'repository', id, name };
}

async function teamAccessPage(query: Query, page: Page): Promise<PageOf<TeamAccess>> {
  if (page.start !== undefined) query.where('teams.name', '>=', page.start);
  const rows: (TeamRow & AccessRow)[] = await query.orderBy('teams.name').limit(page.size + 1);
  const access = rows.map((row) => ({ level: row.access_level, team: toTeamView(row) }));
  return cutPage(access, page.size, ({ team }) => team.name);
}

async function countOf(query: Query): Promise<number> {
  const [row] = await query.count({ total: '*' });
  return Number(row?.total ?? 0);
}
