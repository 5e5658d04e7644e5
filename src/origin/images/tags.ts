/** Tags: names that move. */
import type { Digest } from '../../shared/distribution/digest.ts';
import type { Tag } from '../../shared/distribution/reference.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import type { Query, Queryable, Transaction } from '../database.ts';
import { type EventContext, type EventObject, recordEvent } from '../events/events.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import {
  type ManifestDetails,
  type ManifestRow,
  manifestColumns,
  toManifestDetails,
} from './manifest-details.ts';
import type { Repository } from './repositories.ts';

export interface TagDetails {
  readonly name: Tag;
  readonly manifest: ManifestDetails;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Points the tag at a manifest of the repository. The next pull sees it. */
export async function moveTag(
  tx: Transaction,
  tag: { repositoryId: string; name: Tag; digest: Digest },
  now: number,
): Promise<void> {
  await releaseTagged(tx, tag, now);
  await tx('tags')
    .insert({
      repository_id: tag.repositoryId,
      name: tag.name,
      digest: tag.digest,
      created_at: now,
      updated_at: now,
    })
    .onConflict(['repository_id', 'name'])
    .merge(['digest', 'updated_at']);
}

/** True if there was one. The manifest stays. */
export async function deleteTag(
  tx: Transaction,
  context: EventContext,
  repository: Repository,
  name: Tag,
  now: number,
): Promise<boolean> {
  const key = { repository_id: repository.id, name };
  const tag = await tx('tags').where(key).first('tags.digest');
  if (tag === undefined) return false;
  await releaseTagged(tx, { repositoryId: repository.id, name }, now);
  await tx('tags').where(key).delete();
  const object = toTagObject(repository.name, name, tag.digest);
  const target = { type: 'repository', id: repository.id, name: repository.name };
  await recordEvent(tx, context, { type: 'DELETE', object, target }, now);
  return true;
}

/** What the tag pointed at may be untagged from now on: its time begins now. */
async function releaseTagged(
  tx: Transaction,
  { repositoryId, name }: { repositoryId: string; name: Tag },
  now: number,
): Promise<void> {
  const tagged = tx('tags').where({ repository_id: repositoryId, name }).select('tags.digest');
  await tx('manifests')
    .where('manifests.repository_id', repositoryId)
    .whereIn('manifests.digest', tagged)
    .update({ last_used_at: now });
}

/** Names after `last` in lexical order. */
export async function listTags(
  queries: Queryable,
  repositoryId: string,
  page: { last: string; count: number },
): Promise<string[]> {
  return queries('tags')
    .where('tags.repository_id', repositoryId)
    .where('tags.name', '>', page.last)
    .orderBy('tags.name')
    .limit(page.count)
    .pluck('tags.name');
}

/** By name, those that begin with `prefix`. `page.start` is the name of the first tag of the page. */
export async function listTagDetails(
  queries: Queryable,
  repositoryId: string,
  prefix: string,
  page: Page,
): Promise<PageOf<TagDetails>> {
  const { start = '' } = page;
  const rows = await tagDetails(queries)
    .where('tags.repository_id', repositoryId)
    // The later of the two: of two bounds the database would walk from the first.
    .where('tags.name', '>=', start > prefix ? start : prefix)
    .where('tags.name', '<', endOf(prefix))
    .orderBy('tags.name')
    .limit(page.size + 1);
  return cutPage(rows.map(toTagDetails), page.size, ({ name }) => name);
}

export async function countTags(queries: Queryable, repositoryId: string, prefix: string): Promise<number> {
  const [row] = await queries('tags')
    .where('tags.repository_id', repositoryId)
    .where('tags.name', '>=', prefix)
    .where('tags.name', '<', endOf(prefix))
    .count({ total: '*' });
  return Number(row?.total ?? 0);
}

/** Where the tag points. */
export async function findTag(
  queries: Queryable,
  repositoryId: string,
  name: Tag,
): Promise<Digest | undefined> {
  const row = await queries('tags').where({ repository_id: repositoryId, name }).first('tags.digest');
  return row?.digest;
}

/** Where all tags of a repository point. */
export async function listTaggedDigests(queries: Queryable, repositoryId: string): Promise<Digest[]> {
  return queries('tags')
    .where('tags.repository_id', repositoryId)
    .distinct('tags.digest')
    .pluck('tags.digest');
}

export async function findTagDetails(
  queries: Queryable,
  repositoryId: string,
  name: Tag,
): Promise<TagDetails | undefined> {
  const row = await tagDetails(queries)
    .where('tags.repository_id', repositoryId)
    .where('tags.name', name)
    .first();
  return row === undefined ? undefined : toTagDetails(row);
}

/** The first of the tags that point at a manifest, by name. */
export async function listTagsOf(
  queries: Queryable,
  repositoryId: string,
  digest: Digest,
  limit: number,
): Promise<string[]> {
  return queries('tags')
    .where('tags.repository_id', repositoryId)
    .where('tags.digest', digest)
    .orderBy('tags.name')
    .limit(limit)
    .pluck('tags.name');
}

/** A tag in the trail. */
export function toTagObject(repository: RepositoryName, tag: Tag, digest: Digest): EventObject {
  return { type: 'tag', id: digest, name: `${repository}:${tag}` };
}

interface TagRow extends ManifestRow {
  name: Tag;
  tagged_at: number | string;
  updated_at: number | string;
}

function tagDetails(queries: Queryable): Query {
  return queries('tags')
    .join('manifests', (on) =>
      on.on('manifests.repository_id', 'tags.repository_id').on('manifests.digest', 'tags.digest'),
    )
    .select(...manifestColumns, 'tags.name', 'tags.created_at as tagged_at', 'tags.updated_at');
}

function toTagDetails(row: TagRow): TagDetails {
  return {
    name: row.name,
    manifest: toManifestDetails(row),
    createdAt: Number(row.tagged_at),
    updatedAt: Number(row.updated_at),
  };
}

/** No character of a tag comes after it. */
function endOf(prefix: string): string {
  return `${prefix}~`;
}
