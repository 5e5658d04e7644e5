/**
 * Real clients whose content cache fails: who asks the origin again by itself has its image in one pull, everybody in the next.
 * The caches are unknown to the origin each time, and where that can be, it finds them well.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startTestCache } from '../setup/cache.ts';
import { type Fault, startFailProxy } from '../setup/fail-proxy.ts';
import { type OciImage, writeOciImage } from '../setup/oci-layout.ts';
import { startTestOrigin } from '../setup/origin.ts';
import { missing } from '../setup/processes.ts';
import {
  type ClientKind,
  clientKinds,
  containerd2,
  type RegistryClient,
  startClient,
} from '../setup/registry-clients.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const mebibyte = 1024 * 1024;
const faults = {
  refuses: { kind: 'refuses' },
  'drops packets': { kind: 'drops' },
  resets: { kind: 'resets' },
  'answers 500': { kind: 'answers', status: 500 },
  'answers 503': { kind: 'answers', status: 503 },
  stalls: { kind: 'stalls', afterBytes: 2 * mebibyte, forMs: 5_000 },
  cuts: { kind: 'cuts', afterBytes: 2 * mebibyte },
} as const satisfies Record<string, Fault>;
type FaultName = keyof typeof faults;
const everyFault = Object.keys(faults) as FaultName[];

/**
 * Which clients are tried with which faults: those that heal in one pull, by whatever they do themselves, and the rest.
 * `inEither`: the client itself does the one or the other, as it happens.
 */
const table: {
  client: string;
  inOnePull: FaultName[];
  inTheNext: FaultName[];
  inEither?: FaultName[];
}[] = [
  { client: 'docker', inOnePull: everyFault, inTheNext: [] },
  {
    client: 'podman',
    inOnePull: ['refuses', 'drops packets', 'resets'],
    inTheNext: ['answers 500', 'answers 503', 'stalls', 'cuts'],
  },
  { client: 'skopeo', inOnePull: [], inTheNext: everyFault },
  {
    client: 'containerd',
    inOnePull: ['stalls', 'cuts'],
    inTheNext: ['refuses', 'drops packets', 'resets', 'answers 500', 'answers 503'],
  },
  {
    client: 'containerd 2',
    inOnePull: ['answers 500', 'answers 503', 'stalls', 'cuts'],
    inTheNext: ['refuses', 'resets'],
    // It asks again after a timeout, but not after the end of a context. Where Go gives up connecting both come at the same
    // moment, and which of them Go names is a race of its own.
    inEither: ['drops packets'],
  },
  {
    client: 'regctl',
    inOnePull: everyFault.filter((fault) => fault !== 'answers 503'),
    inTheNext: ['answers 503'],
  },
  // Where packets are dropped it works as well, after a minute and a half.
  { client: 'crane', inOnePull: [], inTheNext: everyFault.filter((fault) => fault !== 'drops packets') },
];

const directory = await tempDirectory();
const origin = await startTestOrigin();
const host = new URL(origin.url).host;
const cache = await startTestCache({ origin: origin.url });
const proxy = await startFailProxy(cache.url);
const registry = { host, user: 'admin', password: origin.adminPassword };
const reference = `${host}/admin/app:1`;
// Larger than what sockets hold; random, since layers are compressed.
const layers = [14_000_000, 12_000_000, 10].map((size) => randomBytes(size).toString('base64'));

const kindOf = (name: string) =>
  [...clientKinds, containerd2].find((kind) => kind.name === name) as ClientKind;
let image: OciImage;
let cases = 0;

before(async () => {
  if (missing('skopeo') !== false) return;
  image = await writeOciImage(join(directory, 'image'), { layers });
  const client = await startClient(kindOf('skopeo'), registry, join(directory, 'seed'));
  await client.push(image, reference, '');
});

/** A cache of which the origin has heard nothing yet, chosen by the user, which fails. */
async function fail(fault: Fault): Promise<void> {
  cases += 1;
  const created = await origin.api('POST', '/content_caches', { name: `cache ${cases}`, host: proxy.url });
  const { id } = (await created.json()) as { id: string };
  await origin.api('PATCH', '/accounts/admin/settings', { contentCacheUUID: id });
  await proxy.fail(fault, 'blobs');
}

for (const { client: name, inOnePull, inTheNext, inEither = [] } of table) {
  const kind = kindOf(name);
  describe(name, { skip: missing('skopeo', ...kind.commands) }, () => {
    let client: RegistryClient;
    before(async () => {
      client = await startClient(kind, registry, directory);
    });
    after(() => client?.stop?.());

    it('has its image from the cache alone when that works', async () => {
      await fail({ kind: 'none' });
      const before = origin.logs.length;
      await pull();
      const answers = origin.logs.slice(before).filter(({ choice }) => choice !== undefined);
      assert.ok(answers.length > layers.length);
      assert.ok(answers.every(({ status }) => status === 307));
    });

    const assertWhole = (pulled: string) =>
      assert.ok([image.digest, image.configDigest].includes(pulled), pulled);
    const pull = async () => assertWhole(await client.pull(reference));

    for (const fault of inOnePull) {
      it(`has its image in one pull when the cache ${fault}`, async () => {
        await fail(faults[fault]);
        await pull();
      });
    }

    for (const fault of inTheNext) {
      it(`has its image in the next pull when the cache ${fault}`, async () => {
        await fail(faults[fault]);
        await assert.rejects(client.pull(reference));
        // A person is not quicker.
        await delay(1_000);
        await pull();
      });
    }

    for (const fault of inEither) {
      it(`has its image in this or the next pull when the cache ${fault}`, async () => {
        await fail(faults[fault]);
        const pulled = await client.pull(reference).catch(() => undefined);
        if (pulled !== undefined) return assertWhole(pulled);
        await delay(1_000);
        await pull();
      });
    }
  });
}
