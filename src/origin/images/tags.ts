/** Tags: names that move. */
import type { Digest } from '../../shared/distribution/digest.ts';
import type { Tag } from '../../shared/distribution/reference.ts';
import type { Queryable, Transaction } from '../database.ts';

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
  tag: { repositoryId: string; name: Tag },
  now: number,
): Promise<boolean> {
  await releaseTagged(tx, tag, now);
  return (await tx('tags').where({ repository_id: tag.repositoryId, name: tag.name }).delete()) > 0;
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
