import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import { createAccount } from '../../../src/origin/accounts/accounts.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { defaultPolicy } from '../../../src/origin/images/garbage-collection.ts';
import type { Digest } from '../../../src/shared/distribution/digest.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';
import { blobPath, findImage, flipByte, openDataToBackUp, restoreTo } from './setup.ts';

const origin = await startTestOrigin();
const { collection, backUp } = await openDataToBackUp(origin.dataDirectory);
const withoutGrace = { ...defaultPolicy, graceMs: 0 };

const newTarget = async () => join(await tempDirectory(), 'backup');
const layer = (sizeBytes = 100_000) => randomBytes(sizeBytes);
const restored = async (backup: string) => {
  const data = join(await tempDirectory(), 'data');
  return { data, ...(await restoreTo(data, backup)) };
};
const remove = async (repository: string, digest: Digest) => {
  const response = await origin.registry('DELETE', `/v2/${repository}/manifests/${digest}`);
  assert.equal(response.status, 202);
};
const pull = async (from: typeof origin, repository: string, path: string) => {
  const response = await from.registry('GET', `/v2/${repository}/${path}`);
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
};

describe('a backup', () => {
  it('holds all that was pushed, the accounts and the other files, for its owner alone (G25)', async () => {
    const bytes = layer();
    const { manifest, layers } = await pushImage(origin, 'admin/app', 'v1', [bytes]);
    await writeFile(join(origin.dataDirectory, 'ca.pem'), 'a certificate', { mode: 0o644 });
    const backup = await newTarget();
    const report = await backUp(backup);
    assert.equal(report.blobs, 2, 'the layer and the configuration');
    assert.deepEqual(report.findings, []);

    const entries = await readdir(backup, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      assert.equal(mode & 0o077, 0, `${entry.name} is open to others`);
    }
    const { data } = await restored(backup);
    const other = await startTestOrigin({ dataDirectory: data });
    const image = await pull(other, 'admin/app', 'manifests/v1');
    assert.equal(image.bytes.toString(), manifest);
    assert.deepEqual((await pull(other, 'admin/app', `blobs/${layers[0]}`)).bytes, bytes);
    assert.equal(other.adminPassword, origin.adminPassword);
    assert.equal(await readFile(join(other.dataDirectory, 'ca.pem'), 'utf8'), 'a certificate');
  });

  it('into the same directory again copies new blobs only, and removes what is not needed any more', async () => {
    const backup = await newTarget();
    const old = await pushImage(origin, 'admin/old', 'v1', [layer()]);
    const { blobs } = await backUp(backup);
    await remove('admin/old', old.digest);
    await collection.collect(withoutGrace);
    const young = await pushImage(origin, 'admin/young', 'v1', [layer(200_000)]);

    const report = await backUp(backup);
    assert.equal(report.blobs, blobs);
    assert.equal(report.copiedBytes, 200_000, 'its configuration is the one of the other images');
    assert.equal(report.removedBlobs, 1);
    await assert.rejects(stat(blobPath(backup, old.layers[0] as Digest)), { code: 'ENOENT' });
    await stat(blobPath(backup, young.layers[0] as Digest));
    const names = await readdir(backup);
    assert.equal(names.filter((name) => name.startsWith('2')).length, 1, names.join());
  });

  it('is of one moment: what is deleted and collected, or pushed, while it is made changes nothing of it', async () => {
    const { digest } = await pushImage(origin, 'admin/deleted', 'v1', [layer()]);
    const backup = await newTarget();
    let changing: Promise<unknown> | undefined;
    const change = async () => {
      await remove('admin/deleted', digest);
      await pushImage(origin, 'admin/late', 'v1', [layer()]);
      return collection.collect(withoutGrace);
    };
    await backUp(backup, {
      progress: () => {
        changing ??= change();
      },
    });
    await changing;
    const { data } = await restored(backup);
    const image = findImage(data, 'admin/deleted', 'v1');
    assert.deepEqual([image?.digest, image?.blobs.length], [digest, 2]);
    assert.equal(findImage(data, 'admin/late', 'v1'), undefined);
  });

  it('keeps garbage collection waiting, and waits for it', async () => {
    await pushImage(origin, 'admin/waiting', 'v1', [layer()]);
    let collecting: Promise<unknown> | undefined;
    await backUp(await newTarget(), {
      progress: () => {
        collecting ??= collection.collect(defaultPolicy);
      },
    });
    assert.equal(await collecting, undefined, 'another one or a backup is running');
    const [report] = await Promise.all([collection.collect(defaultPolicy), backUp(await newTarget())]);
    assert.notEqual(report, undefined);
  });

  it('waits for another one, also into the same directory, and both are complete', async () => {
    await pushImage(origin, 'admin/twice', 'v1', [layer()]);
    const backup = await newTarget();
    const reports = await Promise.all([backUp(backup), backUp(backup)]);
    assert.equal(reports[0].blobs, reports[1].blobs);
    assert.deepEqual((await restored(backup)).findings, []);
  });

  it('that is interrupted is none, and is completed by the next', async () => {
    await pushImage(origin, 'admin/interrupted', 'v1', [layer()]);
    const backup = await newTarget();
    const interrupt = { progress: () => assert.fail('interrupted') };
    await assert.rejects(backUp(backup, interrupt), /interrupted/);
    const data = join(await tempDirectory(), 'data');
    await assert.rejects(restoreTo(data, backup), {
      message: `the backup in ${backup} was interrupted: run it again`,
    });
    await backUp(backup);
    await restoreTo(data, backup);
  });

  it('that is interrupted leaves the one before as it was', async () => {
    const backup = await newTarget();
    const first = await pushImage(origin, 'admin/before', 'v1', [layer()]);
    await backUp(backup);
    await remove('admin/before', first.digest);
    await collection.collect(withoutGrace);
    const interrupt = { progress: () => assert.fail('interrupted') };
    await assert.rejects(backUp(backup, interrupt), /interrupted/);
    const { data } = await restored(backup);
    const image = findImage(data, 'admin/before', 'v1');
    assert.deepEqual([image?.digest, image?.blobs.length], [first.digest, 2]);
  });

  it('has no part in uploads that are not finished: their bytes stay behind, and so do their rows', async () => {
    const begun = await origin.registry('POST', '/v2/admin/uploading/blobs/uploads/');
    assert.equal(begun.status, 202);
    const backup = await newTarget();
    await backUp(backup);
    const { data } = await restored(backup);
    const database = new BetterSqlite3(join(data, 'dtr.db'), { readonly: true });
    assert.equal(database.prepare('SELECT count(*) FROM uploads').pluck().get(), 0);
    database.close();
    assert.deepEqual(await readdir(join(data, 'sessions')), []);
  });

  it('goes only where nothing else is', async () => {
    const target = await tempDirectory();
    await writeFile(join(target, 'thesis.txt'), 'of years');
    await assert.rejects(
      backUp(target),
      /holds something else than a backup: name an empty or a new directory/,
    );
    assert.deepEqual(await readdir(target), ['thesis.txt']);

    const backup = await newTarget();
    await backUp(backup);
    const other = await tempDirectory();
    const database = await openDatabase(other);
    await createAccount(database.queries, { name: 'admin', passwordHash: null }, 0);
    await database.close();
    const { backUp: backUpOther } = await openDataToBackUp(other);
    await assert.rejects(backUpOther(backup), /holds the backup of another origin/);
    assert.deepEqual((await restored(backup)).findings, [], 'it is still whole');
  });

  it('takes an empty disk with what a file system puts there', async () => {
    const target = await tempDirectory();
    await mkdir(join(target, 'lost+found'));
    await backUp(target);
  });
});

describe('damage', () => {
  it('of a blob at the origin does not end a backup: it is told, and the blob counts as absent when restored', async () => {
    const image = [layer(), layer()];
    const { layers } = await pushImage(origin, 'admin/damaged', 'v1', image);
    const [rotten, lost] = layers as [Digest, Digest];
    await flipByte(blobPath(origin.dataDirectory, rotten));
    await rm(blobPath(origin.dataDirectory, lost));
    const backup = await newTarget();
    const { findings } = await backUp(backup);
    assert.deepEqual(new Map(findings.map(({ digest, problem }) => [digest, problem])).size, 2);
    assert.equal(findings.find(({ digest }) => digest === rotten)?.problem, 'damaged');
    assert.equal(findings.find(({ digest }) => digest === lost)?.problem, 'missing');

    const { data } = await restored(backup);
    const other = await startTestOrigin({ dataDirectory: data });
    for (const digest of layers)
      assert.equal((await pull(other, 'admin/damaged', `blobs/${digest}`)).status, 404);
    await pushImage(other, 'admin/damaged', 'v1', image);
    assert.deepEqual((await pull(other, 'admin/damaged', `blobs/${rotten}`)).bytes, image[0]);
    // For the tests after this one.
    await pushImage(origin, 'admin/damaged', 'v1', image);
    await writeFile(blobPath(origin.dataDirectory, rotten), image[0] as Buffer);
    await writeFile(blobPath(origin.dataDirectory, lost), image[1] as Buffer);
  });

  it('at the origin that came after a backup is healed by it, and no backup after it loses the sound bytes', async () => {
    const bytes = layer();
    const { layers } = await pushImage(origin, 'admin/healed', 'v1', [bytes]);
    const [digest] = layers as [Digest];
    const backup = await newTarget();
    await backUp(backup);
    await flipByte(blobPath(origin.dataDirectory, digest));
    // Read to its end, it is found to be damaged, and the origin takes it for absent.
    await pull(origin, 'admin/healed', `blobs/${digest}`).catch(() => {});
    assert.equal((await pull(origin, 'admin/healed', `blobs/${digest}`)).status, 404);
    assert.deepEqual((await backUp(backup)).findings, []);
    const { data } = await restored(backup);
    assert.equal(findImage(data, 'admin/healed', 'v1')?.blobs.length, 2);
    await writeFile(blobPath(origin.dataDirectory, digest), bytes);
  });

  it('in the backup is found when asked for, and the blob copied again', async () => {
    const { layers } = await pushImage(origin, 'admin/verified', 'v1', [layer()]);
    const backup = await newTarget();
    await backUp(backup);
    await flipByte(blobPath(backup, layers[0] as Digest));
    assert.equal((await backUp(backup)).copiedBlobs, 0);
    assert.equal((await backUp(backup, { verify: true })).copiedBlobs, 1);
    assert.deepEqual((await restored(backup)).findings, []);
  });

  it('of a database ends the backup, and the one before stays', async () => {
    const backup = await newTarget();
    await backUp(backup);
    const { data } = await restored(backup);
    const broken = await openDataToBackUp(data);
    const path = join(data, 'dtr.db');
    const bytes = await readFile(path);
    bytes.fill(0xff, bytes.length >> 1);
    await writeFile(path, bytes);
    await assert.rejects(broken.backUp(backup), /^BackupRefused: the database \S+ is damaged \(.+\)$/);
    assert.deepEqual((await restored(backup)).findings, []);
  });
});
