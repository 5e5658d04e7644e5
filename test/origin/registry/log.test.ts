import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { pushBlob, startTestOrigin } from '../../setup/origin.ts';
import { eventually } from '../../setup/processes.ts';
import { openSocket } from '../../setup/raw-request.ts';

const origin = await startTestOrigin();

it('a client that closes with the last byte is logged with all its bytes', async () => {
  const bytes = randomBytes(3_000_000);
  const path = `/v2/admin/app/blobs/${await pushBlob(origin, 'admin/app', bytes)}`;
  const token = await origin.token('admin', origin.adminPassword, 'repository:admin/app:pull');
  for (let round = 1; round <= 20; round += 1) {
    const socket = openSocket(origin.url);
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: origin\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    let head: number | undefined;
    let received = 0;
    for await (const piece of socket as AsyncIterable<Buffer>) {
      received += piece.byteLength;
      head ??= piece.indexOf('\r\n\r\n') + 4;
      // Leaving the loop resets the connection.
      if (received === head + bytes.length) break;
    }
    const pulls = () => origin.logs.filter((line) => line.method === 'GET' && line.path === path);
    await eventually('the pull is logged', () => pulls().length === round);
    assert.equal(pulls().at(-1)?.bytes, bytes.length);
  }
});
