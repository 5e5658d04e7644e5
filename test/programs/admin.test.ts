import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createAccount } from '../../src/origin/accounts/accounts.ts';
import { openDatabaseBeside } from '../../src/origin/database.ts';
import { listEvents } from '../../src/origin/events/events.ts';
import { basic, startTestOrigin } from '../setup/origin.ts';
import { eventually, runProgram } from '../setup/processes.ts';
import { imageManifest, putManifest, registryClient, uploadBlob } from '../setup/registry-client.ts';
import { type ServedOrigin, startServedOrigin } from '../setup/served-origin.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const directory = await tempDirectory();
const data = join(directory, 'data');
const origin = await startServedOrigin(directory);

const admin = (...args: string[]) => runProgram('dtr', ['admin', ...args]);

/** The manifest. */
async function push(to: ServedOrigin, tag: string): Promise<string> {
  const client = registryClient(`http://${to.host}`, `${to.user}:${to.password}`, ['repository:admin/app:*']);
  const bytes = Buffer.alloc(2048, tag);
  const digest = await uploadBlob(client, 'admin/app', bytes);
  const manifest = imageManifest([{ digest, size: bytes.length }]);
  await putManifest(client, 'admin/app', tag, manifest);
  return manifest.toString();
}

describe('dtr admin', () => {
  // Before its directory is removed.
  after(() => origin.stop());

  it('dtr admin rotate-key: the running origin publishes the new key, and what was signed before stays good', async () => {
    const published = async () => {
      const response = await fetch(`http://${origin.host}/.well-known/jwks.json`);
      return ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
    };
    const [before] = await published();
    const rotated = await admin('rotate-key', '--data', data);
    assert.equal(rotated.code, 0, rotated.errors.join('\n'));
    const id = /^the key (\S+) is published/.exec(rotated.output[0] ?? '')?.[1];
    await eventually('the new key to be published', async () => (await published()).length === 2, 20_000);
    assert.deepEqual(await published(), [id, before]);
  });

  describe('dtr admin backup and restore', () => {
    it('work beside a running origin, by hand and for scripts, and another origin goes on with what was restored', async () => {
      const manifest = await push(origin, 'v1');
      const backup = join(directory, 'backup');
      const first = await admin('backup', '--data', data, '--to', backup);
      assert.equal(first.code, 0, first.errors.join('\n'));
      assert.deepEqual(first.errors, []);
      assert.match(
        first.output.join('\n'),
        /^backed up as of \S+Z to \S+backup: 1 blobs \(2 KiB\), 1 of them new \(2 KiB\), 0 old ones removed$/,
      );
      const again = await admin('backup', '--data', data, '--to', backup, '--verify', '--json');
      const { takenAt, to, ...amounts } = JSON.parse(again.output.join('\n'));
      assert.equal(to, backup);
      assert.deepEqual(amounts, {
        blobs: 1,
        sizeBytes: 2048,
        removedBlobs: 0,
        copiedBlobs: 0,
        copiedBytes: 0,
        findings: [],
      });

      const elsewhere = await tempDirectory();
      const restored = await admin('restore', '--from', backup, '--data', join(elsewhere, 'data'));
      assert.deepEqual(restored, {
        code: 0,
        errors: [],
        output: [`restored as of ${takenAt} to ${join(elsewhere, 'data')}: 1 blobs (2 KiB)`],
      });
      const other = await startTestOrigin({ dataDirectory: join(elsewhere, 'data') });
      assert.equal(await (await other.registry('GET', '/v2/admin/app/manifests/v1')).text(), manifest);
      assert.equal(other.adminPassword, origin.password);
    });

    it('say in one line what cannot be done, with exit code 1', async () => {
      const nowhere = await tempDirectory();
      const file = join(nowhere, 'file');
      await writeFile(file, '');
      const cases: [args: string[], line: RegExp][] = [
        [['backup', '--data', data, '--to', file], /^dtr: cannot back up to \S+file: ENOTDIR: /],
        [
          ['restore', '--from', nowhere, '--data', join(nowhere, 'data')],
          /^dtr: there is no backup in \S+: \S+ is missing$/,
        ],
      ];
      const results = await Promise.all(cases.map(([args]) => admin(...args)));
      for (const [index, [, line]] of cases.entries()) {
        assert.equal(results[index]?.code, 1);
        assert.equal(results[index]?.errors.length, 1);
        assert.match(results[index]?.errors[0] as string, line);
      }
    });
  });

  describe('dtr admin reset-password', () => {
    const url = `http://${origin.host}`;
    const basicOf = (password: string) => ({ Authorization: basic(`admin:${password}`) });
    const status = async (password: string) =>
      (await fetch(`${url}/auth/token?service=${origin.host}`, { headers: basicOf(password) })).status;
    const reset = (args: string[], input?: string) =>
      runProgram('dtr', ['admin', 'reset-password', '--data', data, ...args], input);

    it('counts at the next request, signs out what was signed in, and is in the trail', async () => {
      const login = await fetch(
        `${url}/auth/token?service=${origin.host}&offline_token=true&client_id=docker`,
        { headers: basicOf(origin.password) },
      );
      const { refresh_token } = (await login.json()) as { refresh_token: string };
      const { code, output, errors } = await reset([]);
      assert.deepEqual([code, errors], [0, []]);
      const password = /^the new password of admin: (\S{24})$/.exec(output.join('\n'))?.[1] as string;
      assert.equal(await status(password), 200);
      assert.equal(await status(origin.password), 401);
      const refreshed = await fetch(`${url}/auth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          service: origin.host,
          client_id: 'docker',
          refresh_token,
        }),
      });
      assert.equal(refreshed.status, 401);

      const database = await openDatabaseBeside(data);
      const events = await listEvents(
        database.queries,
        { type: 'CHANGE_PASSWORD' },
        { start: undefined, size: 10 },
      );
      await database.close();
      assert.deepEqual(
        events.records.map(({ actorName, door, object }) => [actorName, door, object.name]),
        [['', 'command', 'admin']],
      );
    });

    it('takes one from standard input; of a user who is not active, it changes nothing about that', async () => {
      const database = await openDatabaseBeside(data);
      await createAccount(database.queries, { name: 'gone', isActive: false, passwordHash: null }, 0);
      await database.close();
      const result = await reset(['--user', 'gone', '--password-stdin'], 'good enough\n');
      assert.deepEqual(result, {
        code: 0,
        output: ['gone has the new password'],
        errors: ['gone is not active: an admin has to activate the account before it can sign in'],
      });
    });

    it('says in one line whom it does not know, with exit code 1', async () => {
      const result = await reset(['--user', 'nobody']);
      assert.deepEqual(result, {
        code: 1,
        output: [],
        errors: ['dtr: --user nobody: there is no such user'],
      });
    });
  });
});
