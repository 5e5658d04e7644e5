import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { after, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { DomainError } from '../../../src/shared/errors.ts';
import { ClientGone, sendBlob } from '../../../src/shared/http/send-blob.ts';
import { listen } from '../../../src/shared/http/shutdown.ts';

const digest = digestOf(Buffer.from('any'));
const piece = Buffer.alloc(1024 * 1024);
const idleTimeoutMs = 100;

/** Sends the pieces to the client and says how that ended and how many bytes were counted. */
async function send(
  pieces: () => AsyncGenerator<Uint8Array>,
  sizeBytes: number,
  client: (response: IncomingMessage) => Promise<void>,
): Promise<{ error: unknown; sentBytes: number }> {
  const sent: { bytes?: number } = {};
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const server = createServer((request, response) => {
    sendBlob(request, response, digest, { sizeBytes, read: pieces }, { idleTimeoutMs, sent }).then(
      () => resolve(undefined),
      resolve,
    );
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  after(() => server.closeAllConnections());
  after(() => server.close());
  const request = get({ host: '127.0.0.1', port, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await client(response);
  const error = await promise;
  response.destroy();
  return { error, sentBytes: sent.bytes ?? 0 };
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield piece;
}

it('a client that takes no byte in time is cut off, and what it took is counted', async () => {
  const { error, sentBytes } = await send(endless, 1e12, async (response) => {
    response.pause();
  });
  assert.ok(error instanceof DomainError && error.code === 'progress-timeout');
  assert.ok(sentBytes > 0 && sentBytes < 1e9);
});

it('a client that leaves ends the sending, and what it took is counted', async () => {
  const { error, sentBytes } = await send(endless, 1e12, async (response) => {
    await once(response, 'data');
    response.destroy();
  });
  assert.ok(error instanceof ClientGone);
  assert.ok(sentBytes > 0);
});

it('pieces that come late are not blamed on the client', async () => {
  const late = async function* () {
    yield piece;
    await delay(3 * idleTimeoutMs);
    yield piece;
  };
  const { error, sentBytes } = await send(late, 2 * piece.byteLength, async (response) => {
    response.resume();
    await once(response, 'end');
  });
  assert.equal(error, undefined);
  assert.equal(sentBytes, 2 * piece.byteLength);
});

it('a blob that cannot be read to its end never looks complete to the client', async () => {
  const broken = async function* () {
    yield piece;
    throw new Error('the disk broke');
  };
  let complete = true;
  const { error } = await send(broken, 2 * piece.byteLength, async (response) => {
    response.on('error', () => {}).resume();
    await new Promise((resolve) => response.once('close', resolve));
    complete = response.complete;
  });
  assert.match(String(error), /the disk broke/);
  assert.equal(complete, false);
});

it('the answer ends with its last byte, not when whoever brings the pieces has tidied up', {
  timeout: 10_000,
}, async () => {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer((request, response) => {
    const finished = once(response, 'finish');
    const tidying = async function* () {
      try {
        yield piece;
      } finally {
        await finished;
      }
    };
    const blob = { sizeBytes: piece.byteLength, read: tidying };
    sendBlob(request, response, digest, blob).then(resolve, reject);
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  get({ host: '127.0.0.1', port, agent: false }, (response) => response.resume());
  assert.equal(await promise, piece.byteLength);
  server.close();
});
