/** What the conformance suite does not ask of GET and HEAD. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { imageMediaType, pushBlob, pushImage, startTestOrigin } from '../../setup/origin.ts';
import { rawRequest } from '../../setup/raw-request.ts';

const indexMediaType = 'application/vnd.oci.image.index.v1+json';
const listMediaType = 'application/vnd.docker.distribution.manifest.list.v2+json';
const dockerMediaType = 'application/vnd.docker.distribution.manifest.v2+json';

const origin = await startTestOrigin();
const bytes = randomBytes(200_000);
const blob = `/v2/admin/read/blobs/${await pushBlob(origin, 'admin/read', bytes)}`;
const image = await pushImage(origin, 'admin/read', '1', [randomBytes(100)]);
const manifest = Buffer.from(image.manifest);
const contents: [what: string, path: string, content: Buffer][] = [
  ['a blob', blob, bytes],
  ['a manifest by tag', '/v2/admin/read/manifests/1', manifest],
  ['a manifest by digest', `/v2/admin/read/manifests/${image.digest}`, manifest],
];

for (const [what, path, content] of contents) {
  const digest = path.includes('blobs') ? path.split('/').at(-1) : image.digest;
  const total = content.byteLength;
  const get = (headers: Record<string, string>, method = 'GET') => origin.registry(method, path, { headers });

  describe(what, () => {
    const parts: [range: string, start: number, end: number][] = [
      ['bytes=0-0', 0, 0],
      ['bytes=10-19', 10, 19],
      ['bytes=100-', 100, total - 1],
      ['bytes=-7', total - 7, total - 1],
      [`bytes=5-${total}`, 5, total - 1],
    ];
    for (const [range, start, end] of parts) {
      it(`is given in part to Range: ${range}`, async () => {
        const response = await get({ Range: range });
        assert.equal(response.status, 206);
        assert.equal(response.headers.get('content-range'), `bytes ${start}-${end}/${total}`);
        assert.equal(response.headers.get('docker-content-digest'), digest);
        assert.deepEqual(Buffer.from(await response.arrayBuffer()), content.subarray(start, end + 1));
      });
    }

    it('has no byte for a range past its end: 416 with its size', async () => {
      const response = await get({ Range: `bytes=${total}-` });
      assert.equal(response.status, 416);
      assert.equal(response.headers.get('content-range'), `bytes */${total}`);
    });

    it('is given whole to several ranges, to a unit that is not bytes, and to HEAD with a range', async () => {
      for (const range of ['bytes=0-1,4-5', 'lines=0-1', 'bytes=-', 'bytes=b-a']) {
        const response = await get({ Range: range });
        assert.equal(response.status, 200);
        assert.equal((await response.arrayBuffer()).byteLength, total);
      }
      const head = await get({ Range: 'bytes=0-9' }, 'HEAD');
      assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(total)]);
    });

    it('is given in part only while If-Range names it', async () => {
      const tag = `"${digest}"`;
      for (const [condition, status] of [
        [tag, 206],
        ['"sha256:other"', 200],
        [`W/${tag}`, 200],
        ['Mon, 23 Nov 2026 00:00:00 GMT', 200],
      ] as const) {
        const response = await get({ Range: 'bytes=0-9', 'If-Range': condition });
        assert.equal(response.status, status, condition);
        await response.arrayBuffer();
      }
    });

    it('is not sent again to who has it: 304 with its ETag and no body, to GET and HEAD', async () => {
      const etag = (await get({}, 'HEAD')).headers.get('etag') as string;
      assert.equal(etag, `"${digest}"`);
      for (const method of ['GET', 'HEAD']) {
        for (const condition of [etag, `"other", W/${etag}`, '*']) {
          const response = await get({ 'If-None-Match': condition }, method);
          assert.equal(response.status, 304, condition);
          assert.equal(response.headers.get('etag'), etag);
          assert.equal(await response.text(), '');
        }
        const other = await get({ 'If-None-Match': '"other"' }, method);
        assert.equal(other.status, 200);
        await other.arrayBuffer();
      }
    });
  });
}

describe('HEAD', () => {
  const paths = [
    '/v2/',
    '/v2/_catalog',
    blob,
    '/v2/admin/read/manifests/1',
    '/v2/admin/read/tags/list',
    `/v2/admin/read/referrers/${image.digest}`,
    '/v2/admin/read/manifests/unknown',
    '/v2/admin/read/manifests/-wrong',
    `/v2/admin/none/referrers/${image.digest}`,
    '/v2/admin/none/tags/list',
  ];
  for (const path of paths) {
    it(`of ${path.replaceAll(/[a-f0-9]{64}/g, '…')} answers as GET does, without the body`, async () => {
      const repository = /^\/v2\/(admin\/\w+)/.exec(path)?.[1];
      const token = await origin.token(
        'admin',
        origin.adminPassword,
        repository === undefined ? 'registry:catalog:*' : `repository:${repository}:*`,
      );
      const headers = [`Authorization: Bearer ${token}`];
      const get = await rawRequest(origin.url, `GET ${path}`, headers);
      const head = await rawRequest(origin.url, `HEAD ${path}`, headers);
      assert.equal(head.status, get.status);
      assert.equal(head.body, '');
      assert.equal(Number(get.headers['content-length']), get.body.length);
      const withoutDate = ({ date: _, ...rest }: Readonly<Record<string, string>>) => rest;
      assert.deepEqual(withoutDate(head.headers), withoutDate(get.headers));
    });
  }
});

describe('Accept', async () => {
  const descriptor = async (tag: string) => {
    const pushed = await pushImage(origin, 'admin/many', tag, [randomBytes(10)]);
    return { mediaType: imageMediaType, digest: pushed.digest, size: pushed.manifest.length };
  };
  const [arm, amd] = [await descriptor('arm'), await descriptor('amd')];
  const attestation = { ...arm, platform: { os: 'unknown', architecture: 'unknown' } };
  const forArm = { ...arm, platform: { os: 'linux', architecture: 'arm64' } };
  const forAmd = { ...amd, platform: { os: 'linux', architecture: 'amd64' } };
  const pushIndex = async (tag: string, mediaType: string, manifests: object[]) => {
    const response = await origin.registry('PUT', `/v2/admin/many/manifests/${tag}`, {
      body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
      headers: { 'Content-Type': mediaType },
    });
    assert.equal(response.status, 201);
    return response.headers.get('docker-content-digest') as string;
  };
  const index = await pushIndex('index', indexMediaType, [attestation, forArm, forAmd]);
  const list = await pushIndex('list', listMediaType, [forAmd]);
  await pushIndex('arm-only', indexMediaType, [forArm]);

  const ask = (reference: string, accept: string[], method = 'GET') =>
    origin
      .token('admin', origin.adminPassword, 'repository:admin/many:pull')
      .then((token) =>
        rawRequest(origin.url, `${method} /v2/admin/many/manifests/${reference}`, [
          `Authorization: Bearer ${token}`,
          ...accept.map((value) => `Accept: ${value}`),
        ]),
      );

  const answers: [accept: string[], tag: string, expected: string][] = [
    [[], 'index', index],
    [['*/*'], 'index', index],
    [[`${imageMediaType}, */*;q=0.1`], 'index', index],
    [['application/*'], 'index', index],
    [[imageMediaType, dockerMediaType, indexMediaType], 'index', index],
    [[`${imageMediaType}, ${indexMediaType.toUpperCase()}`], 'index', index],
    [[`${dockerMediaType},${listMediaType}`], 'index', index],
    [[indexMediaType], 'list', list],
    [[imageMediaType], 'index', amd.digest],
    [[imageMediaType, dockerMediaType], 'index', amd.digest],
    [[dockerMediaType], 'list', amd.digest],
    [[`${indexMediaType};q=0, ${imageMediaType}`], 'index', amd.digest],
    [['application/json'], 'index', amd.digest],
    [[imageMediaType], index, index],
    [[indexMediaType], 'amd', amd.digest],
    [[dockerMediaType], 'amd', amd.digest],
  ];
  for (const [accept, tag, expected] of answers) {
    const what = expected === index || expected === list ? 'the index' : 'its image for linux/amd64';
    const by = tag.startsWith('sha256') ? 'by digest' : `for the tag ${tag}`;
    it(`${JSON.stringify(accept)} is given ${tag === 'amd' ? 'the image' : what} ${by}`, async () => {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(tag, accept, method);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['docker-content-digest'], expected);
        assert.equal(answer.headers.etag, `"${expected}"`);
        assert.equal(answer.headers.vary, ['index', 'list'].includes(tag) ? 'Accept' : undefined);
      }
    });
  }

  it('of images only, for an index without one for linux/amd64: 404 that says so', async () => {
    const answer = await ask('arm-only', [imageMediaType]);
    assert.equal(answer.status, 404);
    const { errors } = JSON.parse(answer.body) as { errors: { code: string; message: string }[] };
    assert.equal(errors[0]?.code, 'MANIFEST_UNKNOWN');
    assert.match(errors[0]?.message ?? '', /linux\/amd64/);
  });
});
