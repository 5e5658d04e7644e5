import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, it } from 'node:test';
import { readBody } from '../../src/cache/command-body.ts';
import { answerError } from '../../src/shared/http/answer-error.ts';
import { serverOptions } from '../../src/shared/http/server-options.ts';
import { openSocket, parseAnswer, readToEnd } from '../setup/raw-request.ts';

const server = createServer(serverOptions, (request, response) => {
  readBody(request, { deadlineMs: 50 }).then(
    (body) => response.end(body),
    (error) => answerError(response, error),
  );
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => server.close());

it('has a deadline: who does not send its body is refused', async () => {
  const socket = openSocket(url);
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
  const { status, body } = parseAnswer(await readToEnd(socket));
  assert.equal(status, 408);
  assert.match(body, /did not come within 50 ms/);
});

it('is read however it comes', async () => {
  const response = await fetch(url, { method: 'POST', body: 'whole' });
  assert.equal(await response.text(), 'whole');
  const chunks = new ReadableStream({
    start(controller) {
      for (const part of ['in', 'two']) controller.enqueue(Buffer.from(part));
      controller.close();
    },
  });
  const chunked = await fetch(url, { method: 'POST', body: chunks, duplex: 'half' } as RequestInit);
  assert.equal(await chunked.text(), 'intwo');
  assert.equal(await (await fetch(url, { method: 'POST' })).text(), '');
  const socket = openSocket(url);
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  assert.equal(parseAnswer(await readToEnd(socket)).status, 200);
});
