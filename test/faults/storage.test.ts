/** Storage that refuses: a full disk, limits of descriptors and file sizes, read-only directories (threats P14, G07, G08). */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { freePort } from '../setup/free-port.ts';
import { eventually, missing, stop } from '../setup/processes.ts';
import {
  expectStatus,
  imageManifest,
  putManifest,
  type RegistryClient,
  registryClient,
  uploadBlob,
} from '../setup/registry-client.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '../../src/dtr.ts');
const repository = 'admin/app';
/** Mounting needs root. With CI=true that is a failure, not a reason to skip. */
const notRoot =
  process.getuid?.() === 0 || process.env.CI === 'true'
    ? false
    : 'NOT TESTED: only root can mount a small disk';

/** Runs `work` with an origin on the data; `limits` are arguments of prlimit. */
async function withOrigin(
  data: string,
  limits: readonly string[],
  work: (client: RegistryClient, child: ChildProcess) => Promise<void>,
): Promise<void> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const args = ['serve', '--data', data, '--listen', new URL(url).host, '--external-url', url, '--no-tls'];
  const child = spawn('prlimit', [...limits, process.execPath, program, ...args, '--log-level', 'error'], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  try {
    await eventually('the origin answers', () => fetch(`${url}/_ping`).then(Boolean, () => false), 60_000);
    const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
    await work(registryClient(url, `admin:${password}`, [`repository:${repository}:*`]), child);
  } finally {
    await stop(child);
  }
}

/** Runs `work` with an origin whose data is on a disk of its own, of so many mebibytes. */
async function withSmallDisk(
  mebibytes: number,
  work: (client: RegistryClient, disk: string) => Promise<void>,
): Promise<void> {
  const disk = join(await tempDirectory(), 'disk');
  await mkdir(disk);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', disk]);
  try {
    await withOrigin(disk, [], (client) => work(client, disk));
  } finally {
    await run('umount', ['--lazy', disk]);
  }
}

/** A refusal as clients understand it: 503, the spec's error body, and when to try again. */
async function assertUnavailable(response: Response): Promise<void> {
  const text = await response.text();
  assert.equal(response.status, 503, text);
  assert.equal(JSON.parse(text).errors[0].code, 'UNAVAILABLE');
  assert.ok(Number(response.headers.get('retry-after')) > 0);
}

async function pushOne(client: RegistryClient, tag: string, bytes: Uint8Array): Promise<Digest> {
  const digest = await uploadBlob(client, repository, bytes);
  await putManifest(client, repository, tag, imageManifest([{ digest, size: bytes.byteLength }]));
  return digest;
}

async function assertReadable(client: RegistryClient, tag: string, bytes: Uint8Array): Promise<void> {
  await expectStatus(await client.request('GET', `/v2/${repository}/manifests/${tag}`), 200);
  const blob = await client.request('GET', `/v2/${repository}/blobs/${digestOf(bytes)}`);
  assert.deepEqual(Buffer.from(await blob.arrayBuffer()), Buffer.from(bytes));
}

async function assertNoEmptyFile(data: string): Promise<void> {
  for (const entry of await readdir(join(data, 'blobs'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    assert.ok((await stat(join(entry.parentPath, entry.name))).size > 0, `${entry.name} is empty`);
  }
}

it(
  'a full disk refuses pushes and manifests, goes on serving, and heals when there is room',
  {
    skip: notRoot,
  },
  () =>
    withSmallDisk(24, async (client, disk) => {
      const old = randomBytes(500_000);
      await pushOne(client, 'old', old);
      // What is left of the disk is taken by somebody else, but for less than the layer needs.
      const filler = join(disk, 'filler');
      const { stdout } = await run('df', ['--output=avail', '-B1', disk]);
      const available = Number(stdout.trim().split('\n')[1]);
      await writeFile(filler, Buffer.alloc(available - 300_000));

      const layer = randomBytes(2_000_000);
      const begun = await client.request('POST', `/v2/${repository}/blobs/uploads/`);
      const session = begun.headers.get('location') as string;
      await assertUnavailable(await client.request('PATCH', session, { body: layer }));
      await assertReadable(client, 'old', old);

      // Now nothing is left at all: not even the database can grow.
      await writeFile(join(disk, 'rest'), Buffer.alloc(400_000)).catch(() => {});
      const manifest = imageManifest([{ digest: digestOf(old), size: old.byteLength }]);
      let refused = false;
      for (let count = 0; count < 200 && !refused; count += 1) {
        const tag = `tag-${count}`;
        const put = await client.request('PUT', `/v2/${repository}/manifests/${tag}`, {
          body: new Uint8Array(manifest),
          headers: { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' },
        });
        refused = put.status !== 201;
        if (refused) await assertUnavailable(put);
        else await put.text();
      }
      assert.ok(refused, 'a manifest was refused');
      await assertReadable(client, 'old', old);
      await assertNoEmptyFile(disk);

      await rm(filler);
      await rm(join(disk, 'rest'));
      await pushOne(client, 'new', layer);
      await assertReadable(client, 'new', layer);
    }),
);

it(
  'at the limit of open files it refuses or waits, and recovers with no file left open',
  {
    skip: missing('prlimit'),
  },
  async () =>
    withOrigin(join(await tempDirectory(), 'data'), ['--nofile=80'], async (client, child) => {
      const bytes = randomBytes(300_000);
      await pushOne(client, 'latest', bytes);
      const openFiles = async () => (await readdir(`/proc/${child.pid}/fd`)).length;
      const before = await openFiles();
      const { hostname, port } = new URL(client.url);
      // More connections than descriptors: some are accepted and idle, the others wait or are dropped.
      const sockets = Array.from({ length: 120 }, () =>
        connect(Number(port), hostname).on('error', () => {}),
      );
      await new Promise((resolve) => setTimeout(resolve, 300));
      const attempts = Array.from({ length: 20 }, () =>
        client
          .request('GET', `/v2/${repository}/blobs/${digestOf(bytes)}`, {
            signal: AbortSignal.timeout(3_000),
          })
          .then(async (response) => ({ status: response.status, body: await response.arrayBuffer() }))
          .catch(() => undefined),
      );
      for (const answer of await Promise.all(attempts)) {
        if (answer === undefined) continue;
        assert.ok([200, 503].includes(answer.status), `status ${answer.status}`);
        if (answer.status === 200) assert.equal(answer.body.byteLength, bytes.byteLength);
      }
      for (const socket of sockets) socket.destroy();
      await eventually('it serves again', async () => {
        const response = await client
          .request('GET', `/v2/${repository}/blobs/${digestOf(bytes)}`)
          .catch(() => undefined);
        return response !== undefined && (await response.arrayBuffer()).byteLength === bytes.byteLength;
      });
      await pushOne(client, 'again', randomBytes(100_000));
      // Its own clients keep a few connections open.
      await eventually('no file is left open', async () => (await openFiles()) <= before + 8, 20_000);
    }),
);

it('a limit of file sizes refuses a larger blob and nothing else', { skip: missing('prlimit') }, async () =>
  withOrigin(join(await tempDirectory(), 'data'), ['--fsize=1000000'], async (client) => {
    const begun = await client.request('POST', `/v2/${repository}/blobs/uploads/`);
    const session = begun.headers.get('location') as string;
    await assertUnavailable(await client.request('PATCH', session, { body: randomBytes(1_500_000) }));
    const bytes = randomBytes(200_000);
    await pushOne(client, 'latest', bytes);
    await assertReadable(client, 'latest', bytes);
  }),
);

it('a directory that became read-only refuses pushes, and heals', { skip: notRoot }, () =>
  withSmallDisk(24, async (client, disk) => {
    const sessions = join(disk, 'sessions');
    const bytes = randomBytes(100_000);
    await pushOne(client, 'latest', bytes);
    await run('mount', ['--bind', sessions, sessions]);
    await run('mount', ['-o', 'remount,bind,ro', sessions]);
    try {
      await assertUnavailable(await client.request('POST', `/v2/${repository}/blobs/uploads/`));
      await assertReadable(client, 'latest', bytes);
    } finally {
      await run('umount', ['--lazy', sessions]);
    }
    await pushOne(client, 'healed', randomBytes(1000));
  }),
);

it('an upload that a full disk interrupted goes on from where it stood', { skip: notRoot }, () =>
  withSmallDisk(24, async (client, disk) => {
    const filler = join(disk, 'filler');
    await writeFile(filler, Buffer.alloc(20 * 1024 * 1024));
    const bytes = randomBytes(6_000_000);
    const begun = await client.request('POST', `/v2/${repository}/blobs/uploads/`);
    const session = begun.headers.get('location') as string;
    await assertUnavailable(await client.request('PATCH', session, { body: bytes }));
    await truncate(filler, 0);
    const status = await expectStatus(await client.request('GET', session), 204);
    const received = Number(/^0-(\d+)$/.exec(status.headers.get('range') as string)?.[1]) + 1;
    assert.ok(received <= bytes.byteLength);
    const rest = bytes.subarray(received === 1 ? 0 : received);
    await expectStatus(await client.request('PATCH', session, { body: rest }), 202);
    await expectStatus(await client.request('PUT', `${session}?digest=${digestOf(bytes)}`), 201);
  }),
);
