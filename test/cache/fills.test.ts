import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { startTestCache } from '../setup/cache.ts';
import { answerWell, startFakeOrigin } from '../setup/fake-origin.ts';
import { eventually } from '../setup/processes.ts';

const oneMiB = 1024 * 1024;
const origin = await startFakeOrigin();
const cache = await startTestCache({ origin: origin.url, cas: [origin.ca] });

beforeEach(() => {
  origin.answer = answerWell;
  origin.blobRequests.length = 0;
});

/** A client of the cache that reads at its own speed. */
async function ask(
  digest: Digest,
  headers: Record<string, string> = {},
  cacheUrl = cache.url,
): Promise<IncomingMessage> {
  const request = get(`${cacheUrl}${origin.signedPath(digest)}`, { headers, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/** What a client gets to see of an answer, and whether it looks complete to it. */
async function receive(response: IncomingMessage): Promise<{ bytes: Buffer; complete: boolean }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk);
  } catch {
    // Cut short: what came is what counts.
  }
  return { bytes: Buffer.concat(chunks), complete: response.complete };
}

async function pull(digest: Digest, headers?: Record<string, string>) {
  const response = await ask(digest, headers);
  return { status: response.statusCode, headers: response.headers, ...(await receive(response)) };
}

async function isStored(digest: Digest, rootDirectory = cache.rootDirectory): Promise<boolean> {
  const files = await readdir(join(rootDirectory, 'blobs'), { recursive: true });
  return files.some((file) => file.endsWith(digest.slice('sha256:'.length)));
}

const noFillIsLeft = async () => (await readdir(join(cache.rootDirectory, 'sessions'))).length === 0;

/** Holds an answer back until the test lets it go on. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe('a cold blob', () => {
  it('is fetched once for fifty clients that ask at the same time, and never again', async () => {
    const bytes = randomBytes(3 * oneMiB + 7);
    const digest = origin.add(bytes);
    const pulls = await Promise.all(Array.from({ length: 50 }, () => pull(digest)));
    for (const { status, complete, bytes: received } of pulls) {
      assert.equal(status, 200);
      assert.ok(complete);
      assert.ok(received.equals(bytes));
    }
    assert.equal(origin.blobRequests.length, 1);
    assert.equal(origin.blobRequests[0]?.headers['accept-encoding'], 'identity');
    assert.equal(origin.blobRequests[0]?.headers.authorization, undefined);
    assert.ok((await pull(digest)).bytes.equals(bytes));
    assert.equal(origin.blobRequests.length, 1);
  });

  it('of no bytes at all is stored and served like others', async () => {
    const digest = origin.add(Buffer.alloc(0));
    assert.deepEqual(
      (({ status, bytes, complete }) => ({ status, size: bytes.byteLength, complete }))(await pull(digest)),
      { status: 200, size: 0, complete: true },
    );
    await eventually('stored', () => isStored(digest));
  });

  it('reaches the client as it arrives, but for its last byte, which waits for the digest', async () => {
    const bytes = randomBytes(300_000);
    const digest = origin.add(bytes);
    const { opened, open } = gate();
    origin.answer = async (_request, response) => {
      response.writeHead(200, { 'Content-Length': bytes.byteLength });
      response.write(bytes.subarray(0, 10));
      await opened;
      response.end(bytes.subarray(10));
    };
    const response = await ask(digest);
    const [first] = (await once(response, 'data')) as [Buffer];
    assert.ok(first.equals(bytes.subarray(0, 10)));
    open();
    const rest = await receive(response);
    assert.ok(Buffer.concat([first, rest.bytes]).equals(bytes));
    assert.ok(rest.complete);
  });

  it('is filled to its end when the client that asked for it leaves', async () => {
    const bytes = randomBytes(2 * oneMiB);
    const digest = origin.add(bytes);
    const { opened, open } = gate();
    origin.answer = async (_request, response) => {
      response.writeHead(200, { 'Content-Length': bytes.byteLength });
      response.write(bytes.subarray(0, oneMiB));
      await opened;
      response.end(bytes.subarray(oneMiB));
    };
    const [leaving, staying] = await Promise.all([ask(digest), ask(digest)]);
    leaving.destroy();
    open();
    assert.ok((await receive(staying)).bytes.equals(bytes));
    const statuses = () => cache.logs.filter((line) => line.digest === digest).map(({ status }) => status);
    await eventually('logged', () => statuses().length === 2);
    assert.deepEqual(statuses().sort(), [200, 499]);
    assert.equal(origin.blobRequests.length, 1);
  });

  it('is stored at the speed of the upstream, however slowly a client reads', async () => {
    const bytes = randomBytes(24 * oneMiB);
    const digest = origin.add(bytes);
    const slow = await ask(digest);
    slow.pause();
    await eventually('stored', () => isStored(digest));
    assert.ok((await receive(slow)).bytes.equals(bytes));
  });

  it('is read to its end by who began before it was evicted', async () => {
    const bytes = randomBytes(24 * oneMiB);
    const digest = origin.add(bytes);
    let now = Date.now();
    const cold = await startTestCache({
      origin: origin.url,
      cas: [origin.ca],
      clock: () => now,
      blobTtlMs: 400,
    });
    const readers = await Promise.all([ask(digest, {}, cold.url), ask(digest, {}, cold.url)]);
    for (const reader of readers) reader.pause();
    await eventually('stored', () => isStored(digest, cold.rootDirectory));
    await eventually('evicted', async () => {
      now += 1000;
      return !(await isStored(digest, cold.rootDirectory));
    });
    for (const reader of readers) assert.ok((await receive(reader)).bytes.equals(bytes));
  });

  it('is served by range while it arrives', async () => {
    const bytes = randomBytes(oneMiB);
    const digest = origin.add(bytes);
    const { opened, open } = gate();
    origin.answer = async (_request, response) => {
      response.writeHead(200, { 'Content-Length': bytes.byteLength });
      response.write(bytes.subarray(0, 1000));
      await opened;
      response.end(bytes.subarray(1000));
    };
    const whole = await ask(digest);
    const early = await pull(digest, { Range: 'bytes=10-99' });
    assert.equal(early.status, 206);
    assert.equal(early.headers['content-range'], `bytes 10-99/${bytes.byteLength}`);
    assert.ok(early.bytes.equals(bytes.subarray(10, 100)));
    const late = ask(digest, { Range: 'bytes=-5' });
    open();
    assert.ok((await receive(await late)).bytes.equals(bytes.subarray(-5)));
    assert.ok((await receive(whole)).bytes.equals(bytes));
    assert.equal(origin.blobRequests.length, 1);
  });

  it('goes on from where the upstream broke off', async () => {
    const bytes = randomBytes(2 * oneMiB);
    const digest = origin.add(bytes);
    origin.answer = (request, response) => {
      if (request.headers.range !== undefined) return answerWell(request, response, bytes);
      response.writeHead(200, { 'Content-Length': bytes.byteLength });
      response.write(bytes.subarray(0, oneMiB), () => response.destroy());
    };
    const { complete, bytes: received } = await pull(digest);
    assert.ok(complete);
    assert.ok(received.equals(bytes));
    assert.equal(origin.blobRequests.length, 2);
    assert.match(origin.blobRequests[1]?.headers.range as string, /^bytes=\d+-$/);
  });

  it('asked for by HEAD is not filled', async () => {
    const digest = origin.add(randomBytes(5000));
    const response = await fetch(`${cache.url}${origin.signedPath(digest)}`, { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-length'), '5000');
    assert.deepEqual(
      origin.blobRequests.map(({ method }) => method),
      ['HEAD'],
    );
    assert.equal(await isStored(digest), false);
  });
});

describe('an upstream that answers wrong', () => {
  type Answer = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => void;
  const other = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([1])]);

  /** Found out only when the client has its 200: it must not look complete. */
  const late: [what: string, answer: Answer][] = [
    [
      'wrong bytes',
      (_request, response, bytes) => {
        response.writeHead(200, { 'Content-Length': bytes.byteLength }).end(other(bytes));
      },
    ],
    [
      'too few bytes, each time',
      (_request, response, bytes) => {
        response.writeHead(200, { 'Content-Length': bytes.byteLength });
        response.write(bytes.subarray(0, 1000), () => response.destroy());
      },
    ],
    [
      'an HTML page with status 200',
      (_request, response) => {
        const page = '<h1>Sign in to the hotel network</h1>';
        response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': page.length }).end(page);
      },
    ],
  ];
  for (const [what, answer] of late) {
    it(`with ${what} leaves every client with less than announced, and nothing stored`, async () => {
      const bytes = randomBytes(100_000);
      bytes[99_999] = 0;
      const digest = origin.add(bytes);
      origin.answer = answer;
      const pulls = await Promise.allSettled(Array.from({ length: 5 }, () => pull(digest)));
      for (const result of pulls) {
        // A connection cut before its head arrived is no complete answer either.
        if (result.status === 'rejected') continue;
        const { status, complete } = result.value;
        assert.ok(!complete || status === 502, `${status}`);
      }
      assert.equal(await isStored(digest), false);
      const told = cache.logs.find((line) => line.level !== 'info' && line.digest === digest);
      assert.equal(told?.upstream, origin.url);
      origin.answer = answerWell;
      assert.ok((await pull(digest)).bytes.equals(bytes));
    });
  }

  /** Found out by its head: the client is told so. */
  const early: [what: string, answer: Answer, reason: RegExp][] = [
    ['404', (_request, response) => void response.writeHead(404).end(), /answered 404/],
    [
      'a redirect',
      (_request, response) => void response.writeHead(307, { Location: 'https://127.0.0.1:1/' }).end(),
      /answered 307/,
    ],
    [
      'gzip',
      (_request, response, bytes) => {
        const packed = gzipSync(bytes);
        response
          .writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': packed.byteLength })
          .end(packed);
      },
      /encoded the blob as gzip/,
    ],
    [
      'no length',
      (_request, response, bytes) => {
        response.writeHead(200);
        response.write(bytes);
        response.end();
      },
      /did not announce the length/,
    ],
    [
      'another digest in its head',
      (_request, response, bytes) => {
        const named = digestOf(other(bytes));
        response
          .writeHead(200, { 'Docker-Content-Digest': named, 'Content-Length': bytes.byteLength })
          .end(bytes);
      },
      /answered with the blob sha256:/,
    ],
    [
      'a part of the blob that nobody asked for',
      (_request, response, bytes) => {
        response.writeHead(206, { 'Content-Length': 3, 'Content-Range': 'bytes 0-2/3' });
        response.end(bytes.subarray(0, 3));
      },
      /answered 206/,
    ],
  ];
  for (const [what, answer, reason] of early) {
    it(`with ${what} is a 502 that says so`, async () => {
      const digest = origin.add(Buffer.concat([randomBytes(5000), Buffer.from([0])]));
      origin.answer = answer;
      const { status, complete, bytes } = await pull(digest);
      assert.equal(status, 502);
      assert.ok(complete);
      const { errors } = JSON.parse(bytes.toString()) as { errors: { code: string; message: string }[] };
      assert.equal(errors[0]?.code, 'UNAVAILABLE');
      assert.match(errors[0]?.message ?? '', reason);
      assert.equal(await isStored(digest), false);
      assert.ok(await noFillIsLeft());
    });
  }
});
