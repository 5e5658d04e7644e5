/** What an account may do in a repository or a namespace: the facts from the database, and the decision. */
import type { Account } from '../accounts/accounts.ts';
import type { Queryable } from '../database.ts';
import { getSystemSettings } from '../settings/system-settings.ts';
import { decideLevel } from './decide.ts';
import { type AccessLevel, highestLevel } from './levels.ts';

/** What a decision needs to know of a repository. */
export interface RepositoryFacts {
  /** `undefined` when it does not exist yet. */
  readonly id: string | undefined;
  readonly namespaceId: string;
  readonly visibility: 'public' | 'private' | undefined;
}

/** The level of an account (`undefined`: nobody in particular) in a repository; `undefined` for none. */
export async function findRepositoryLevel(
  queries: Queryable,
  account: Account | undefined,
  repository: RepositoryFacts,
): Promise<AccessLevel | undefined> {
  const { visibility } = repository;
  if (account === undefined) {
    const { anonymousPulls } = await getSystemSettings(queries);
    return decideLevel({ account, visibility, anonymousPulls });
  }
  if (account.isAdmin) return 'admin';
  const [ownsNamespace, namespaceLevel, repositoryLevels] = [
    await isOwner(queries, account, repository.namespaceId),
    await findTeamNamespaceLevel(queries, account, repository.namespaceId),
    repository.id === undefined ? [] : await listRepositoryLevels(queries, account, repository.id),
  ];
  return decideLevel({
    account: { isAdmin: account.isAdmin, ownsNamespace, namespaceLevel, repositoryLevels },
    visibility,
    anonymousPulls: false,
  });
}

/** The level of an account in every repository of a namespace, those to come included; `undefined` for none. */
export async function findNamespaceLevel(
  queries: Queryable,
  account: Account,
  namespace: { readonly id: string },
): Promise<AccessLevel | undefined> {
  if (account.isAdmin || (await isOwner(queries, account, namespace.id))) return 'admin';
  return findTeamNamespaceLevel(queries, account, namespace.id);
}

/** Whether the namespace is the account's own, or of an organization that it owns. */
export async function isOwner(queries: Queryable, account: Account, namespaceId: string): Promise<boolean> {
  if (account.id === namespaceId) return true;
  const membership = await queries('organization_members')
    .where('organization_members.organization_id', namespaceId)
    .where('organization_members.user_id', account.id)
    .where('organization_members.is_admin', true)
    .first('organization_members.user_id');
  return membership !== undefined;
}

async function findTeamNamespaceLevel(
  queries: Queryable,
  account: Account,
  organizationId: string,
): Promise<AccessLevel | undefined> {
  const levels: AccessLevel[] = await queries('team_members')
    .join('teams', 'teams.id', 'team_members.team_id')
    .join('team_namespace_access', 'team_namespace_access.team_id', 'teams.id')
    .where('team_members.user_id', account.id)
    .where('teams.organization_id', organizationId)
    .pluck('team_namespace_access.access_level');
  return highestLevel(levels);
}

async function listRepositoryLevels(
  queries: Queryable,
  account: Account,
  repositoryId: string,
): Promise<AccessLevel[]> {
  const byTeams: AccessLevel[] = await queries('team_members')
    .join('team_repository_access', 'team_repository_access.team_id', 'team_members.team_id')
    .where('team_members.user_id', account.id)
    .where('team_repository_access.repository_id', repositoryId)
    .pluck('team_repository_access.access_level');
  const own: AccessLevel[] = await queries('user_repository_access')
    .where('user_repository_access.user_id', account.id)
    .where('user_repository_access.repository_id', repositoryId)
    .pluck('user_repository_access.access_level');
  return [...byTeams, ...own];
}
