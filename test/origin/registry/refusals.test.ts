/** What is refused, with which status and code (distribution spec, code-1 … code-14; threats E01, E02, E05, E08, E10, E20). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { imageMediaType, pushBlob, pushImage, startTestOrigin } from '../../setup/origin.ts';
import { openSocket, parseAnswer, type RawAnswer, rawRequest, readToEnd } from '../../setup/raw-request.ts';

const origin = await startTestOrigin();
await origin.api('POST', '/accounts', { name: 'jane', password: 'jane-password' });
const push = (repository: string) =>
  origin.token('admin', origin.adminPassword, `repository:${repository}:pull,push,delete`);
const token = await push('admin/app');
const image = await pushImage(origin, 'admin/app', '1', [Buffer.from('layer')]);
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await blobOf('config')) };
const unknown = digestOf(Buffer.from('unknown'));
const hex = 'a'.repeat(64);

async function blobOf(text: string): Promise<{ digest: string; size: number }> {
  return { digest: await pushBlob(origin, 'admin/app', Buffer.from(text)), size: text.length };
}

const ask = (requestLine: string, headers: string[] = [], body: Uint8Array | string = '') =>
  rawRequest(
    origin.url,
    requestLine,
    [
      `Authorization: Bearer ${token}`,
      ...(body === '' || headers.some((header) => header.startsWith('Transfer-Encoding'))
        ? []
        : [`Content-Length: ${Buffer.byteLength(body)}`]),
      ...headers,
    ],
    body,
  );

function codeOf({ body }: RawAnswer): string {
  return (JSON.parse(body) as { errors: { code: string }[] }).errors[0]?.code ?? '';
}

async function openSession(): Promise<string> {
  const begun = await ask('POST /v2/admin/app/blobs/uploads/');
  return begun.headers.location as string;
}

const put = (manifest: unknown, contentType = imageMediaType, reference = 'refused') =>
  ask(
    `PUT /v2/admin/app/manifests/${reference}`,
    [`Content-Type: ${contentType}`],
    typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
  );
const manifestOf = (layers: unknown[]) => ({ schemaVersion: 2, mediaType: imageMediaType, config, layers });

describe('each refusal has the status and the code of the spec', () => {
  const refusals: [code: string, status: number, what: string, ask: () => Promise<RawAnswer>][] = [
    ['BLOB_UNKNOWN', 404, 'a blob that is not there', () => ask(`GET /v2/admin/app/blobs/${unknown}`)],
    ['BLOB_UNKNOWN', 404, 'deleting such a blob', () => ask(`DELETE /v2/admin/app/blobs/${unknown}`)],
    [
      'BLOB_UPLOAD_UNKNOWN',
      404,
      'a session that was never opened',
      () => ask('PATCH /v2/admin/app/blobs/uploads/none', [], 'x'),
    ],
    [
      'RANGE_INVALID',
      416,
      'a chunk out of order',
      async () => ask(`PATCH ${await openSession()}`, ['Content-Range: 5-5'], 'x'),
    ],
    ['DIGEST_INVALID', 400, 'a digest that is none', () => ask('GET /v2/admin/app/blobs/sha256:1')],
    [
      'DIGEST_INVALID',
      400,
      'bytes that do not have their digest',
      async () => ask(`PUT ${await openSession()}?digest=${unknown}`, [], 'other'),
    ],
    [
      'DIGEST_INVALID',
      400,
      'the end of an upload without a digest',
      async () => ask(`PUT ${await openSession()}`),
    ],
    [
      'DIGEST_INVALID',
      400,
      'the end of an upload with two digests',
      async () => ask(`PUT ${await openSession()}?digest=${unknown}&digest=${config.digest}`, [], 'config'),
    ],
    [
      'DIGEST_INVALID',
      400,
      'a manifest under the digest of another',
      () => put(manifestOf([]), imageMediaType, unknown),
    ],
    [
      'MANIFEST_BLOB_UNKNOWN',
      404,
      'a manifest whose layer is missing',
      () => put(manifestOf([{ ...config, digest: unknown }])),
    ],
    [
      'MANIFEST_INVALID',
      400,
      'a manifest that says a wrong size',
      () => put(manifestOf([{ ...config, size: config.size + 1 }])),
    ],
    ['MANIFEST_INVALID', 400, 'a manifest that is not JSON', () => put('{')],
    ['MANIFEST_UNKNOWN', 404, 'a tag that is not there', () => ask('GET /v2/admin/app/manifests/none')],
    [
      'MANIFEST_UNKNOWN',
      404,
      'a manifest that is not there',
      () => ask(`GET /v2/admin/app/manifests/${unknown}`),
    ],
    ['MANIFEST_UNKNOWN', 404, 'deleting such a tag', () => ask('DELETE /v2/admin/app/manifests/none')],
    ['NAME_INVALID', 400, 'a name out of the grammar', () => ask('GET /v2/Admin/App/tags/list')],
    [
      'NAME_UNKNOWN',
      404,
      'a repository that is not there',
      async () =>
        rawRequest(origin.url, 'GET /v2/admin/none/manifests/1', [
          `Authorization: Bearer ${await push('admin/none')}`,
        ]),
    ],
    [
      'SIZE_INVALID',
      413,
      'a manifest of more than 4 MiB',
      () => put(Buffer.alloc(4 * 1024 * 1024 + 1, ' ').toString()),
    ],
    ['UNAUTHORIZED', 401, 'nobody', () => rawRequest(origin.url, 'GET /v2/admin/app/manifests/1')],
    ['UNAUTHORIZED', 401, 'who has no access', () => ask('GET /v2/jane/app/manifests/1')],
    [
      'DENIED',
      403,
      'a signed URL that is none',
      () => rawRequest(origin.url, `GET /v2/admin/app/blobs/${config.digest}?token=a.b.c`),
    ],
    ['UNSUPPORTED', 405, 'a method that an endpoint has not', () => ask('POST /v2/admin/app/tags/list')],
    ['UNSUPPORTED', 404, 'an endpoint that there is not', () => ask('GET /v2/admin/app/other')],
    ['TAG_INVALID', 400, 'a tag out of the grammar', () => ask('GET /v2/admin/app/manifests/.hidden')],
    [
      'PAGINATION_NUMBER_INVALID',
      400,
      'a page size that is no number',
      () => ask('GET /v2/admin/app/tags/list?n=x'),
    ],
  ];
  for (const [code, status, what, request] of refusals) {
    it(`${what}: ${status} ${code}`, async () => {
      const answer = await request();
      assert.equal(answer.status, status);
      assert.equal(codeOf(answer), code);
      assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
      assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0');
    });
  }
});

describe('a method that an endpoint does not have is refused with those that it has', () => {
  const endpoints: [path: string, allow: string][] = [
    ['/v2/', 'GET, HEAD'],
    ['/v2/_catalog', 'GET, HEAD'],
    ['/v2/admin/app/tags/list', 'GET, HEAD'],
    [`/v2/admin/app/referrers/${unknown}`, 'GET, HEAD'],
    [`/v2/admin/app/blobs/${unknown}`, 'GET, HEAD, DELETE'],
    ['/v2/admin/app/manifests/1', 'GET, HEAD, PUT, DELETE'],
    ['/v2/admin/app/blobs/uploads/', 'POST'],
    ['/v2/admin/app/blobs/uploads/session', 'PATCH, PUT, GET, HEAD, DELETE'],
  ];
  for (const [path, allow] of endpoints) {
    it(path.replace(/[a-f0-9]{64}/, '…'), async () => {
      const absent = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'].filter(
        (method) => !allow.includes(method),
      );
      for (const method of absent) {
        const answer = await ask(`${method} ${path}`);
        assert.deepEqual([answer.status, answer.headers.allow], [405, allow], method);
      }
    });
  }
});

describe('paths as they go over the wire (E01, E02)', () => {
  const manifest = (name: string) => `/v2/${name}/manifests/1`;
  const paths: [path: string, code: string][] = [
    [manifest('..'), 'NAME_INVALID'],
    [manifest('a/../b'), 'NAME_INVALID'],
    [manifest('..%2f..%2fetc'), 'NAME_INVALID'],
    [manifest('%2e%2e/%2e%2e/etc'), 'NAME_INVALID'],
    [manifest('admin%2fapp'), 'NAME_INVALID'],
    [manifest('admin%252fapp'), 'NAME_INVALID'],
    [manifest('admin/app%00'), 'NAME_INVALID'],
    [manifest('admin/app%ff'), 'NAME_INVALID'],
    [manifest('admin/App'), 'NAME_INVALID'],
    [manifest('admin//app'), 'NAME_INVALID'],
    [manifest(`admin/${'a'.repeat(250)}`), 'NAME_INVALID'],
    [manifest('admin\\app'), 'NAME_INVALID'],
    [`/v2/admin/app/manifests/${'t'.repeat(129)}`, 'TAG_INVALID'],
    ['/v2/admin/app/manifests/-t', 'TAG_INVALID'],
    ['/v2/admin/app/manifests/..', 'TAG_INVALID'],
    ['/v2/admin/app/blobs/sha256:../..', 'UNSUPPORTED'],
    ['/v2/admin/app/blobs/sha256:..%2f..', 'NAME_INVALID'],
    [`/v2/admin/app/blobs/sha256:${hex.slice(1)}`, 'DIGEST_INVALID'],
    [`/v2/admin/app/blobs/sha256:${hex}a`, 'DIGEST_INVALID'],
    [`/v2/admin/app/blobs/sha256:${hex.toUpperCase()}`, 'DIGEST_INVALID'],
    [`/v2/admin/app/blobs/SHA256:${hex}`, 'DIGEST_INVALID'],
    [`/v2/admin/app/blobs/md5:${'a'.repeat(32)}`, 'DIGEST_INVALID'],
    [`/v2/admin/app/blobs/sha512:${hex}`, 'DIGEST_INVALID'],
    [`/v2/admin/app/manifests/sha256:${hex}:${hex}`, 'DIGEST_INVALID'],
  ];
  for (const [path, code] of paths) {
    it(`${path.slice(0, 60)}: ${code}`, async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await ask(`${method} ${path}`);
        assert.equal(answer.status, code === 'UNSUPPORTED' ? 404 : 400);
        assert.equal(codeOf(answer), code);
      }
    });
  }

  it('words of the endpoints are names like others', async () => {
    await origin.api('POST', '/accounts', { name: 'manifests', isOrg: true });
    const { digest } = await pushImage(origin, 'manifests/blobs', 'tags', [randomBytes(10)]);
    const got = await origin.registry('HEAD', '/v2/manifests/blobs/manifests/tags');
    assert.equal(got.headers.get('docker-content-digest'), digest);
  });

  it('nothing was written beside what belongs there', async () => {
    const names = await readdir(origin.dataDirectory);
    const known = /^(?:admin-password|dtr\.(?:db|lock)(?:-\w+)?|blobs|replica-id|sessions)$/;
    assert.deepEqual(
      names.filter((name) => !known.test(name)),
      [],
    );
  });
});

describe('manifests', () => {
  it('of exactly 4 MiB are taken, one byte more is not, whether the length is announced or not (E08)', async () => {
    const bytes = (sizeBytes: number) => JSON.stringify(manifestOf([])).padEnd(sizeBytes, ' ');
    const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
    const limit = 4 * 1024 * 1024;
    const type = `Content-Type: ${imageMediaType}`;
    const path = 'PUT /v2/admin/app/manifests/large';
    assert.equal((await put(bytes(limit), imageMediaType, 'large')).status, 201);
    const taken = await ask(path, [type, 'Transfer-Encoding: chunked'], chunked(bytes(limit)));
    assert.equal(taken.status, 201);
    assert.equal((await put(bytes(limit + 1), imageMediaType, 'large')).status, 413);
    const refused = await ask(path, [type, 'Transfer-Encoding: chunked'], chunked(bytes(limit + 1)));
    assert.equal(refused.status, 413);
  });

  it('are refused so that the client reads why, although it is still sending', async () => {
    const text = 'x'.repeat(32 * 1024 * 1024);
    for (let round = 0; round < 5; round += 1) {
      const nobody = await rawRequest(
        origin.url,
        'PUT /v2/admin/app/manifests/1',
        [`Content-Length: ${text.length}`],
        text,
      );
      assert.deepEqual([nobody.status, codeOf(nobody)], [401, 'UNAUTHORIZED']);
    }
  });

  it('announced as 1 GB are refused before anything of them was sent', async () => {
    const answer = await ask('PUT /v2/admin/app/manifests/huge', [
      `Content-Type: ${imageMediaType}`,
      'Content-Length: 1000000000',
    ]);
    assert.deepEqual([answer.status, codeOf(answer)], [413, 'SIZE_INVALID']);
  });

  for (const size of [-1, 1.5, 2 ** 60, '6', null]) {
    it(`whose layer says the size ${JSON.stringify(size)} are refused (E10)`, async () => {
      const answer = await put(manifestOf([{ ...config, size }]));
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'MANIFEST_INVALID']);
    });
  }

  it('may not use a blob that only another repository holds', async () => {
    const digest = await pushBlob(origin, 'admin/other', Buffer.from('elsewhere'));
    const answer = await put(manifestOf([{ ...config, digest, size: 9 }]));
    assert.deepEqual([answer.status, codeOf(answer)], [404, 'MANIFEST_BLOB_UNKNOWN']);
  });

  it('of ten thousand layers and indexes fifty deep are answered in time', async () => {
    const layers = Array.from({ length: 10_000 }, () => config);
    assert.equal((await put(manifestOf(layers), imageMediaType, 'layers')).status, 201);
    const others = layers.map((_, index) => ({ ...config, digest: digestOf(Buffer.from(String(index))) }));
    assert.equal(codeOf(await put(manifestOf(others))), 'MANIFEST_BLOB_UNKNOWN');
    const indexMediaType = 'application/vnd.oci.image.index.v1+json';
    let inner = { mediaType: imageMediaType, digest: image.digest as string, size: image.manifest.length };
    for (let depth = 0; depth < 50; depth += 1) {
      const text = JSON.stringify({ schemaVersion: 2, mediaType: indexMediaType, manifests: [inner] });
      assert.equal((await put(text, indexMediaType, 'deep')).status, 201);
      inner = { mediaType: indexMediaType, digest: digestOf(Buffer.from(text)), size: text.length };
    }
    const deepest = await ask('GET /v2/admin/app/manifests/deep', [`Accept: ${imageMediaType}`]);
    assert.equal(codeOf(deepest), 'MANIFEST_UNKNOWN');
  });

  for (const [what, contentType, manifest] of [
    ['signed', 'application/vnd.docker.distribution.manifest.v1+prettyjws', { schemaVersion: 1 }],
    ['unsigned', 'application/vnd.docker.distribution.manifest.v1+json', { schemaVersion: 1 }],
    ['of a wrong type', imageMediaType, { schemaVersion: 1, fsLayers: [], history: [] }],
  ] as const) {
    it(`of schema 1, ${what}, are refused with what to do`, async () => {
      const answer = await put(manifest, contentType);
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'MANIFEST_INVALID']);
      assert.match(answer.body, /schema 1 are not supported: push again with Docker 1\.10 or newer/);
    });
  }
});

describe('a body that a client offers first, by Expect: 100-continue (E20)', () => {
  /** Sends the head only; the body, if asked for, once the server said to continue. */
  async function offer(requestLine: string, headers: string[], body: string): Promise<string> {
    const socket = openSocket(origin.url);
    try {
      const head = [`${requestLine} HTTP/1.1`, 'Host: origin', 'Connection: close', 'Expect: 100-continue'];
      socket.write(`${[...head, ...headers].join('\r\n')}\r\n\r\n`);
      socket.on('data', (part) => {
        if (part.toString().startsWith('HTTP/1.1 100')) socket.write(body);
      });
      await once(socket, 'connect');
      return await readToEnd(socket);
    } finally {
      socket.destroy();
    }
  }

  it('of 10 GB by nobody is refused at once, unasked for', async () => {
    for (const line of [
      'PUT /v2/admin/app/manifests/1',
      'POST /v2/admin/app/blobs/uploads/',
      'PATCH /v2/admin/app/blobs/uploads/session',
    ]) {
      const text = await offer(line, ['Content-Length: 10000000000'], '');
      assert.ok(text.startsWith('HTTP/1.1 401 '), text);
      assert.equal(parseAnswer(text).headers.connection, 'close');
    }
  });

  it('of more than a manifest may have is refused unasked for', async () => {
    const headers = [`Authorization: Bearer ${token}`, 'Content-Length: 10000000000'];
    const text = await offer('PUT /v2/admin/app/manifests/1', headers, '');
    assert.ok(text.startsWith('HTTP/1.1 413 '), text);
  });

  it('is asked for and taken from who may push', async () => {
    const headers = [`Authorization: Bearer ${token}`, 'Content-Length: 5'];
    const digest = digestOf(Buffer.from('offer'));
    const text = await offer(`PUT ${await openSession()}?digest=${digest}`, headers, 'offer');
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
    assert.equal((await ask(`HEAD /v2/admin/app/blobs/${digest}`)).status, 200);
  });

  it('is taken by the API too', async () => {
    const basic = `Basic ${Buffer.from(`admin:${origin.adminPassword}`).toString('base64')}`;
    const body = JSON.stringify({ name: 'offered', isOrg: true });
    const headers = [
      `Authorization: ${basic}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    const text = await offer('POST /api/v0/accounts', headers, body);
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
  });
});
