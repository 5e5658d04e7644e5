import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseNetwork } from '../../src/shared/cidr.ts';
import { startTestOrigin } from '../setup/origin.ts';
import { eventually } from '../setup/processes.ts';

const trustedProxies = [parseNetwork('127.0.0.1')].flatMap((network) => network ?? []);
const behindProxy = await startTestOrigin({ trustedProxies });
const inTheOpen = await startTestOrigin();

it('the log names the client behind a trusted proxy, and believes nobody else (B02)', async () => {
  for (const [origin, client] of [
    [behindProxy, '192.0.2.9'],
    [inTheOpen, '127.0.0.1'],
  ] as const) {
    const path = '/v2/?who';
    await fetch(origin.url + path, { headers: { 'X-Forwarded-For': '203.0.113.66, 192.0.2.9' } });
    await eventually('the line', () => origin.logs.some((line) => line.path === '/v2/'));
    assert.equal(origin.logs.find((line) => line.path === '/v2/')?.client, client);
  }
});
