import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Database, openDatabase } from '../../../src/origin/database.ts';
import type { EventContext } from '../../../src/origin/events/events.ts';
import { RepositoryRemoval } from '../../../src/origin/images/repository-removal.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const context: EventContext = { actor: { id: 'a', name: 'admin' }, door: 'api', client: undefined };

const namespaceId = '00000000-0000-0000-0000-000000000000';
await database.queries('accounts').insert({
  id: namespaceId,
  name: 'acme',
  is_org: true,
  is_admin: false,
  is_active: true,
  created_at: 0,
});

async function seed(name: string, images: number): Promise<{ id: string; name: never }> {
  await database.transaction(async (tx) => {
    const common = { created_at: 0, last_used_at: 0 };
    await tx('repositories').insert({
      id: name,
      namespace_id: namespaceId,
      name,
      visibility: 'private',
      created_at: 0,
    });
    for (let image = 0; image < images; image += 1) {
      const digest = `sha256:${image}`;
      await tx('blobs')
        .insert({ digest, size_bytes: 1, ...common })
        .onConflict('digest')
        .ignore();
      const repository = { repository_id: name };
      await tx('repository_blobs').insert({ ...repository, digest, ...common });
      await tx('manifests').insert({
        ...repository,
        digest,
        media_type: 'm',
        bytes: Buffer.from('{}'),
        pushed_by: 'admin',
        ...common,
      });
      await tx('manifest_references').insert({
        ...repository,
        manifest_digest: digest,
        digest,
        kind: 'blob',
      });
      await tx('tags').insert({ ...repository, name: `t${image}`, digest, created_at: 0, updated_at: 0 });
    }
  });
  return { id: name, name: name as never };
}

async function countIn({ queries }: Database, id: string): Promise<number[]> {
  const tables = ['manifests', 'tags', 'manifest_references', 'repository_blobs'];
  return Promise.all(
    tables.map(async (table) => {
      const [row] = await queries(table).where({ repository_id: id }).count({ total: '*' });
      return Number(row?.total);
    }),
  );
}

it('a repository goes with all that is in it, in portions, and nothing of another does', async () => {
  const small = await seed('acme/small', 3);
  const large = await seed('acme/large', 250);
  const removal = new RepositoryRemoval({ database, clock: () => 7 });
  const removing = removal.delete(context, async () => large);
  const seen = new Set<number>();
  for (let left = 250; left > 0; ) {
    await nextTurn();
    [left = 0] = await countIn(database, large.id);
    seen.add(left);
  }
  await removing;
  assert.ok(seen.size > 2, 'others have their turn in between');
  assert.deepEqual(await countIn(database, large.id), [0, 0, 0, 0]);
  assert.deepEqual(await countIn(database, small.id), [3, 3, 3, 3]);
  const events = () => database.queries('events').orderBy('id').select('type', 'object_name', 'published_at');
  const deleted = (name: string) => ({ type: 'DELETE', object_name: name, published_at: 7 });
  assert.deepEqual(await events(), [deleted('acme/large')]);
  await removal.delete(context, async () => undefined);
  await removal.delete(context, async () => small);
  assert.deepEqual(await events(), [deleted('acme/large'), deleted('acme/small')]);
});

it('all repositories of an account go, and those of others stay', async () => {
  await seed('acme/one', 60);
  await seed('acme/other', 2);
  const other = { ...(await database.queries('accounts').first()), id: 'other', name: 'other' };
  await database.queries('accounts').insert(other);
  await seed('other/kept', 1);
  await database.queries('repositories').where({ id: 'other/kept' }).update({ namespace_id: 'other' });
  await new RepositoryRemoval({ database, clock: () => 7 }).deleteAllOf(context, namespaceId);
  assert.deepEqual(await database.queries('repositories').pluck('name'), ['other/kept']);
  assert.deepEqual(await countIn(database, 'acme/one'), [0, 0, 0, 0]);
});
