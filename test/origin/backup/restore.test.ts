import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import { openDatabase } from '../../../src/origin/database.ts';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';
import { blobPath, flipByte, openDataToBackUp, restoreTo } from './setup.ts';

const origin = await startTestOrigin();
const { backUp } = await openDataToBackUp(origin.dataDirectory);
const layer = Buffer.alloc(100_000, 'layer');
const digest = digestOf(layer);
await pushImage(origin, 'admin/app', 'v1', [layer]);
const whole = join(await tempDirectory(), 'whole');
const { blobs } = await backUp(whole);

const newDirectory = async () => join(await tempDirectory(), 'data');
const copyOfBackup = async () => {
  const backup = join(await tempDirectory(), 'backup');
  await cp(whole, backup, { recursive: true });
  const { directory } = JSON.parse(await readFile(join(backup, 'backup.json'), 'utf8'));
  return { backup, database: join(backup, directory, 'dtr.db') };
};
const describeAnew = async (backup: string, change: (description: Record<string, unknown>) => unknown) => {
  const path = join(backup, 'backup.json');
  const description = JSON.parse(await readFile(path, 'utf8'));
  change(description);
  await writeFile(path, JSON.stringify(description));
};

describe('a backup is refused, and nothing is written, when', () => {
  const cases: [
    what: string,
    damage: (backup: string, database: string) => Promise<void>,
    message: RegExp,
  ][] = [
    [
      'there is none',
      (backup) => rm(join(backup, 'backup.json')),
      /^there is no backup in \S+: \S+backup\.json is missing$/,
    ],
    [
      'its description cannot be read',
      (backup) => truncate(join(backup, 'backup.json'), 100),
      /^cannot read \S+backup\.json: /,
    ],
    [
      'its description is not complete',
      (backup) => describeAnew(backup, (description) => delete description.files),
      /^\S+backup\.json is damaged: files: /,
    ],
    [
      'its description leads elsewhere',
      (backup) =>
        describeAnew(backup, (description) => {
          description.files = [{ name: '../../etc/passwd', sizeBytes: 1, sha256: '0'.repeat(64) }];
        }),
      /^\S+backup\.json is damaged: files\.0\.name: /,
    ],
    [
      'a newer version of the program wrote it',
      (backup) =>
        describeAnew(backup, (description) => {
          description.format = 2;
        }),
      /^the backup in \S+ was written by a newer version of this program$/,
    ],
    ['its database is gone', (_, database) => rm(database), /^the backup is damaged: \S+dtr\.db is missing$/],
    [
      'its database was changed',
      (_, database) => flipByte(database),
      /^the backup is damaged: \S+dtr\.db is not as it was written$/,
    ],
    [
      'a blob is missing',
      (backup) => rm(blobPath(backup, digest)),
      /: 1 blobs are missing or cut short, such as sha256:/,
    ],
    [
      'a blob is cut short',
      (backup) => truncate(blobPath(backup, digest), 99_999),
      /: 1 blobs are missing or cut short, such as sha256:/,
    ],
  ];
  for (const [what, damage, message] of cases) {
    it(what, async () => {
      const { backup, database } = await copyOfBackup();
      await damage(backup, database);
      const data = await newDirectory();
      await assert.rejects(restoreTo(data, backup), { name: 'BackupRefused', message });
      await assert.rejects(stat(data), { code: 'ENOENT' });
    });
  }

  it('a newer version of the program wrote its database', async () => {
    const { backup, database } = await copyOfBackup();
    const copy = new BetterSqlite3(database);
    copy.exec("INSERT INTO knex_migrations (name) VALUES ('29991231235959-flying-cars.ts')");
    copy.close();
    const bytes = await readFile(database);
    const summary = { sizeBytes: bytes.length, sha256: digestOf(bytes).slice('sha256:'.length) };
    await describeAnew(backup, ({ files }) => Object.assign((files as object[])[0] as object, summary));
    await assert.rejects(restoreTo(await newDirectory(), backup), /database was written by a newer version/);
  });
});

describe('what is in the directory', () => {
  it('stays: a restore is refused, even of something else than data', async () => {
    const data = await tempDirectory();
    await writeFile(join(data, 'thesis.txt'), 'of years');
    await assert.rejects(
      restoreTo(data, whole),
      /^BackupRefused: \S+ is not empty: restore into another directory, or add --replace/,
    );
    assert.deepEqual(await readdir(data), ['thesis.txt']);
  });

  it('is kept aside when asked for, also behind a symbolic link', async () => {
    const place = await tempDirectory();
    const [real, link] = [join(place, 'real'), join(place, 'link')];
    await mkdir(real);
    await writeFile(join(real, 'thesis.txt'), 'of years');
    await symlink(real, link);
    const { keptAside } = await restoreTo(link, whole, { replace: true });
    assert.match(keptAside as string, /real\.before-\d{4}-/);
    assert.equal(await readFile(join(keptAside as string, 'thesis.txt'), 'utf8'), 'of years');
    assert.ok((await readdir(real)).includes('dtr.db'));
  });

  it('is left alone while an origin runs on it', async () => {
    await assert.rejects(
      restoreTo(origin.dataDirectory, whole, { replace: true }),
      /the data in \S+ is in use by another origin/,
    );
    assert.equal((await origin.registry('GET', '/v2/admin/app/manifests/v1')).status, 200);
  });

  it('is left alone when the backup is damaged, and when it is the backup itself', async () => {
    const { backup, database } = await copyOfBackup();
    await rm(database);
    const data = await tempDirectory();
    await writeFile(join(data, 'thesis.txt'), 'of years');
    await assert.rejects(restoreTo(data, backup, { replace: true }), /the backup is damaged/);
    await assert.rejects(restoreTo(join(whole, '..'), whole, { replace: true }), /is inside of/);
    await assert.rejects(restoreTo(whole, whole, { replace: true }), /is inside of/);
    assert.deepEqual(await readdir(data), ['thesis.txt']);
  });
});

describe('a restore', () => {
  it('that is interrupted leaves what no origin starts on, and is completed by the next', async () => {
    const data = await newDirectory();
    await assert.rejects(
      restoreTo(data, whole, { progress: () => assert.fail('interrupted') }),
      /interrupted/,
    );
    await assert.rejects(openDatabase(data), /is missing although there are blobs beside it/);
    // What SQLite left of a write that a kill ended: it must not get into the database.
    await writeFile(join(data, 'restore.db-journal'), 'left behind');
    const { blobs: restored } = await restoreTo(data, whole);
    assert.equal(restored, blobs);
    await (await openDatabase(data)).close();
    const names = await readdir(data);
    assert.deepEqual(
      names.filter((name) => name.startsWith('restore')),
      [],
    );
  });

  it('is not ended by a blob that rotted in the backup: it is told, and counts as absent', async () => {
    const { backup } = await copyOfBackup();
    await flipByte(blobPath(backup, digest));
    const data = await newDirectory();
    const { findings } = await restoreTo(data, backup);
    assert.deepEqual(findings, [{ digest, problem: 'damaged' }]);
    await assert.rejects(stat(blobPath(data, digest)), { code: 'ENOENT' });
    const database = new BetterSqlite3(join(data, 'dtr.db'), { readonly: true });
    const damaged = database.prepare('SELECT digest FROM blobs WHERE damaged_at IS NOT NULL').pluck().all();
    database.close();
    assert.deepEqual(damaged, [digest]);
  });
});
