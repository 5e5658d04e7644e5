import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { it } from 'node:test';
import { drain, listen, parseListenAddress } from '../../../src/shared/http/shutdown.ts';

it('draining ends with the last answer, although the client would keep its connection', async () => {
  const finish = Promise.withResolvers<void>();
  const server = createServer(async (_request, response) => {
    await finish.promise;
    response.end('done');
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const agent = new Agent({ keepAlive: true });
  const asked = request({ port, host: '127.0.0.1', agent }).end();
  await once(server, 'request');
  const startedAt = performance.now();
  const drained = drain(server, 10_000);
  finish.resolve();
  const [answer] = await once(asked, 'response');
  answer.resume();
  await drained;
  assert.ok(performance.now() - startedAt < 5_000);
  agent.destroy();
});

it('draining cuts what is not done in its time', async () => {
  const server = createServer(() => {});
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const asked = request({ port, host: '127.0.0.1' }).end();
  const cut = once(asked, 'error');
  await once(server, 'request');
  await drain(server, 50);
  await cut;
});

for (const [text, expected] of [
  [':5000', { host: undefined, port: 5000 }],
  ['0.0.0.0:443', { host: '0.0.0.0', port: 443 }],
  ['[::1]:5000', { host: '::1', port: 5000 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['5000', undefined],
  [':99999', undefined],
  ['::1:5000', undefined],
] as const) {
  it(`the address ${text} is ${JSON.stringify(expected) ?? 'refused'}`, () =>
    assert.deepEqual(parseListenAddress(text), expected));
}
