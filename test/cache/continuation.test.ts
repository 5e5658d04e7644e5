/** Fills that meet trouble on their way: upstreams that break off, restarts, disks that are full or damaged. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, rm, statfs, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { sessionOf } from '../../src/cache/fill.ts';
import type { Digest } from '../../src/shared/distribution/digest.ts';
import { startTestCache } from '../setup/cache.ts';
import { commanderOf } from '../setup/cache-commands.ts';
import { answerWell, startFakeOrigin } from '../setup/fake-origin.ts';
import { eventually } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const oneMiB = 1024 * 1024;
const origin = await startFakeOrigin();
const mounts = await tempDirectory();
const settings = { origin: origin.url, cas: [origin.ca] };

beforeEach(() => {
  origin.answer = answerWell;
  origin.blobRequests.length = 0;
});

async function pull(cacheUrl: string, digest: Digest, headers: Record<string, string> = {}): Promise<Buffer> {
  const response = await fetch(cacheUrl + origin.signedPath(digest), { headers });
  const bytes = Buffer.from(await response.bytes());
  assert.ok(response.ok, `${response.status}: ${bytes.toString().slice(0, 300)}`);
  return bytes;
}

const pathOf = (root: string, digest: Digest) =>
  join(root, 'blobs/sha256', digest.slice(7, 9), digest.slice(7));

/** What a cache that was killed in the middle of a fill leaves on its disk. */
async function leaveBehind(digest: Digest, bytes: Uint8Array): Promise<string> {
  const rootDirectory = await tempDirectory();
  await mkdir(join(rootDirectory, 'sessions'), { recursive: true });
  await writeFile(join(rootDirectory, 'sessions', sessionOf(digest)), bytes);
  return rootDirectory;
}

describe('a fill that was cut off by a kill', () => {
  it('goes on from what is on disk when the blob is asked for again', async () => {
    const bytes = randomBytes(2 * oneMiB);
    const digest = origin.add(bytes);
    const cache = await startTestCache({
      ...settings,
      rootDirectory: await leaveBehind(digest, bytes.subarray(0, oneMiB)),
    });
    assert.ok((await pull(cache.url, digest)).equals(bytes));
    assert.deepEqual(
      origin.blobRequests.map(({ headers }) => headers.range),
      [`bytes=${oneMiB}-`],
    );
    assert.ok((await pull(cache.url, digest)).equals(bytes));
    assert.equal(origin.blobRequests.length, 1);
  });

  it('right before its end needs no byte more', async () => {
    const bytes = randomBytes(10_000);
    const digest = origin.add(bytes);
    origin.answer = (request, response) =>
      void response
        .writeHead(request.headers.range === 'bytes=10000-' ? 416 : 500, {
          'Content-Range': 'bytes */10000',
        })
        .end();
    const cache = await startTestCache({ ...settings, rootDirectory: await leaveBehind(digest, bytes) });
    assert.ok((await pull(cache.url, digest)).equals(bytes));
  });

  for (const [what, left] of [
    ['has wrong bytes', Buffer.alloc(5000)],
    ['is longer than the blob', Buffer.alloc(20_000)],
  ] as const) {
    it(`and left what ${what} is begun anew at the second attempt at the latest`, async () => {
      const bytes = randomBytes(10_000);
      const digest = origin.add(bytes);
      origin.answer = (request, response, blob) =>
        request.headers.range === 'bytes=20000-'
          ? void response.writeHead(416, { 'Content-Range': 'bytes */10000' }).end()
          : answerWell(request, response, blob);
      const rootDirectory = await leaveBehind(digest, left);
      const cache = await startTestCache({ ...settings, rootDirectory });
      await assert.rejects(pull(cache.url, digest));
      assert.ok((await pull(cache.url, digest)).equals(bytes));
    });
  }

  it('and is not asked for within a day leaves nothing', async () => {
    const digest = origin.add(randomBytes(10));
    const rootDirectory = await leaveBehind(digest, Buffer.alloc(5));
    const file = join(rootDirectory, 'sessions', sessionOf(digest));
    const old = Date.now() / 1000 - 90_000;
    await utimes(file, old, old);
    await startTestCache({ ...settings, rootDirectory, blobTtlMs: 1000 });
    await eventually('gone', async () => (await readdir(join(rootDirectory, 'sessions'))).length === 0);
  });
});

describe('a fill whose upstream breaks off', () => {
  it('goes on at one that ignores ranges, by skipping what it has', async () => {
    const bytes = randomBytes(2 * oneMiB);
    const digest = origin.add(bytes);
    let requests = 0;
    origin.answer = (_request, response) => {
      requests += 1;
      response.writeHead(200, { 'Content-Length': bytes.byteLength });
      if (requests > 1) response.end(bytes);
      else response.write(bytes.subarray(0, oneMiB), () => response.destroy());
    };
    const cache = await startTestCache(settings);
    assert.ok((await pull(cache.url, digest)).equals(bytes));
    assert.equal(requests, 2);
  });

  it('for good keeps what it has for the next fill, with a token of its own', async () => {
    const bytes = randomBytes(2 * oneMiB);
    const digest = origin.add(bytes);
    let tokens = 0;
    origin.answer = (request, response) => {
      // The first token has expired when the fill comes back.
      if (request.headers.range !== undefined) return void response.writeHead(403).end();
      response.writeHead(200, { 'Content-Length': bytes.byteLength });
      response.write(bytes.subarray(0, oneMiB), () => response.destroy());
      tokens += 1;
    };
    const cache = await startTestCache(settings);
    await assert.rejects(pull(cache.url, digest));
    origin.answer = answerWell;
    origin.blobRequests.length = 0;
    assert.ok((await pull(cache.url, digest)).equals(bytes));
    assert.equal(tokens, 1);
    assert.match(origin.blobRequests[0]?.headers.range ?? '', /^bytes=[1-9]\d*-$/);
  });

  it('is out of reach for a moment only: clients wait for it', async () => {
    const bytes = randomBytes(1000);
    const digest = origin.add(bytes);
    let requests = 0;
    origin.answer = (request, response, blob) => {
      requests += 1;
      if (requests === 1) request.socket.destroy();
      else answerWell(request, response, blob);
    };
    const cache = await startTestCache(settings);
    assert.ok((await pull(cache.url, digest)).equals(bytes));
  });
});

describe('a stored blob that was damaged on disk', () => {
  const bytes = randomBytes(300_000);
  const digest = origin.add(bytes);

  it('is fetched again when it became shorter, also for HEAD and ranges', async () => {
    const cache = await startTestCache(settings);
    await pull(cache.url, digest);
    await truncate(pathOf(cache.rootDirectory, digest), 1000);
    const part = await pull(cache.url, digest, { Range: 'bytes=5000-5009' });
    assert.ok(part.equals(bytes.subarray(5000, 5010)));
    assert.equal(origin.blobRequests.length, 2);
    assert.ok((await pull(cache.url, digest)).equals(bytes));
  });

  it('is cut short for the first who reads it, and fetched again for the next', async () => {
    const cache = await startTestCache(settings);
    await pull(cache.url, digest);
    const file = await open(pathOf(cache.rootDirectory, digest), 'r+');
    await file.write(Buffer.alloc(100), 0, 100, 150_000);
    await file.close();
    await assert.rejects(pull(cache.url, digest));
    assert.ok((await pull(cache.url, digest)).equals(bytes));
    assert.equal(origin.blobRequests.length, 2);
  });

  it('is fetched again at once when it is small', async () => {
    const small = origin.add(Buffer.from('a small one'));
    const first = await startTestCache(settings);
    await pull(first.url, small);
    await first.close();
    await writeFile(pathOf(first.rootDirectory, small), 'a smell one');
    const second = await startTestCache({ ...settings, rootDirectory: first.rootDirectory });
    assert.equal((await pull(second.url, small)).toString(), 'a small one');
  });
});

const noDisk = process.getuid?.() === 0 ? false : 'root alone can mount a small disk';
describe('a cache whose disk is full', { skip: noDisk }, () => {
  const disk = async (sizeBytes: number) => {
    const directory = await mkdtemp(join(mounts, 'disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', directory]);
    after(() => execFileSync('umount', ['--lazy', directory]));
    return directory;
  };

  it('passes a blob that does not fit on without storing it, whole and by range, and serves the others', async () => {
    const rootDirectory = await disk(4 * oneMiB);
    const small = origin.add(randomBytes(100_000));
    const bytes = randomBytes(6 * oneMiB);
    const digest = origin.add(bytes);
    const cache = await startTestCache({ ...settings, rootDirectory });
    await pull(cache.url, small);
    for (const received of await Promise.all([pull(cache.url, digest), pull(cache.url, digest)])) {
      assert.ok(received.equals(bytes));
    }
    const part = await pull(cache.url, digest, { Range: `bytes=${5 * oneMiB}-` });
    assert.ok(part.equals(bytes.subarray(5 * oneMiB)));
    await eventually(
      'nothing is left of it',
      async () => (await readdir(join(rootDirectory, 'sessions'))).length === 0,
    );
    origin.blobRequests.length = 0;
    await pull(cache.url, small);
    assert.equal(origin.blobRequests.length, 0);
    // No disk of this size holds it: the cache is as well as it ever was.
    assert.deepEqual((await commanderOf(cache.url, origin).status()).health.reasons, []);
  });

  it('tells its origin so from the first blob that does not fit, until there is room', async () => {
    const rootDirectory = await disk(6 * oneMiB);
    const cache = await startTestCache({ ...settings, rootDirectory });
    const { status } = commanderOf(cache.url, origin);
    assert.deepEqual((await status()).health, { healthy: true, reasons: [] });
    await writeFile(join(rootDirectory, 'of somebody else'), Buffer.alloc(5 * oneMiB));
    await pull(cache.url, origin.add(randomBytes(2 * oneMiB)));
    for (let probe = 0; probe < 2; probe += 1) {
      const { healthy, reasons } = (await status()).health;
      assert.equal(healthy, false);
      assert.match(reasons.join(), /^storage: the last blob could not be stored: ENOSPC/);
    }
    await rm(join(rootDirectory, 'of somebody else'));
    assert.deepEqual((await status()).health, { healthy: true, reasons: [] });
  });

  it('ends the answer short when the upstream of what it passes on has other bytes', async () => {
    const cache = await startTestCache({ ...settings, rootDirectory: await disk(2 * oneMiB) });
    const bytes = randomBytes(4 * oneMiB);
    const digest = origin.add(bytes);
    origin.answer = (request, response) =>
      answerWell(
        request,
        response,
        Buffer.concat([bytes.subarray(0, -1), Buffer.from([~(bytes.at(-1) as number)])]),
      );
    await assert.rejects(pull(cache.url, digest));
  });

  it('deletes what was not pulled for longest, and stores again', async () => {
    const rootDirectory = await disk(6 * oneMiB);
    const cache = await startTestCache({ ...settings, rootDirectory });
    const old = origin.add(randomBytes(3 * oneMiB));
    await pull(cache.url, old);
    const digest = origin.add(randomBytes(4 * oneMiB));
    await pull(cache.url, digest);
    origin.blobRequests.length = 0;
    await pull(cache.url, digest);
    assert.equal(origin.blobRequests.length, 0, 'the new one is stored');
    await assert.rejects(open(pathOf(rootDirectory, old)), { code: 'ENOENT' });
    assert.ok((await statfs(rootDirectory)).bavail >= 0);
  });
});

it('clients that ask while the origin is away wait for it, and it is not overrun when it comes back', async () => {
  const away = await startFakeOrigin();
  const cache = await startTestCache({ origin: away.url, cas: [away.ca] });
  const warm = away.add(randomBytes(100));
  await fetch(cache.url + away.signedPath(warm)).then((response) => response.bytes());
  const failures = () => cache.logs.filter(({ msg }) => msg === 'an upstream failed').length;
  await away.stop();
  const digests = Array.from({ length: 20 }, () => away.add(randomBytes(1000)));
  const answers = digests.map((digest) => fetch(cache.url + away.signedPath(digest)));
  await eventually('it was asked in vain', () => failures() >= 2);
  assert.equal((await fetch(cache.url + away.signedPath(warm))).status, 200, 'what is stored is served');
  const before = failures();
  await away.start();
  for (const answer of answers) assert.equal((await answer).status, 200);
  // One at a time asks whether it is back; the others ask once, when it is.
  assert.ok(failures() - before <= 3, `${failures() - before} more failures`);
  assert.equal(away.blobRequests.length, 1 + digests.length);
});

it('more blobs at once than the fills allowed wait for their turn', async () => {
  const cache = await startTestCache({ ...settings, maxFills: 2 });
  const digests = Array.from({ length: 8 }, () => origin.add(randomBytes(10_000)));
  let [running, most] = [0, 0];
  origin.answer = (request, response, bytes) => {
    running += 1;
    most = Math.max(most, running);
    setTimeout(() => {
      running -= 1;
      answerWell(request, response, bytes);
    }, 20);
  };
  await Promise.all(digests.map((digest) => pull(cache.url, digest)));
  assert.equal(most, 2);
});
