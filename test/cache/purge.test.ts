import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { beforeEach, describe, it } from 'node:test';
import type { Entries } from '../../src/cache/entries.ts';
import type { Fills } from '../../src/cache/fills.ts';
import { CacheMetrics } from '../../src/cache/metrics.ts';
import { Purge } from '../../src/cache/purge.ts';
import { DirectoryBlobStore } from '../../src/shared/blob-store/directory.ts';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { startTestCache } from '../setup/cache.ts';
import { commanderOf } from '../setup/cache-commands.ts';
import { answerWell, startFakeOrigin } from '../setup/fake-origin.ts';
import { eventually } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const oneMiB = 1024 * 1024;
const origin = await startFakeOrigin();
const cache = await startTestCache({ origin: origin.url, cas: [origin.ca] });
const ask = commanderOf(cache.url, origin);

beforeEach(async () => {
  origin.answer = answerWell;
  await ask.purge({ everything: true });
  origin.blobRequests.length = 0;
});

async function pull(digest: Digest): Promise<Buffer> {
  const response = await fetch(cache.url + origin.signedPath(digest));
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}

/** A client that has the head of the answer and reads the body when it is told to. */
async function begin(digest: Digest): Promise<{ rest: () => Promise<Buffer> }> {
  const request = get(cache.url + origin.signedPath(digest), { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return {
    rest: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      assert.ok(response.complete);
      return Buffer.concat(chunks);
    },
  };
}

async function files(): Promise<string[]> {
  const entries = await readdir(cache.rootDirectory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /blobs|sessions/.test(entry.parentPath))
    .map(({ name }) => name);
}

/** An origin that sends half of a blob, and the rest when it is told to. */
function answerHalf(): { open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  origin.answer = async (request, response, bytes) => {
    if (request.headers.range !== undefined) return answerWell(request, response, bytes);
    response.writeHead(200, { 'Content-Length': bytes.byteLength });
    response.write(bytes.subarray(0, bytes.byteLength / 2));
    await promise;
    response.end(bytes.subarray(bytes.byteLength / 2));
  };
  return { open: resolve };
}

describe('a purge of blobs', () => {
  it('removes them and says how much that was; who pulls next has them fetched anew', async () => {
    const [gone, small, kept] = [randomBytes(oneMiB), randomBytes(100), randomBytes(200)].map(origin.add) as [
      Digest,
      Digest,
      Digest,
    ];
    for (const digest of [gone, small, kept]) await pull(digest);
    await eventually('all are indexed', async () => (await ask.status()).stored.blobs === 3);
    const absent = digestOf(Buffer.from('never stored'));
    const answer = await ask.purge({ digests: [gone, small, absent] });
    assert.deepEqual(answer, { blobs: 2, bytes: oneMiB + 100, more: false });
    assert.deepEqual(await files(), [kept.slice('sha256:'.length)]);
    assert.deepEqual((await ask.status()).stored, { blobs: 1, bytes: 200 });
    assert.deepEqual(await ask.purge({ digests: [gone, small, absent] }), {
      blobs: 0,
      bytes: 0,
      more: false,
    });
    origin.blobRequests.length = 0;
    for (const digest of [gone, small, kept]) await pull(digest);
    assert.equal(origin.blobRequests.length, 2);
  });

  it('lets slow readers read to the end', async () => {
    const bytes = randomBytes(32 * oneMiB);
    const digest = origin.add(bytes);
    await pull(digest);
    const readers = await Promise.all([begin(digest), begin(digest), begin(digest)]);
    assert.deepEqual(await ask.purge({ digests: [digest] }), {
      blobs: 1,
      bytes: bytes.byteLength,
      more: false,
    });
    assert.deepEqual(await files(), []);
    for (const reader of readers) assert.ok((await reader.rest()).equals(bytes));
  });

  it('lets those have it to the end who wait for a fill, which is then not stored', async () => {
    const bytes = randomBytes(4 * oneMiB);
    const digest = origin.add(bytes);
    const { open } = answerHalf();
    const readers = [await begin(digest), await begin(digest)];
    assert.deepEqual(await ask.purge({ digests: [digest] }), { blobs: 0, bytes: 0, more: false });
    const late = await begin(digest);
    open();
    for (const reader of [...readers, late]) assert.ok((await reader.rest()).equals(bytes));
    await eventually('nothing is left', async () => (await files()).length === 0);
    assert.equal(origin.blobRequests.length, 1);
    assert.deepEqual((await ask.status()).stored, { blobs: 0, bytes: 0 });
  });

  it('of one being filled lets who comes after its end have it fetched anew, though others still read', async () => {
    const bytes = randomBytes(32 * oneMiB);
    const digest = origin.add(bytes);
    const { open } = answerHalf();
    const slow = await begin(digest);
    await ask.purge({ digests: [digest] });
    open();
    await eventually('it is fetched', async () => {
      const { length } = await files();
      return length === 0;
    });
    assert.ok((await pull(digest)).equals(bytes));
    assert.equal(origin.blobRequests.length, 2);
    assert.ok((await slow.rest()).equals(bytes));
    await eventually('the second is stored', async () => (await files()).length === 1);
  });

  it('removes what a fill left that broke off', async () => {
    const bytes = randomBytes(2 * oneMiB);
    const digest = origin.add(bytes);
    origin.answer = (request, response) => {
      if (request.headers.range !== undefined) {
        response.writeHead(403).end();
        return;
      }
      response.writeHead(200, { 'Content-Length': bytes.byteLength });
      response.write(bytes.subarray(0, oneMiB), () => response.destroy());
    };
    await assert.rejects(pull(digest));
    await eventually('a part is kept', async () => (await files()).some((name) => name.startsWith('fill-')));
    await ask.purge({ digests: [digest] });
    assert.deepEqual(await files(), []);
    origin.answer = answerWell;
    origin.blobRequests.length = 0;
    assert.ok((await pull(digest)).equals(bytes));
    assert.equal(origin.blobRequests[0]?.headers.range, undefined, 'it begins anew');
  });
});

describe('a purge of everything', () => {
  it('leaves nothing, stored or under way, and serves on', async () => {
    const bytes = randomBytes(2 * oneMiB);
    const filling = origin.add(bytes);
    for (let count = 0; count < 5; count += 1) await pull(origin.add(randomBytes(1000)));
    const { open } = answerHalf();
    const reader = await begin(filling);
    assert.deepEqual(await ask.purge({ everything: true }), { blobs: 5, bytes: 5000, more: false });
    open();
    assert.ok((await reader.rest()).equals(bytes));
    await eventually('nothing is left', async () => (await files()).length === 0);
    assert.deepEqual((await ask.status()).stored, { blobs: 0, bytes: 0 });
    origin.answer = answerWell;
    assert.ok((await pull(filling)).equals(bytes));
  });

  it('is done in parts: what is left is said', async () => {
    const store = new DirectoryBlobStore(await tempDirectory());
    await store.prepare();
    for (let count = 0; count < 40; count += 1) {
      const bytes = randomBytes(10);
      const writer = await store.begin(`session-${count}`);
      await writer.write(bytes);
      await writer.publish(digestOf(bytes));
    }
    const purge = new Purge({
      store,
      entries: { forget: () => true } as unknown as Entries,
      fills: { purgeAll: async () => {} } as unknown as Fills,
      metrics: new CacheMetrics(),
      atOnceMs: 0,
    });
    const answers = [await purge.everything(), await purge.everything(), await purge.everything()];
    assert.deepEqual(answers, [
      { blobs: 16, bytes: 160, more: true },
      { blobs: 16, bytes: 160, more: true },
      { blobs: 8, bytes: 80, more: false },
    ]);
  });

  it('is in the log, with who said it', async () => {
    await pull(origin.add(randomBytes(10)));
    await ask.purge({ everything: true });
    const line = cache.logs.findLast(({ msg }) => msg === 'purged by an origin');
    assert.deepEqual(
      [line?.issuer, line?.asked, line?.blobs, line?.bytes],
      [origin.issuer, 'everything', 1, 10],
    );
  });
});
