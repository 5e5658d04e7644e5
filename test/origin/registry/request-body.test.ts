import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, it } from 'node:test';
import { readBody, streamBody } from '../../../src/origin/registry/request-body.ts';
import { listen } from '../../../src/shared/http/shutdown.ts';

type Sender = Parameters<typeof streamBody>[0];
let handle: (sender: Sender) => Promise<unknown>;
const server = createServer(async (request, response) => {
  const result = await handle({ request, response }).catch((error) => ({ code: error.code }));
  response.setHeader('Connection', 'close');
  response.end(JSON.stringify(result));
});
const port = await listen(server, { host: '127.0.0.1', port: 0 });
after(() => server.close());

async function send(body: string | ReadableStream<Uint8Array>, handler: typeof handle): Promise<unknown> {
  handle = handler;
  const init = {
    method: 'PUT',
    body,
    ...(typeof body === 'string' ? {} : { duplex: 'half' }),
  } as RequestInit;
  return (await fetch(`http://127.0.0.1:${port}`, init)).json();
}

function chunked(...chunks: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks.map((chunk) => Buffer.from(chunk))) as ReadableStream<Uint8Array>;
}

it('a body is read whole, with or without its length announced', async () => {
  const read = async (sender: Sender) => (await readBody(sender, 10)).toString();
  assert.equal(await send('abc', read), 'abc');
  assert.equal(await send(chunked('ab', 'c'), read), 'abc');
});

it('more than the limit is refused, whether announced or not', async () => {
  const read = (sender: Sender) => readBody(sender, 4);
  assert.deepEqual(await send('abcde', read), { code: 'too-large' });
  assert.deepEqual(await send(chunked('abc', 'de'), read), { code: 'too-large' });
});

it('the deadline on progress ends with the body: what is done with it may take its time', async () => {
  const result = await send('abc', async (sender) => {
    const { request } = sender;
    let during: number | undefined;
    await streamBody(sender, async () => {
      during = request.socket.timeout;
    });
    return { during, after: request.socket.timeout, listeners: request.listenerCount('timeout') };
  });
  assert.deepEqual(result, { during: 60_000, after: 0, listeners: 0 });
});
