/**
 * Backups of an origin that is pushed to, deleted from and collected from all the while, by the documented commands
 * (threats G25, P21). What was acknowledged before a backup was begun is pulled, byte by byte, from another origin
 * on what is restored. A backup that is killed is none, or the one before.
 *
 * DTR_BACKUP_ROUNDS and DTR_BACKUP_SEED change the number of rounds and repeat a run.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { freePort } from '../setup/free-port.ts';
import { runProgram, startProgram } from '../setup/processes.ts';
import { randomNumbers } from '../setup/random-numbers.ts';
import {
  imageManifest,
  putManifest,
  type RegistryClient,
  registryClient,
  uploadBlob,
} from '../setup/registry-client.ts';
import { startServedOrigin } from '../setup/served-origin.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const rounds = Number(process.env.DTR_BACKUP_ROUNDS ?? 4);
const seed = Number(process.env.DTR_BACKUP_SEED ?? 20261125);
const program = join(import.meta.dirname, '../../src/dtr.ts');
const repository = 'admin/app';
const scope = `repository:${repository}:*`;

const random = randomNumbers(seed);
const directory = await tempDirectory();
const data = join(directory, 'data');
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const origin = await startProgram('dtr', [
  ...['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--external-url', url, '--no-tls'],
  // Collecting all the time, and without mercy: a running push may fail, an acknowledged one must not be lost.
  ...['--gc-interval', '300ms', '--gc-grace', '0', '--gc-untagged', '1ms'],
]);
const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
const client = registryClient(url, `admin:${password}`, [scope]);

/** Pushed once and never touched again: the digest of each, once it was acknowledged. */
const kept = new Map<string, Digest>();
/** Pushed, moved and deleted again and again: how often each was changed, and what it may be at the moment. */
const moving = new Map<string, (Digest | undefined)[]>(['a', 'b', 'c'].map((tag) => [tag, [undefined]]));

describe('backups', () => {
  // Before the files' directories are removed.
  after(() => origin.stop());

  it(`of ${rounds} backups under load, each has all that was acknowledged before`, async (test) => {
    const backup = join(directory, 'backup');
    let removed = 0;
    for (let round = 0; round < rounds; round += 1) {
      const stopping = new AbortController();
      const workers = [...moving.keys()].map((tag) => work(tag, round, stopping.signal));
      const collector = collectByHand(stopping.signal);
      const enough = kept.size + 10;
      await until(() => kept.size >= enough);
      const before = new Map(kept);
      // From here on, everything that a tag becomes is added to what it may be.
      const possible = new Map([...moving].map(([tag, digests]) => [tag, [...digests]]));
      watching.add(possible);
      const { code, output, errors } = await dtr('backup', '--data', data, '--to', backup, '--json');
      watching.delete(possible);
      stopping.abort();
      await Promise.all([...workers, collector]);
      assert.equal(code, 0, errors.join('\n'));
      const report = JSON.parse(output.join());
      removed += report.removedBlobs;
      test.diagnostic(
        `${before.size} images acknowledged before, ${kept.size - before.size} meanwhile; ${report.blobs} blobs, ${report.copiedBlobs} of them new, ${report.removedBlobs} old ones removed`,
      );
      await expectRestored(backup, before, possible);
    }
    assert.ok(removed > 0, 'blobs were deleted and collected between backups');
  });

  it('a backup that is killed is none, and the next one completes it', async (test) => {
    // Large enough to be caught in the middle.
    for (let count = 0; count < 25; count += 1) await push(`large-${count}`, 3_000_000);
    for (let round = 0; round < 3; round += 1) {
      const backup = join(await tempDirectory(), 'backup');
      const before = new Map(kept);
      const isCopying = () => globSync('blobs/sha256/*/*', { cwd: backup }).length > round * 10;
      await killBackup(backup, isCopying);
      assert.ok(!existsSync(join(backup, 'backup.json')), 'it was killed in the middle');
      const refused = await dtr('restore', '--from', backup, '--data', join(backup, 'data'));
      assert.deepEqual(
        [refused.code, refused.errors],
        [1, [`dtr: the backup in ${backup} was interrupted: run it again`]],
      );
      const completed = await dtr('backup', '--data', data, '--to', backup, '--json');
      const { blobs, copiedBlobs } = JSON.parse(completed.output.join());
      assert.ok(copiedBlobs < blobs, `${copiedBlobs} of ${blobs} blobs were copied again`);
      test.diagnostic(`killed after ${blobs - copiedBlobs} of ${blobs} blobs`);
      await expectRestored(backup, before);
      await rm(backup, { recursive: true });
    }
  });

  it('a backup that is killed leaves the one before as it was', async () => {
    const backup = join(await tempDirectory(), 'backup');
    await dtr('backup', '--data', data, '--to', backup);
    const before = new Map(kept);
    const description = await readFile(join(backup, 'backup.json'), 'utf8');
    const blobsBefore = globSync('blobs/sha256/*/*', { cwd: backup }).length;
    // The old ones go, and others come: neither may touch the backup before.
    for (const tag of [...kept.keys()].filter((name) => name.startsWith('large-'))) {
      await (await client.request('DELETE', `/v2/${repository}/manifests/${kept.get(tag)}`)).text();
      kept.delete(tag);
    }
    for (let count = 0; count < 25; count += 1) await push(`larger-${count}`, 3_000_000);
    await killBackup(backup, () => globSync('blobs/sha256/*/*', { cwd: backup }).length > blobsBefore + 5);
    assert.equal(await readFile(join(backup, 'backup.json'), 'utf8'), description, 'killed in the middle');
    await expectRestored(backup, before);
    const { code } = await dtr('backup', '--data', data, '--to', backup);
    assert.equal(code, 0);
    await expectRestored(backup, kept);
  });
});

/** The histories to which the changes of moving tags are added. */
const watching = new Set<Map<string, (Digest | undefined)[]>>();

/** What the tag may be: what it was, or what the request that begins now makes of it. */
function mayBecome(tag: string, digest: Digest | undefined): void {
  for (const history of [moving, ...watching]) history.get(tag)?.push(digest);
}

/** Pushes, moves and deletes until it is stopped; what fails was not acknowledged. */
async function work(tag: string, round: number, signal: AbortSignal): Promise<void> {
  for (let count = 0; !signal.aborted; count += 1) {
    try {
      const chance = random();
      if (chance < 0.4) await push(`kept-${tag}-${round}-${count}`, 1 + random() * 60_000);
      else if (chance < 0.6) {
        mayBecome(tag, undefined);
        await (await client.request('DELETE', `/v2/${repository}/manifests/${tag}`)).text();
        moving.set(tag, [undefined]);
      } else {
        const { manifest, digest } = await uploadImage(1 + random() * 60_000);
        mayBecome(tag, digest);
        await putManifest(client, repository, tag, manifest);
        moving.set(tag, [digest]);
      }
    } catch {
      // A layer was collected before its manifest came.
    }
  }
}

async function push(tag: string, sizeBytes: number): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      const { manifest, digest } = await uploadImage(sizeBytes);
      await putManifest(client, repository, tag, manifest);
      kept.set(tag, digest);
      return;
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

async function uploadImage(sizeBytes: number): Promise<{ manifest: Buffer; digest: Digest }> {
  const layers = [];
  // A few contents only at small sizes: blobs that are removed come back, and are shared.
  for (const content of [random() * 1e9, random() * 12]) {
    const size = content < 12 ? 5000 : Math.ceil(sizeBytes);
    const bytes = Buffer.alloc(size, `content ${Math.floor(content)} `);
    layers.push({ digest: await uploadBlob(client, repository, bytes), size });
  }
  const manifest = imageManifest(layers);
  return { manifest, digest: digestOf(manifest) };
}

/** `dtr gc`, again and again, beside the collections of the origin. */
async function collectByHand(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await runProgram('dtr', ['gc', '--data', data, '--gc-grace', '0']);
    await delay(200);
  }
}

function dtr(...args: string[]) {
  return runProgram('dtr', ['admin', ...args]);
}

async function killBackup(backup: string, isCopying: () => boolean): Promise<void> {
  const child: ChildProcess = spawn(
    process.execPath,
    [program, 'admin', 'backup', '--data', data, '--to', backup],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  await Promise.race([ended, until(isCopying)]);
  child.kill('SIGKILL');
  await ended;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(1);
}

/** Restores it to a new directory, and pulls from an origin on that. */
async function expectRestored(
  backup: string,
  images: ReadonlyMap<string, Digest>,
  possible: ReadonlyMap<string, (Digest | undefined)[]> = new Map(),
): Promise<void> {
  const elsewhere = await tempDirectory();
  const { code, errors } = await dtr('restore', '--from', backup, '--data', join(elsewhere, 'data'));
  assert.equal(code, 0, errors.join('\n'));
  const restored = await startServedOrigin(elsewhere);
  try {
    const other = registryClient(`http://${restored.host}`, `admin:${password}`, [scope]);
    for (const [tag, digest] of images) assert.equal(await pulled(other, tag), digest, `${tag} is another`);
    for (const [tag, digests] of possible) {
      const found = await pulled(other, tag);
      assert.ok(digests.includes(found), `${tag} is ${found}: one of ${digests} was expected`);
    }
  } finally {
    await restored.stop();
    await rm(elsewhere, { recursive: true });
  }
}

/** What the tag points at, every byte of it read. */
async function pulled(from: RegistryClient, tag: string): Promise<Digest | undefined> {
  const response = await from.request('GET', `/v2/${repository}/manifests/${tag}`);
  const text = await response.text();
  if (response.status === 404) return undefined;
  assert.equal(response.status, 200, text);
  const { config, layers } = JSON.parse(text);
  for (const blob of [config, ...layers]) {
    const bytes = await from.request('GET', `/v2/${repository}/blobs/${blob.digest}`);
    assert.equal(bytes.status, 200, `${tag} lacks ${blob.digest}`);
    assert.equal(digestOf(Buffer.from(await bytes.arrayBuffer())), blob.digest);
  }
  return digestOf(Buffer.from(text));
}
