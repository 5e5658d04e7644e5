import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openDatabaseBeside } from '../../../src/origin/database.ts';
import {
  type CollectionPolicy,
  defaultPolicy,
  GarbageCollection,
} from '../../../src/origin/images/garbage-collection.ts';
import { Removals } from '../../../src/origin/images/removals.ts';
import { DirectoryBlobStore } from '../../../src/shared/blob-store/directory.ts';
import { type Digest, digestOf } from '../../../src/shared/distribution/digest.ts';
import { imageMediaType, pushBlob, pushImage, startTestOrigin } from '../../setup/origin.ts';

const hour = 3_600_000;
let now = Date.now();
const clock = () => now;
const origin = await startTestOrigin({ clock });
// Beside the running origin, as `dtr gc` works.
const database = await openDatabaseBeside(origin.dataDirectory);
after(() => database.close());
const blobStore = new DirectoryBlobStore(origin.dataDirectory);
const removals = new Removals({ database, blobStore, clock });
const collection = new GarbageCollection({ database, blobStore, removals, clock });

/** Shows beforehand what it would do, and then does exactly that. */
async function collect(policy: Partial<CollectionPolicy> = {}) {
  const whole = { ...defaultPolicy, ...policy };
  const preview = await collection.preview(whole);
  const report = await collection.collect(whole);
  assert.deepEqual(preview, report, 'the dry run foretold it');
  return report;
}

const status = async (method: string, path: string) => (await origin.registry(method, path)).status;
const blobStatus = (repository: string, digest: Digest) =>
  status('HEAD', `/v2/${repository}/blobs/${digest}`);
const bytes = (text: string) => Buffer.from(text);

describe('garbage collection', () => {
  it('keeps what a tagged image needs, however old', async () => {
    const { layers } = await pushImage(origin, 'admin/kept', 'latest', [bytes('kept layer')]);
    now += 1000 * hour;
    await collect();
    assert.equal(await status('GET', '/v2/admin/kept/manifests/latest'), 200);
    assert.equal(await blobStatus('admin/kept', layers[0] as Digest), 200);
  });

  it('removes the blobs of a deleted image, row and file, once the grace period is over', async () => {
    const { digest, layers } = await pushImage(origin, 'admin/deleted', 'latest', [bytes('deleted layer')]);
    assert.equal(await status('DELETE', `/v2/admin/deleted/manifests/${digest}`), 202);
    now += hour;
    assert.equal((await collect())?.blobs, 0, 'within the grace period');
    now += 1.1 * hour;
    const report = await collect();
    assert.equal(report?.blobs, 1, 'its layer; the configuration is that of other images, too');
    assert.equal(report?.sizeBytes, 'deleted layer'.length);
    assert.equal(await blobStatus('admin/deleted', layers[0] as Digest), 404);
    assert.equal(await blobStore.stat(layers[0] as Digest), undefined);
  });

  it('keeps a blob that another repository still names, and only there', async () => {
    const shared = bytes('a shared layer');
    const { digest, layers } = await pushImage(origin, 'admin/one', 'latest', [shared]);
    await pushImage(origin, 'admin/other', 'latest', [shared]);
    await origin.registry('DELETE', `/v2/admin/one/manifests/${digest}`);
    now += 3 * hour;
    await collect();
    assert.equal(await blobStatus('admin/one', layers[0] as Digest), 404);
    assert.equal(await blobStatus('admin/other', layers[0] as Digest), 200);
  });

  it('keeps a blob that a client was told of within the grace period (P4)', async () => {
    const digest = await pushBlob(origin, 'admin/confirmed', bytes('confirmed blob'));
    for (let round = 0; round < 3; round += 1) {
      now += 1.5 * hour;
      assert.equal(await blobStatus('admin/confirmed', digest), 200);
      await collect();
    }
    now += 2.1 * hour;
    await collect();
    assert.equal(await blobStatus('admin/confirmed', digest), 404);
  });

  it('keeps a mounted blob for the grace period, and its source no longer than that', async () => {
    const digest = await pushBlob(origin, 'admin/source', bytes('mounted blob'));
    now += 1.9 * hour;
    const mount = `/v2/admin/target/blobs/uploads/?mount=${digest}&from=admin/source`;
    assert.equal(await status('POST', mount), 201);
    now += 1 * hour;
    await collect();
    assert.equal(await blobStatus('admin/target', digest), 200);
    assert.equal(await blobStatus('admin/source', digest), 404);
  });

  it('keeps every blob of a repository that is being pushed to, however long the push takes', async () => {
    const digest = await pushBlob(origin, 'admin/slow', bytes('first layer of a slow push'));
    const begun = await origin.registry('POST', '/v2/admin/slow/blobs/uploads/');
    const session = begun.headers.get('location') as string;
    // The session's file is as old as the real clock says; the push goes on as long as this one's future.
    now = Date.now() + 1.5 * hour;
    await origin.registry('PATCH', session, { body: 'more' });
    await database
      .queries('repository_blobs')
      .where({ digest })
      .update({ last_used_at: now - 100 * hour });
    await collect();
    assert.equal(await blobStatus('admin/slow', digest), 200);
    await origin.registry('DELETE', session);
  });

  it('brings back by a push what it removed (G10)', async () => {
    const layer = bytes('removed and pushed again');
    const { digest } = await pushImage(origin, 'admin/again', 'latest', [layer]);
    await origin.registry('DELETE', `/v2/admin/again/manifests/${digest}`);
    now += 3 * hour;
    await collect();
    const { layers } = await pushImage(origin, 'admin/again', 'latest', [layer]);
    const pulled = await origin.registry('GET', `/v2/admin/again/blobs/${layers[0]}`);
    assert.deepEqual(Buffer.from(await pulled.arrayBuffer()), layer);
  });

  it('removes files that the database does not know, and nothing that is not a blob', async () => {
    const stray = bytes('a file without a row');
    const hex = digestOf(stray).slice('sha256:'.length);
    const shard = join(origin.dataDirectory, 'blobs/sha256', hex.slice(0, 2));
    await mkdir(shard, { recursive: true });
    await writeFile(join(shard, hex), stray);
    await writeFile(join(shard, 'README'), 'not a blob');
    now = Math.max(now, Date.now()) + 3 * hour;
    assert.equal((await collect())?.blobs, 1);
    assert.equal(await blobStore.stat(digestOf(stray)), undefined);
    assert.equal((await collect())?.blobs, 0);
  });

  it('is not stopped by a manifest that nobody can read, and keeps what it names (G11)', async () => {
    const { layers } = await pushImage(origin, 'admin/unparsable', 'latest', [bytes('of an unparsable one')]);
    await database
      .queries('manifests')
      .whereIn(
        'repository_id',
        database.queries('repositories').where({ name: 'admin/unparsable' }).select('id'),
      )
      .update({ bytes: Buffer.from('{') });
    now += 3 * hour;
    await collect();
    assert.equal(await blobStatus('admin/unparsable', layers[0] as Digest), 200);
  });

  it('runs once at a time', async () => {
    await removals.exclusively(async () => {
      const second = new Removals({ database, blobStore, clock });
      const other = new GarbageCollection({ database, blobStore, removals: second, clock });
      assert.equal(await other.collect(defaultPolicy), undefined);
    });
  });
});

describe('untagged manifests', () => {
  const weekly = { untaggedMs: 168 * hour };

  it('stay for ever, unless the policy says otherwise', async () => {
    const { digest } = await pushImage(origin, 'admin/untagged', 'latest', [bytes('first')]);
    await pushImage(origin, 'admin/untagged', 'latest', [bytes('second')]);
    now += 10_000 * hour;
    assert.equal((await collect())?.manifests, 0);
    assert.equal(await status('HEAD', `/v2/admin/untagged/manifests/${digest}`), 200);
    // Untagged long ago; everything else that earlier tests untagged is collected with it.
    await collect(weekly);
    assert.equal(await status('HEAD', `/v2/admin/untagged/manifests/${digest}`), 404);
    assert.equal(await status('HEAD', '/v2/admin/untagged/manifests/latest'), 200);
  });

  it('are counted from the moment when the tag moved away or was deleted', async () => {
    const moved = await pushImage(origin, 'admin/moved', 'latest', [bytes('moved from')]);
    const deleted = await pushImage(origin, 'admin/moved', 'old', [bytes('tag deleted')]);
    now += 1000 * hour;
    await pushImage(origin, 'admin/moved', 'latest', [bytes('moved to')]);
    await origin.registry('DELETE', '/v2/admin/moved/manifests/old');
    now += 100 * hour;
    assert.equal((await collect(weekly))?.manifests, 0);
    now += 100 * hour;
    assert.equal((await collect(weekly))?.manifests, 2);
    for (const { digest } of [moved, deleted])
      assert.equal(await status('HEAD', `/v2/admin/moved/manifests/${digest}`), 404);
  });

  it('stay while an index lists them, or while they refer to a manifest that is there', async () => {
    const child = await pushImage(origin, 'admin/multi', 'child', [bytes('of one platform')]);
    const descriptor = {
      mediaType: imageMediaType,
      digest: child.digest,
      size: Buffer.byteLength(child.manifest),
    };
    const put = (reference: string, manifest: object, mediaType: string) =>
      origin.registry('PUT', `/v2/admin/multi/manifests/${reference}`, {
        body: JSON.stringify(manifest),
        headers: { 'Content-Type': mediaType },
      });
    const indexType = 'application/vnd.oci.image.index.v1+json';
    const index = { schemaVersion: 2, mediaType: indexType, manifests: [descriptor] };
    assert.equal((await put('latest', index, indexType)).status, 201);
    await origin.registry('DELETE', '/v2/admin/multi/manifests/child');
    const signature = {
      ...JSON.parse(child.manifest),
      artifactType: 'application/vnd.example.signature',
      subject: descriptor,
    };
    const signatureDigest = digestOf(bytes(JSON.stringify(signature)));
    assert.equal((await put(signatureDigest, signature, imageMediaType)).status, 201);

    now += 500 * hour;
    assert.equal((await collect(weekly))?.manifests, 0);

    await origin.registry('DELETE', '/v2/admin/multi/manifests/latest');
    now += 200 * hour;
    assert.equal((await collect(weekly))?.manifests, 1, 'the index');
    assert.equal((await collect(weekly))?.manifests, 0, 'the time of the manifest that it listed begins');
    now += 200 * hour;
    assert.equal((await collect(weekly))?.manifests, 1, 'the manifest');
    now += 200 * hour;
    assert.equal((await collect(weekly))?.manifests, 1, 'its signature');
  });
});

describe('abandoned uploads', () => {
  it('are ended after a week without a byte, live ones kept (G21)', async () => {
    const begun = await origin.registry('POST', '/v2/admin/uploads/blobs/uploads/');
    const session = begun.headers.get('location') as string;
    await origin.registry('PATCH', session, { body: 'some bytes' });
    now = Date.now() + 100 * hour;
    assert.equal((await collect())?.uploads, 0);
    assert.equal(await status('GET', session), 204);
    now = Date.now() + 169 * hour;
    assert.equal((await collect())?.uploads, 1);
    assert.equal(await status('GET', session), 404);
  });

  it('are capped per account, with 429; those that nobody goes on with make room', async () => {
    now = Date.now();
    const begin = () => status('POST', '/v2/admin/capped/blobs/uploads/');
    for (let count = 0; count < 100; count += 1) assert.equal(await begin(), 202);
    const refused = await origin.registry('POST', '/v2/admin/capped/blobs/uploads/');
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    assert.equal(JSON.parse(await refused.text()).errors[0].code, 'TOOMANYREQUESTS');
    now += 1.1 * hour;
    assert.equal(await begin(), 202);
  });
});

it('a push of a blob that is being removed waits, and succeeds', async () => {
  now = Date.now();
  const content = bytes('removed at this moment');
  const digest = await pushBlob(origin, 'admin/waits', content);
  let pushed: Promise<Digest> | undefined;
  await removals.exclusively(async () => {
    await removals.remove(async (tx) => {
      await tx('repository_blobs').where({ digest }).delete();
      return [{ digest }];
    });
    // The origin sees the mark and waits for this collection, which is not over yet.
    await database.transaction((tx) =>
      tx('blobs').insert({ digest, size_bytes: 1, created_at: 1, last_used_at: 1, removing_at: 1 }),
    );
    pushed = pushBlob(origin, 'admin/waits', content);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await blobStatus('admin/waits', digest), 404, 'not pushed yet');
  });
  // What was marked is left to whoever gets the lock next, as after a crash: here, the push.
  assert.equal(await pushed, digest);
  assert.equal(await blobStatus('admin/waits', digest), 200);
});

it('a mark that a killed collection left is no obstacle to the next one', async () => {
  const digest = digestOf(bytes('half removed'));
  await database.transaction((tx) =>
    tx('blobs').insert({ digest, size_bytes: 1, created_at: 1, last_used_at: 1, removing_at: 1 }),
  );
  await collection.collect(defaultPolicy);
  assert.equal(await database.queries('blobs').where({ digest }).first(), undefined);
});

it('mounts nothing that is being removed', async () => {
  const digest = await pushBlob(origin, 'admin/leaving', bytes('on its way out'));
  await database.transaction((tx) => tx('blobs').where({ digest }).update({ removing_at: 1 }));
  const mount = `/v2/admin/elsewhere/blobs/uploads/?mount=${digest}&from=admin/leaving`;
  assert.equal(await status('POST', mount), 202, 'an upload session, as if it were not there');
});
