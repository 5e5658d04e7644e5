/**
 * `kill -9` at random times in pushes, deletes and garbage collection (threats P1, G01, G11, G17). What was acknowledged is
 * readable afterwards, what was not is absent or complete, and the next start needs no repair.
 *
 * DTR_KILL_ROUNDS and DTR_KILL_SEED change the number of rounds and repeat a run.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { freePort } from '../setup/free-port.ts';
import { eventually } from '../setup/processes.ts';
import { randomNumbers } from '../setup/random-numbers.ts';
import {
  expectStatus,
  imageManifest,
  putManifest,
  type RegistryClient,
  registryClient,
  uploadBlob,
} from '../setup/registry-client.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const rounds = Number(process.env.DTR_KILL_ROUNDS ?? 200);
const seed = Number(process.env.DTR_KILL_SEED ?? 20261123);
const program = join(import.meta.dirname, '../../src/dtr.ts');
const repositories = ['admin/one', 'admin/two'];
const tags = ['a', 'b', 'c'];

/** Of one tag: what a pull may find. `undefined` is "no such tag". Several, while nobody knows how a request ended. */
type Possible = (Digest | undefined)[];

it(`of ${rounds} rounds with seed ${seed}, none loses what was acknowledged`, async (test) => {
  const random = randomNumbers(seed);
  const data = join(await tempDirectory(), 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const possible = new Map<string, Possible>();
  let acknowledged = 0;

  for (let round = 0; round < rounds; round += 1) {
    const origin = start(
      ...['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--external-url', url, '--no-tls'],
      // Collecting all the time, and without mercy: a running push may fail, an acknowledged one must not.
      ...['--gc-interval', '40ms', '--gc-grace', '0', '--gc-untagged', '1ms', '--log-level', 'error'],
    );
    await eventually('the origin starts without a repair', () => answers(url), 60_000);
    const client = await connect(url, data);
    for (const [image, digests] of possible) possible.set(image, [await pulled(client, image, digests)]);
    if (round % 50 === 0) test.diagnostic(`round ${round}: ${acknowledged} requests acknowledged`);

    const collector = random() < 0.3 ? start('gc', '--data', data, '--gc-grace', '0') : undefined;
    const stopping = new AbortController();
    const workers = [0, 1, 2].map(async (worker) => {
      const own = tags[worker] as string;
      while (!stopping.signal.aborted) {
        const image = `${repositories[Math.floor(random() * 2)]}:${own}`;
        if (await change(client, image, random, possible)) acknowledged += 1;
      }
    });
    await delay(20 + random() * 300);
    origin.kill('SIGKILL');
    collector?.kill('SIGKILL');
    stopping.abort();
    await Promise.all([...workers, exited(origin), collector === undefined ? undefined : exited(collector)]);
  }
  assert.ok(acknowledged > rounds, `${acknowledged} requests were acknowledged in all`);
});

/** One push or delete of the image. Notes beforehand what may be found if it is never answered. True when it was. */
async function change(
  client: RegistryClient,
  image: string,
  random: () => number,
  possible: Map<string, Possible>,
): Promise<boolean> {
  const [repository, tag] = image.split(':') as [string, string];
  const before = possible.get(image) ?? [undefined];
  try {
    if (random() < 0.25) {
      possible.set(image, [...before, undefined]);
      const response = await client.request('DELETE', `/v2/${repository}/manifests/${tag}`);
      await response.text();
      assert.ok([202, 404].includes(response.status), `delete: ${response.status}`);
      possible.set(image, [undefined]);
      return true;
    }
    const layers = [];
    for (let count = 0; count < 3; count += 1) {
      // A few contents only: the same blobs are pushed, removed and pushed again all the time.
      const bytes = Buffer.alloc(
        1 + Math.floor(random() * 8) * 20_000,
        `content ${Math.floor(random() * 12)} `,
      );
      layers.push({ digest: await uploadBlob(client, repository, bytes), size: bytes.byteLength });
    }
    const manifest = imageManifest(layers);
    const digest = digestOf(manifest);
    possible.set(image, [...before, digest]);
    await putManifest(client, repository, tag, manifest);
    possible.set(image, [digest]);
    return true;
  } catch {
    // The origin was killed, or had collected a layer before the manifest came.
    return false;
  }
}

/** What the tag points at, every blob of it read. @throws when that is not one of the possible digests */
async function pulled(client: RegistryClient, image: string, digests: Possible): Promise<Digest | undefined> {
  const [repository, tag] = image.split(':') as [string, string];
  const response = await client.request('GET', `/v2/${repository}/manifests/${tag}`);
  const text = await response.text();
  if (response.status === 404) {
    assert.ok(digests.includes(undefined), `${image} is lost: one of ${digests} was expected`);
    return undefined;
  }
  assert.equal(response.status, 200, text);
  const digest = digestOf(Buffer.from(text));
  assert.ok(digests.includes(digest), `${image} is ${digest}: one of ${digests} was expected`);
  const { config, layers } = JSON.parse(text);
  for (const blob of [config, ...layers]) {
    const bytes = await client.request('GET', `/v2/${repository}/blobs/${blob.digest}`);
    assert.equal(bytes.status, 200, `${image} lacks ${blob.digest}`);
    assert.equal(digestOf(Buffer.from(await bytes.arrayBuffer())), blob.digest);
  }
  return digest;
}

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await expectStatus(await fetch(`${url}/_ping`), 200)).ok;
  } catch {
    return false;
  }
}

async function connect(url: string, data: string): Promise<RegistryClient> {
  const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
  const scopes = repositories.map((repository) => `repository:${repository}:*`);
  return registryClient(url, `admin:${password}`, scopes);
}
