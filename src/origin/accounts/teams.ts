/** Teams: members of an organization who are given access together. */
import { randomUUID } from 'node:crypto';
import { DomainError } from '../../shared/errors.ts';
import type { Queryable, Transaction } from '../database.ts';
import { type EventContext, type EventObject, recordEvent } from '../events/events.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import { accountObject } from './account-changes.ts';
import {
  type Account,
  type AccountRow,
  accountColumns,
  assertName,
  findAccount,
  toAccount,
} from './accounts.ts';
import { putMember } from './organizations.ts';

export interface Team {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly description: string;
}

/** A team with what a list of teams shows to somebody. */
export interface TeamView extends Team {
  readonly membersCount: number;
  /** Whether who looks is in it. */
  readonly isMember: boolean;
}

/** By name, which is the key of a page. */
export async function listTeams(
  queries: Queryable,
  organization: Account,
  viewer: Account,
  page: Page,
): Promise<PageOf<TeamView>> {
  const query = teamViews(queries, organization, viewer)
    .orderBy('teams.name')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('teams.name', '>=', page.start);
  const rows: TeamRow[] = await query;
  return cutPage(rows.map(toTeamView), page.size, ({ name }) => name);
}

export async function countTeams(queries: Queryable, organization: Account): Promise<number> {
  const [row] = await queries('teams').where('teams.organization_id', organization.id).count({ total: '*' });
  return Number(row?.total ?? 0);
}

export async function findTeam(
  queries: Queryable,
  organization: Account,
  viewer: Account,
  name: string,
): Promise<TeamView | undefined> {
  const row: TeamRow | undefined = await teamViews(queries, organization, viewer)
    .where('teams.name', name)
    .first();
  return row && toTeamView(row);
}

/** Of the team with that id, or that name, in the organization of that name. */
export async function findTeamName(
  queries: Queryable,
  organizationName: string,
  nameOrId: string,
): Promise<string | undefined> {
  const names: string[] = await queries('accounts')
    .join('teams', 'teams.organization_id', 'accounts.id')
    .where('accounts.name', organizationName)
    .where((named) => named.where('teams.name', nameOrId).orWhere('teams.id', nameOrId))
    .pluck('teams.name');
  return names.find((name) => name === nameOrId) ?? names[0];
}

/** @throws DomainError `team-unknown` */
export async function getTeam(
  queries: Queryable,
  organization: Account,
  viewer: Account,
  name: string,
): Promise<TeamView> {
  const team = await findTeam(queries, organization, viewer, name);
  if (team === undefined) {
    throw new DomainError('team-unknown', 'A team with the given name does not exist in the organization.', {
      detail: { name },
    });
  }
  return team;
}

/** @throws DomainError `input-invalid`, `team-name-taken` */
export async function createTeam(
  tx: Transaction,
  context: EventContext,
  organization: Account,
  { name, description = '' }: { name: string; description?: string | undefined },
  now: number,
): Promise<Team> {
  await assertFree(tx, organization, name);
  const team = { id: randomUUID(), organizationId: organization.id, name, description };
  await tx('teams').insert({
    id: team.id,
    organization_id: team.organizationId,
    name,
    description,
    created_at: now,
  });
  const event = { type: 'CREATE', object: teamObject(organization, team), content: { name, description } };
  await recordEvent(tx, context, event, now);
  return team;
}

/** What is left out stays as it is. @throws DomainError `input-invalid`, `team-name-taken` */
export async function changeTeam(
  tx: Transaction,
  context: EventContext,
  organization: Account,
  team: Team,
  changes: { name?: string | undefined; description?: string | undefined },
  now: number,
): Promise<void> {
  const { name = team.name, description = team.description } = changes;
  if (name === team.name && description === team.description) return;
  if (name !== team.name) await assertFree(tx, organization, name);
  await tx('teams').where('teams.id', team.id).update({ name, description });
  const event = { type: 'UPDATE', object: teamObject(organization, team), content: { name, description } };
  await recordEvent(tx, context, event, now);
}

/** With the access that it gave. */
export async function deleteTeam(
  tx: Transaction,
  context: EventContext,
  organization: Account,
  team: Team,
  now: number,
): Promise<void> {
  await tx('teams').where('teams.id', team.id).delete();
  await recordEvent(tx, context, { type: 'DELETE', object: teamObject(organization, team) }, now);
}

/** By name, which is the key of a page. */
export async function listTeamMembers(queries: Queryable, team: Team, page: Page): Promise<PageOf<Account>> {
  const query = members(queries, team)
    .orderBy('team_members.user_name')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('team_members.user_name', '>=', page.start);
  const rows: AccountRow[] = await query.select(accountColumns);
  return cutPage(rows.map(toAccount), page.size, ({ name }) => name);
}

/** @throws DomainError `member-unknown`, whether there is such a user or not */
export async function getTeamMember(queries: Queryable, team: Team, name: string): Promise<Account> {
  const row: AccountRow | undefined = await members(queries, team)
    .where('accounts.name', name)
    .first(accountColumns);
  if (row === undefined) throw new DomainError('member-unknown', 'The user is not a member of the team.');
  return toAccount(row);
}

/** Makes the user a member of the organization, too. @throws DomainError `user-unknown` */
export async function putTeamMember(
  tx: Transaction,
  context: EventContext,
  organization: Account,
  team: Team,
  name: string,
  now: number,
): Promise<Account> {
  const { account } = await putMember(tx, context, organization, { name }, now);
  const inserted = await tx('team_members')
    .insert({ team_id: team.id, user_id: account.id, user_name: account.name, created_at: now })
    .onConflict(['team_id', 'user_id'])
    .ignore()
    .returning('user_id');
  if (inserted.length > 0) {
    const event = { type: 'GRANT', object: teamObject(organization, team), target: accountObject(account) };
    await recordEvent(tx, context, event, now);
  }
  return account;
}

/** The user stays in the organization. It is no error when they are not in the team. */
export async function removeTeamMember(
  tx: Transaction,
  context: EventContext,
  organization: Account,
  team: Team,
  name: string,
  now: number,
): Promise<void> {
  const user = await findAccount(tx, name);
  if (user === undefined) return;
  const removed = await tx('team_members').where({ team_id: team.id, user_id: user.id }).delete();
  if (removed === 0) return;
  const event = { type: 'REVOKE', object: teamObject(organization, team), target: accountObject(user) };
  await recordEvent(tx, context, event, now);
}

/** The team as the trail names it: `<organization>/<team>`. */
export function teamObject(organization: Account, team: Team): EventObject {
  return { type: 'team', id: team.id, name: `${organization.name}/${team.name}` };
}

export interface TeamRow {
  id: string;
  organization_id: string;
  name: string;
  description: string;
  members_count: number | string;
  own_count: number | string;
}

export function teamViews(queries: Queryable, organization: Account, viewer: Account) {
  const membersOf = () =>
    queries('team_members').whereRaw('?? = ??', ['team_members.team_id', 'teams.id']).count('*');
  return queries('teams')
    .where('teams.organization_id', organization.id)
    .select('teams.id', 'teams.organization_id', 'teams.name', 'teams.description')
    .select(membersOf().as('members_count'))
    .select(membersOf().where('team_members.user_id', viewer.id).as('own_count'));
}

export function toTeamView(row: TeamRow): TeamView {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    description: row.description,
    membersCount: Number(row.members_count),
    isMember: Number(row.own_count) > 0,
  };
}

function members(queries: Queryable, team: Team) {
  return queries('team_members')
    .join('accounts', 'accounts.id', 'team_members.user_id')
    .where('team_members.team_id', team.id);
}

/** @throws DomainError `input-invalid`, `team-name-taken` */
async function assertFree(tx: Transaction, organization: Account, name: string): Promise<void> {
  assertName(name);
  // One at a time: of two who want the same name at once, the second is told.
  await tx('accounts').where('accounts.id', organization.id).forUpdate().first('accounts.id');
  const twin = await tx('teams').where({ organization_id: organization.id, name }).first('teams.id');
  if (twin === undefined) return;
  throw new DomainError('team-name-taken', `there is already a team named ${name} in ${organization.name}`, {
    detail: { field: 'name' },
  });
}
