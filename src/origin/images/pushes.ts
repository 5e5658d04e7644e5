/** A manifest that a client pushed: stored, tagged, counted and written down, all or nothing. */
import type { Digest } from '../../shared/distribution/digest.ts';
import type { Tag } from '../../shared/distribution/reference.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Transaction } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import type { Manifest } from './manifest.ts';
import { storeManifest } from './manifests.ts';
import { getOrCreateRepository, type Repository } from './repositories.ts';
import { moveTag, toTagObject } from './tags.ts';

export interface Push {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly manifest: Manifest;
  /** Where the tags point from then on; none for a manifest that is pushed by its digest. */
  readonly tags: readonly Tag[];
}

/** @throws DomainError `tag-immutable`, and what `getOrCreateRepository` and `storeManifest` throw */
export async function acceptPush(
  tx: Transaction,
  context: EventContext,
  { repository: name, digest, bytes, manifest, tags }: Push,
  now: number,
): Promise<void> {
  const repository = await getOrCreateRepository(tx, context, name, now);
  await assertMayMove(tx, repository, tags, digest);
  const pushedBy = context.actor?.name ?? '';
  await storeManifest(tx, { repositoryId: repository.id, digest, bytes, manifest, pushedBy }, now);
  for (const tag of tags) await moveTag(tx, { repositoryId: repository.id, name: tag, digest }, now);
  await tx('repositories').where({ id: repository.id }).increment({ pushes: 1 });
  const target = { type: 'repository', id: repository.id, name };
  const objects = tags.map((tag) => toTagObject(name, tag, digest));
  if (objects.length === 0) objects.push({ type: 'manifest', id: digest, name: `${name}@${digest}` });
  for (const object of objects) await recordEvent(tx, context, { type: 'PUSH', object, target }, now);
}

/** The same image again is no move. */
async function assertMayMove(
  tx: Transaction,
  repository: Repository,
  tags: readonly Tag[],
  digest: Digest,
): Promise<void> {
  if (tags.length === 0) return;
  const held = await tx('repositories')
    .join('tags', 'tags.repository_id', 'repositories.id')
    .where('repositories.id', repository.id)
    .where('repositories.immutable_tags', true)
    .whereIn('tags.name', [...tags])
    .whereNot('tags.digest', digest)
    .first('tags.name', 'tags.digest');
  if (held === undefined) return;
  throw new DomainError(
    'tag-immutable',
    `the tag ${held.name} of ${repository.name} is there already and its tags are immutable: push under another tag`,
    { detail: { tag: held.name, digest: held.digest } },
  );
}
