/** Whatever happens to a cache, and whatever lies between it and its clients: a pull works. With a real origin and a real cache. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { parseNetwork } from '../../src/shared/cidr.ts';
import { startTestCache } from '../setup/cache.ts';
import { type FailProxy, type Fault, startFailProxy } from '../setup/fail-proxy.ts';
import { pushImage, startTestOrigin } from '../setup/origin.ts';
import { PullFailed, pullBlobs, type SimulatedClient } from '../setup/simulated-client.ts';

const mebibyte = 1024 * 1024;
const faults: Fault[] = [
  { kind: 'refuses' },
  { kind: 'drops' },
  { kind: 'resets' },
  { kind: 'is silent' },
  { kind: 'answers', status: 500 },
  { kind: 'answers', status: 503 },
  { kind: 'stalls', afterBytes: 2 * mebibyte },
  { kind: 'cuts', afterBytes: 2 * mebibyte },
];
const describeFault = (fault: Fault) => Object.values(fault).join(' ');

let skewMs = 0;
const clock = () => Date.now() + skewMs;
const loopback = parseNetwork('127.0.0.0/8');
const origin = await startTestOrigin({ clock, trustedProxies: loopback === undefined ? [] : [loopback] });
const cache = await startTestCache({ origin: origin.url });
// Larger than what sockets hold, so that a cache that was cut off knows.
const layers = [1, 12 * mebibyte, 10 * mebibyte].map((size) => randomBytes(size));
const password = 'jane-password';
let image: Awaited<ReturnType<typeof pushImage>>;

before(async () => {
  await origin.api('POST', '/accounts', { name: 'jane', password });
  image = await pushImage(origin, 'jane/app', '1', layers);
});

let cases = 0;

/** A client at an address of its own, whose cache is new to the origin and fails. */
async function failing(
  proxy: FailProxy,
  fault: Fault,
  whom: 'everybody' | 'blobs',
  kind: Pick<SimulatedClient, 'retries' | 'resumes'>,
): Promise<SimulatedClient> {
  cases += 1;
  const created = await origin.api('POST', '/content_caches', { name: `cache ${cases}`, host: proxy.url });
  const { id } = (await created.json()) as { id: string };
  await origin.api('PATCH', '/accounts/jane/settings', { contentCacheUUID: id });
  await proxy.fail(fault, whom);
  return {
    origin,
    repository: 'jane/app',
    user: 'jane',
    password,
    address: `192.0.2.${cases}`,
    userAgent: 'simulated/1.0',
    stallMs: 2_000,
    ...kind,
  };
}

async function assertPulls(client: SimulatedClient): Promise<void> {
  const pulled = await pullBlobs(client, image.layers);
  for (const [index, bytes] of pulled.entries()) assert.ok(bytes.equals(layers[index] as Buffer));
}

for (const whom of ['everybody', 'blobs'] as const) {
  const who = whom === 'everybody' ? 'everybody' : 'clients alone, and the origin finds it well';
  describe(`a cache that fails for ${who}`, async () => {
    const proxy = await startFailProxy(cache.url);
    for (const fault of faults) {
      if (whom === 'blobs' && (fault.kind === 'refuses' || fault.kind === 'drops')) continue;
      const what = describeFault(fault);

      it(`and ${what}: a client that asks the origin again gets its image in the same pull`, async () => {
        await assertPulls(await failing(proxy, fault, whom, { retries: 5, resumes: true }));
      });

      // What the origin finds out by itself is no matter of the client.
      if (whom === 'blobs') {
        it(`and ${what}: one that begins blobs anew does, too`, async () => {
          await assertPulls(await failing(proxy, fault, whom, { retries: 5, resumes: false }));
        });
      }

      it(`and ${what}: one that never asks again gets it in the next pull, and the ones after`, async () => {
        const client = await failing(proxy, fault, whom, { retries: 0, resumes: false });
        await pullBlobs(client, image.layers).catch((error) => assert.ok(error instanceof PullFailed));
        // A person is not quicker.
        skewMs += 1_500;
        await assertPulls(client);
        await assertPulls(client);
      });
    }
  });
}

it('a cache that works serves all of it', async () => {
  const proxy = await startFailProxy(cache.url);
  const client = await failing(proxy, { kind: 'none' }, 'everybody', { retries: 0, resumes: false });
  const answered = () =>
    origin.logs.filter(({ client: address, choice }) => address === client.address && choice !== undefined);
  await assertPulls(client);
  assert.deepEqual(
    answered().map(({ status }) => status),
    layers.map(() => 307),
  );
});
