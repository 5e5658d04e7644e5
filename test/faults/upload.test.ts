/** An upload session outlives its origin (threats E04; promise P15). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { digestOf } from '../../src/shared/distribution/digest.ts';
import { freePort } from '../setup/free-port.ts';
import { basic } from '../setup/origin.ts';
import { eventually, type RunningProgram, startProgram } from '../setup/processes.ts';
import { openSocket } from '../setup/raw-request.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

describe('an upload whose origin was killed', async () => {
  const data = join(await tempDirectory(), 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const serve = () =>
    startProgram('dtr', [
      'serve',
      '--data',
      data,
      '--listen',
      `127.0.0.1:${port}`,
      '--external-url',
      url,
      '--no-tls',
    ]);
  let running: RunningProgram | undefined;
  after(() => running?.stop());

  it('goes on where its bytes end, after each of two kills, and is pulled byte for byte', async () => {
    running = await serve();
    const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
    const scope = 'repository:admin/app:pull,push';
    const answer = await fetch(`${url}/auth/token?service=127.0.0.1:${port}&scope=${scope}`, {
      headers: { Authorization: basic(`admin:${password}`) },
    });
    const { token: bearer } = (await answer.json()) as { token: string };
    const Authorization = `Bearer ${bearer}`;
    const bytes = randomBytes(16_000_000);
    const begun = await fetch(`${url}/v2/admin/app/blobs/uploads/`, {
      method: 'POST',
      headers: { Authorization },
    });
    const location = new URL(begun.headers.get('location') as string, url);
    const held = async () => {
      const status = await fetch(location, { headers: { Authorization } });
      return Number(status.headers.get('range')?.split('-')[1]) + 1;
    };
    let acknowledged = 0;
    for (let kill = 1; kill <= 2; kill += 1) {
      const chunk = bytes.subarray(acknowledged, acknowledged + 2_000_000);
      const patched = await fetch(location, {
        method: 'PATCH',
        headers: { Authorization, 'Content-Range': `${acknowledged}-${acknowledged + chunk.length - 1}` },
        body: chunk,
      });
      assert.equal(patched.status, 202);
      acknowledged += chunk.length;
      // Another chunk is on its way when the origin is killed.
      const socket = openSocket(url).on('error', () => {});
      const head = [
        `PATCH ${location.pathname} HTTP/1.1`,
        'Host: origin',
        `Authorization: ${Authorization}`,
        `Content-Length: ${bytes.length - acknowledged}`,
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.write(bytes.subarray(acknowledged, acknowledged + 1_000_000));
      await eventually('some of it has arrived', async () => (await held()) > acknowledged);
      const gone = once(socket, 'close');
      process.kill(running.pid, 'SIGKILL');
      await gone;
      running = await serve();
      const heldNow = await held();
      assert.ok(heldNow >= acknowledged && heldNow <= acknowledged + 1_000_000);
      acknowledged = heldNow;
    }
    const digest = digestOf(bytes);
    const put = await fetch(`${location}?digest=${digest}`, {
      method: 'PUT',
      headers: { Authorization },
      body: bytes.subarray(acknowledged),
    });
    assert.equal(put.status, 201);
    const pulled = await fetch(`${url}/v2/admin/app/blobs/${digest}`, { headers: { Authorization } });
    assert.ok(Buffer.from(await pulled.arrayBuffer()).equals(bytes));
  });
});
