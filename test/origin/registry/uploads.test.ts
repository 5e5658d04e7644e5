/** Uploads that do not go as planned (threats E04, E05, E07, C11; promise P15). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { digestOf, hexOf } from '../../../src/shared/distribution/digest.ts';
import { imageMediaType, pushImage, startTestOrigin } from '../../setup/origin.ts';
import { eventually } from '../../setup/processes.ts';
import { openSocket, rawRequest } from '../../setup/raw-request.ts';

const origin = await startTestOrigin();
const repository = 'admin/uploads';
const token = await origin.token('admin', origin.adminPassword, `repository:${repository}:pull,push,delete`);
const ask = (requestLine: string, headers: string[] = [], body: Uint8Array | string = '') =>
  rawRequest(origin.url, requestLine, [`Authorization: Bearer ${token}`, ...headers], body);

async function openSession(): Promise<string> {
  return (await ask(`POST /v2/${repository}/blobs/uploads/`)).headers.location as string;
}

/** How many bytes the session holds, by what it says. */
async function sizeOf(location: string): Promise<number> {
  const { status, headers } = await ask(`GET ${location}`);
  assert.equal(status, 204);
  return Number(/^0-(\d+)$/.exec(headers.range ?? '')?.[1]) + 1;
}

async function finish(location: string, bytes: Uint8Array): Promise<void> {
  const digest = digestOf(bytes);
  const put = await ask(`PUT ${location}?digest=${digest}`, ['Content-Length: 0']);
  assert.equal(put.status, 201, put.body);
  const pulled = await origin.registry('GET', `/v2/${repository}/blobs/${digest}`, { token });
  assert.ok(Buffer.from(await pulled.arrayBuffer()).equals(bytes));
}

describe('chunks', () => {
  /** One PATCH: where it says to begin, counted from the end of what the session holds, and how long it says to be. */
  const chunks = fc.record({
    body: fc.uint8Array({ maxLength: 40 }),
    range: fc.option(
      fc.record({
        shift: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -3, max: 3 })),
        lie: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 2 })),
      }),
    ),
    announced: fc.boolean(),
  });

  it('of any order, overlap, gap and length end in exactly the bytes that were accepted (E04)', async () => {
    const property = fc.asyncProperty(fc.array(chunks, { minLength: 1, maxLength: 8 }), async (sequence) => {
      const location = await openSession();
      // A range cannot tell no byte from one: begin with two.
      let held = Buffer.from([1, 2]);
      assert.equal((await ask(`PATCH ${location}`, ['Content-Length: 2'], held)).status, 202);
      for (const { body, range, announced } of sequence) {
        const says = { start: held.length + (range?.shift ?? 0), length: body.length + (range?.lie ?? 0) };
        const headers = [
          ...(range === null ? [] : [`Content-Range: ${says.start}-${says.start + says.length - 1}`]),
          announced ? `Content-Length: ${body.length}` : 'Transfer-Encoding: chunked',
        ];
        const last = '0\r\n\r\n';
        const sent = announced
          ? body
          : Buffer.concat([
              ...(body.length === 0
                ? []
                : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]),
              Buffer.from(last),
            ]);
        const answer = await ask(`PATCH ${location}`, headers, sent);
        const honest = range === null || (range.shift === 0 && range.lie === 0 && body.length > 0);
        assert.equal(answer.status, honest ? 202 : 416);
        const heldNow = await sizeOf(location);
        assert.equal(answer.headers.range, `0-${heldNow - 1}`, 'the answer says where the session stands');
        if (honest) assert.equal(heldNow, held.length + body.length);
        else assert.ok(heldNow >= held.length && heldNow <= held.length + Math.max(0, says.length));
        if (range !== null && range.shift !== 0) assert.equal(heldNow, held.length);
        held = Buffer.concat([held, body.subarray(0, heldNow - held.length)]);
      }
      await finish(location, held);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  for (const range of [
    '5-4',
    '2-1',
    '-1',
    '2-',
    'x-y',
    '2-9223372036854775808',
    '9223372036854775808-2',
    '2',
  ]) {
    it(`at Content-Range ${range} are refused with 416 and the range held`, async () => {
      const location = await openSession();
      await ask(`PATCH ${location}`, ['Content-Length: 2'], 'ab');
      const answer = await ask(`PATCH ${location}`, [`Content-Range: ${range}`, 'Content-Length: 1'], 'c');
      assert.deepEqual([answer.status, answer.headers.range], [416, '0-1']);
      assert.equal(answer.headers.location, location);
      await finish(location, Buffer.from('ab'));
    });
  }
});

it('every answer about a session names it, and where it stands', async () => {
  const location = await openSession();
  const id = location.split('/').at(-1);
  const answers = [
    await ask(`PATCH ${location}`, ['Content-Length: 3'], 'abc'),
    await ask(`GET ${location}`),
    await ask(`HEAD ${location}`),
    await ask(`PATCH ${location}`, ['Content-Range: 9-9', 'Content-Length: 1'], 'x'),
  ];
  for (const { headers } of answers) {
    assert.deepEqual([headers['docker-upload-uuid'], headers.location, headers.range], [id, location, '0-2']);
  }
});

describe('an upload whose client died in the middle of a chunk', () => {
  it('goes on where its bytes end', async () => {
    const bytes = randomBytes(3_000_000);
    const location = await openSession();
    const socket = openSocket(origin.url);
    const head = [
      `PATCH ${location} HTTP/1.1`,
      'Host: origin',
      `Authorization: Bearer ${token}`,
      `Content-Length: ${bytes.length}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    await new Promise((resolve) => socket.write(bytes.subarray(0, 2_000_000), resolve));
    await eventually('the origin holds what was sent', async () => (await sizeOf(location)) === 2_000_000);
    socket.destroy();
    await eventually('the rest is taken', async () => {
      const rest = bytes.subarray(2_000_000);
      const range = [`Content-Range: 2000000-${bytes.length - 1}`, `Content-Length: ${rest.length}`];
      const answer = await ask(`PATCH ${location}`, range, rest);
      // Until the origin has noticed that the client is gone, the session is taken.
      assert.ok(answer.status === 202 || answer.status === 416);
      return answer.status === 202;
    });
    await finish(location, bytes);
  });
});

it('twenty clients that push the same image at once all succeed, and one file is stored (E07)', async () => {
  const layer = randomBytes(300_000);
  const pushed = await Promise.all(
    Array.from({ length: 20 }, () => pushImage(origin, 'admin/same', 'latest', [layer])),
  );
  assert.equal(new Set(pushed.map(({ digest }) => digest)).size, 1);
  const hex = hexOf(digestOf(layer));
  const files = await readdir(join(origin.dataDirectory, 'blobs'), { recursive: true });
  assert.equal(files.filter((file) => file.endsWith(hex)).length, 1);
});

it('an upload of nothing is the empty blob', async () => {
  const empty = digestOf(Buffer.alloc(0));
  const put = await ask(`PUT ${await openSession()}?digest=${empty}`, ['Content-Length: 0']);
  assert.equal(put.status, 201);
  const pulled = await ask(`GET /v2/${repository}/blobs/${empty}`);
  assert.deepEqual([pulled.status, pulled.headers['content-length'], pulled.body], [200, '0', '']);
});

describe('what may end or refuse a session', () => {
  it('a wrong digest links nothing, and what was sent is gone (E05)', async () => {
    const location = await openSession();
    const wrong = digestOf(randomBytes(4));
    const put = await ask(`PUT ${location}?digest=${wrong}`, ['Content-Length: 4'], 'true');
    assert.equal(put.status, 400);
    for (const digest of [wrong, digestOf(Buffer.from('true'))]) {
      assert.equal((await ask(`HEAD /v2/${repository}/blobs/${digest}`)).status, 404);
    }
    assert.equal((await ask(`GET ${location}`)).status, 404);
  });

  it('no digest at all leaves it as it was', async () => {
    const location = await openSession();
    await ask(`PATCH ${location}`, ['Content-Length: 3'], 'abc');
    assert.equal((await ask(`PUT ${location}`, ['Content-Length: 0'])).status, 400);
    await finish(location, Buffer.from('abc'));
  });

  it('it is of no other repository', async () => {
    const location = await openSession();
    const other = location.replace(repository, 'admin/other');
    const reach = await origin.token('admin', origin.adminPassword, 'repository:admin/other:pull,push');
    const answer = await origin.registry('GET', other, { token: reach });
    assert.equal(answer.status, 404);
  });

  it('when it ended, nothing of it is left beside the blobs', async () => {
    const before = await readdir(join(origin.dataDirectory, 'sessions'));
    await finish(await openSession(), Buffer.alloc(0));
    const cancelled = await openSession();
    await ask(`DELETE ${cancelled}`);
    assert.deepEqual(await readdir(join(origin.dataDirectory, 'sessions')), before);
  });
});

it('a layer is stored as it is: never unpacked, and its urls are never asked (E11, E12)', async () => {
  let asked = 0;
  const foreign = await startListener(() => {
    asked += 1;
  });
  // A tar that would climb out, and a bomb: 10 MB of zeros in 10 kB.
  const climbing = Buffer.alloc(1024);
  climbing.write('../../../../tmp/climbed');
  const bomb = gzipSync(Buffer.alloc(10_000_000));
  const { manifest } = await pushImage(origin, 'admin/odd', '1', [climbing, bomb]);
  const parsed = JSON.parse(manifest) as { layers: object[] };
  parsed.layers.push({
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    digest: digestOf(randomBytes(3)),
    size: 3,
    urls: [foreign],
  });
  const put = await origin.registry('PUT', '/v2/admin/odd/manifests/1', {
    body: JSON.stringify(parsed),
    headers: { 'Content-Type': imageMediaType },
  });
  assert.equal(put.status, 201);
  const pulled = await origin.registry('GET', `/v2/admin/odd/blobs/${digestOf(bomb)}`);
  assert.deepEqual(Buffer.from(await pulled.arrayBuffer()), bomb);
  assert.equal(pulled.headers.get('content-encoding'), null);
  assert.equal(asked, 0);
});

async function startListener(onRequest: () => void): Promise<string> {
  const server = createServer((_, response) => {
    onRequest();
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/layer`;
}
