/** Repositories as people see and change them. */
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import type { Query, Queryable, Transaction } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import { type Repository, repositoryColumns, searchTextOf } from './repositories.ts';

export interface RepositorySummary extends Repository {
  readonly namespaceType: 'user' | 'organization';
  readonly shortDescription: string;
  /** A tag that is there cannot be pushed again with another image. */
  readonly immutableTags: boolean;
  /** False when the origin always serves its blobs itself, whatever cache a user has. */
  readonly redirect: boolean;
  /** Manifests given to clients and taken from them. */
  readonly pulls: number;
  readonly pushes: number;
}

export interface RepositoryDetails extends RepositorySummary {
  /** Markdown. */
  readonly longDescription: string;
}

/** What is left out stays as it is. */
export interface RepositoryChanges {
  readonly visibility?: Repository['visibility'] | undefined;
  readonly shortDescription?: string | undefined;
  readonly longDescription?: string | undefined;
  readonly immutableTags?: boolean | undefined;
  readonly redirect?: boolean | undefined;
}

export async function findRepositoryDetails(
  queries: Queryable,
  name: RepositoryName,
): Promise<RepositoryDetails | undefined> {
  const row = await summaries(queries)
    .where('repositories.name', name)
    .select('repositories.long_description as longDescription')
    .first();
  return row === undefined ? undefined : { ...toSummary(row), longDescription: row.longDescription };
}

/** By name; those that are gone meanwhile are left out. */
export async function listRepositorySummaries(
  queries: Queryable,
  ids: readonly string[],
): Promise<RepositorySummary[]> {
  const rows: SummaryRow[] = [];
  // Databases bound the number of parameters of one statement.
  for (let start = 0; start < ids.length; start += 500) {
    rows.push(...(await summaries(queries).whereIn('repositories.id', ids.slice(start, start + 500))));
  }
  return rows.map(toSummary).sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The next request sees it. Tokens given before are good until they expire. */
export async function changeRepository(
  tx: Transaction,
  context: EventContext,
  repository: RepositorySummary,
  changes: RepositoryChanges,
  now: number,
): Promise<void> {
  const columns = {
    visibility: changes.visibility,
    short_description: changes.shortDescription,
    long_description: changes.longDescription,
    immutable_tags: changes.immutableTags,
    redirect: changes.redirect,
  };
  const changed = Object.entries(columns).filter(([, value]) => value !== undefined);
  if (changed.length === 0) return;
  const { visibility = repository.visibility, shortDescription = repository.shortDescription } = changes;
  const listed = { visibility, search_text: searchTextOf({ name: repository.name, shortDescription }) };
  await tx('repositories')
    .where({ id: repository.id })
    .update({ ...Object.fromEntries(changed), ...listed });
  if (visibility !== repository.visibility || shortDescription !== repository.shortDescription) {
    // Lists of what was granted are made of these alone.
    for (const table of ['team_repository_access', 'user_repository_access'])
      await tx(table).where({ repository_id: repository.id }).update(listed);
  }
  const object = { type: 'repository', id: repository.id, name: repository.name };
  // The trail is no place for pages of text.
  const content = { ...changes, longDescription: changes.longDescription?.slice(0, 255) };
  await recordEvent(tx, context, { type: 'UPDATE', object, content }, now);
}

interface SummaryRow
  extends Omit<RepositorySummary, 'namespaceType' | 'immutableTags' | 'redirect' | 'pulls' | 'pushes'> {
  isOrg: boolean | number;
  immutableTags: boolean | number;
  redirect: boolean | number;
  pulls: number | string;
  pushes: number | string;
}

function summaries(queries: Queryable): Query {
  return queries('repositories')
    .join('accounts', 'accounts.id', 'repositories.namespace_id')
    .select(
      ...repositoryColumns,
      'accounts.is_org as isOrg',
      'repositories.short_description as shortDescription',
      'repositories.immutable_tags as immutableTags',
      'repositories.redirect',
      'repositories.pulls',
      'repositories.pushes',
    );
}

function toSummary(row: SummaryRow): RepositorySummary {
  const { id, namespaceId, name, visibility, shortDescription } = row;
  return {
    id,
    namespaceId,
    name,
    visibility,
    namespaceType: row.isOrg ? 'organization' : 'user',
    shortDescription,
    immutableTags: Boolean(row.immutableTags),
    redirect: Boolean(row.redirect),
    pulls: Number(row.pulls),
    pushes: Number(row.pushes),
  };
}
