import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { imageMediaType, pushBlob, pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
await origin.api('POST', '/accounts', { name: 'jane', password: 'jane-password' });
await origin.api('POST', '/accounts', { name: 'eve', password: 'eve-password' });

async function errorCode(response: Response): Promise<string> {
  return ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code ?? '';
}

describe('pushing a blob', () => {
  const repository = 'admin/blobs';

  it('in one POST with its digest', async () => {
    const bytes = randomBytes(1000);
    const digest = await pushBlob(origin, repository, bytes);
    const pulled = await origin.registry('GET', `/v2/${repository}/blobs/${digest}`);
    assert.equal(pulled.headers.get('docker-content-digest'), digest);
    assert.deepEqual(Buffer.from(await pulled.arrayBuffer()), bytes);
  });

  it('in chunks, each told where the session stands, and closed by PUT', async () => {
    const bytes = randomBytes(100_000);
    const begun = await origin.registry('POST', `/v2/${repository}/blobs/uploads/`);
    assert.equal(begun.status, 202);
    assert.ok(begun.headers.get('docker-upload-uuid'));
    const location = begun.headers.get('location') as string;
    const first = await origin.registry('PATCH', location, {
      body: bytes.subarray(0, 60_000),
      headers: { 'Content-Range': '0-59999' },
    });
    assert.equal(first.status, 202);
    assert.equal(first.headers.get('range'), '0-59999');
    const status = await origin.registry('GET', location);
    assert.equal(status.status, 204);
    assert.equal(status.headers.get('range'), '0-59999');
    const digest = digestOf(bytes);
    const put = await origin.registry('PUT', `${location}?digest=${digest}`, {
      body: bytes.subarray(60_000),
    });
    assert.equal(put.status, 201);
    assert.equal(put.headers.get('location'), `/v2/${repository}/blobs/${digest}`);
  });

  for (const range of ['60001-70000', '10-20', '59999-60010']) {
    it(`a chunk at ${range} of a session at byte 60000 is refused: 416 with the range held`, async () => {
      const begun = await origin.registry('POST', `/v2/${repository}/blobs/uploads/`);
      const location = begun.headers.get('location') as string;
      await origin.registry('PATCH', location, { body: randomBytes(60_000) });
      const [start, end] = range.split('-').map(Number) as [number, number];
      const refused = await origin.registry('PATCH', location, {
        body: randomBytes(end - start + 1),
        headers: { 'Content-Range': range },
      });
      assert.equal(refused.status, 416);
      assert.equal(refused.headers.get('range'), '0-59999');
      assert.equal(await errorCode(refused), 'RANGE_INVALID');
    });
  }

  it('goes on after the origin was restarted in the middle', async () => {
    const bytes = randomBytes(50_000);
    const begun = await origin.registry('POST', `/v2/${repository}/blobs/uploads/`);
    const location = begun.headers.get('location') as string;
    await origin.registry('PATCH', location, { body: bytes.subarray(0, 30_000) });
    await origin.restart();
    assert.equal((await origin.registry('GET', location)).headers.get('range'), '0-29999');
    const digest = digestOf(bytes);
    const put = await origin.registry('PUT', `${location}?digest=${digest}`, {
      body: bytes.subarray(30_000),
    });
    assert.equal(put.status, 201);
    const pulled = await origin.registry('GET', `/v2/${repository}/blobs/${digest}`);
    assert.deepEqual(Buffer.from(await pulled.arrayBuffer()), bytes);
  });

  it('with another digest than its bytes have links nothing and ends the session', async () => {
    const wrong = digestOf(randomBytes(4));
    const begun = await origin.registry('POST', `/v2/${repository}/blobs/uploads/`);
    const location = begun.headers.get('location') as string;
    const put = await origin.registry('PUT', `${location}?digest=${wrong}`, { body: randomBytes(9) });
    assert.equal(put.status, 400);
    assert.equal(await errorCode(put), 'DIGEST_INVALID');
    assert.equal((await origin.registry('HEAD', `/v2/${repository}/blobs/${wrong}`)).status, 404);
    assert.equal((await origin.registry('GET', location)).status, 404);
  });

  it('a cancelled session is gone', async () => {
    const begun = await origin.registry('POST', `/v2/${repository}/blobs/uploads/`);
    const location = begun.headers.get('location') as string;
    assert.equal((await origin.registry('DELETE', location)).status, 204);
    assert.equal((await origin.registry('PATCH', location, { body: 'x' })).status, 404);
  });

  it('an upload session answers to nobody but who opened it', async () => {
    const begun = await origin.registry('POST', `/v2/jane/mine/blobs/uploads/`);
    const location = begun.headers.get('location') as string;
    const token = await origin.token('jane', 'jane-password', 'repository:jane/mine:pull,push');
    const other = await origin.registry('PATCH', location, { token, body: 'x' });
    assert.equal(other.status, 404);
    assert.equal(await errorCode(other), 'BLOB_UPLOAD_UNKNOWN');
  });

  it('to a namespace that is no account is refused by name', async () => {
    const refused = await origin.registry('POST', '/v2/nobody/app/blobs/uploads/');
    assert.equal(refused.status, 404);
    assert.equal(await errorCode(refused), 'NAME_UNKNOWN');
  });
});

describe('mounting a blob of another repository', () => {
  it('makes it readable without its bytes being sent', async () => {
    const digest = await pushBlob(origin, 'admin/source', randomBytes(500));
    const mounted = await origin.registry(
      'POST',
      `/v2/admin/target/blobs/uploads/?mount=${digest}&from=admin/source`,
    );
    assert.equal(mounted.status, 201);
    assert.equal((await origin.registry('HEAD', `/v2/admin/target/blobs/${digest}`)).status, 200);
  });

  for (const from of ['&from=admin/secret', '']) {
    it(`of which the caller may not read the source${from && ' named'} opens an upload instead`, async () => {
      const digest = await pushBlob(origin, 'admin/secret', randomBytes(500));
      const token = await origin.token('eve', 'eve-password', 'repository:eve/app:pull,push');
      const answer = await origin.registry('POST', `/v2/eve/app/blobs/uploads/?mount=${digest}${from}`, {
        token,
      });
      assert.equal(answer.status, 202);
      assert.equal((await origin.registry('HEAD', `/v2/eve/app/blobs/${digest}`)).status, 404);
    });
  }
});

describe('manifests', () => {
  it('are served by tag and by digest, byte for byte, to HEAD and GET alike', async () => {
    const { digest, manifest } = await pushImage(origin, 'admin/app', '1', [randomBytes(100)]);
    for (const reference of ['1', digest]) {
      const got = await origin.registry('GET', `/v2/admin/app/manifests/${reference}`);
      assert.equal(got.headers.get('content-type'), imageMediaType);
      assert.equal(got.headers.get('docker-content-digest'), digest);
      assert.equal(await got.text(), manifest);
      const head = await origin.registry('HEAD', `/v2/admin/app/manifests/${reference}`);
      assert.equal(head.headers.get('content-length'), String(manifest.length));
      assert.equal(await head.text(), '');
    }
  });

  it('of a tag that was pushed again are the new ones at once', async () => {
    const before = await pushImage(origin, 'admin/moving', 'latest', [randomBytes(10)]);
    const after = await pushImage(origin, 'admin/moving', 'latest', [randomBytes(10)]);
    assert.notEqual(before.digest, after.digest);
    const got = await origin.registry('HEAD', '/v2/admin/moving/manifests/latest');
    assert.equal(got.headers.get('docker-content-digest'), after.digest);
    assert.equal((await origin.registry('HEAD', `/v2/admin/moving/manifests/${before.digest}`)).status, 200);
  });

  it('that name a blob which is not in the repository are refused, and the tag does not move', async () => {
    const missing = digestOf(randomBytes(3));
    const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: missing, size: 3 };
    const refused = await origin.registry('PUT', '/v2/admin/app/manifests/broken', {
      body: JSON.stringify({ schemaVersion: 2, mediaType: imageMediaType, config: descriptor, layers: [] }),
      headers: { 'Content-Type': imageMediaType },
    });
    assert.equal(refused.status, 404);
    assert.equal(await errorCode(refused), 'MANIFEST_BLOB_UNKNOWN');
    assert.equal((await origin.registry('HEAD', '/v2/admin/app/manifests/broken')).status, 404);
  });

  const unusable: [what: string, body: string, contentType: string][] = [
    ['are not JSON', '{', imageMediaType],
    ['are null', 'null', imageMediaType],
    ['have no config', '{"schemaVersion":2,"layers":[]}', imageMediaType],
    ['are of an unknown type', '{"schemaVersion":2}', 'text/plain'],
    ['say another type than the request', '{"schemaVersion":2,"mediaType":"x"}', imageMediaType],
  ];
  for (const [what, body, contentType] of unusable) {
    it(`that ${what} are refused as MANIFEST_INVALID`, async () => {
      const refused = await origin.registry('PUT', '/v2/admin/app/manifests/bad', {
        body,
        headers: { 'Content-Type': contentType },
      });
      assert.equal(refused.status, 400);
      assert.equal(await errorCode(refused), 'MANIFEST_INVALID');
    });
  }

  it('of more than 4 MiB are refused with 413', async () => {
    const refused = await origin.registry('PUT', '/v2/admin/app/manifests/big', {
      body: Buffer.alloc(4 * 1024 * 1024 + 1, ' '),
      headers: { 'Content-Type': imageMediaType },
    });
    assert.equal(refused.status, 413);
  });

  it('put under a digest that they do not have are refused', async () => {
    const { manifest } = await pushImage(origin, 'admin/app', '2', [randomBytes(10)]);
    const refused = await origin.registry('PUT', `/v2/admin/app/manifests/${digestOf(randomBytes(1))}`, {
      body: manifest,
      headers: { 'Content-Type': imageMediaType },
    });
    assert.equal(await errorCode(refused), 'DIGEST_INVALID');
  });
});

it('tags are listed in lexical order, by pages with a Link to the next', async () => {
  for (const tag of ['c', 'a', 'b']) await pushImage(origin, 'admin/tagged', tag, [Buffer.from('same')]);
  const page = await origin.registry('GET', '/v2/admin/tagged/tags/list?n=2');
  assert.deepEqual(await page.json(), { name: 'admin/tagged', tags: ['a', 'b'] });
  const link = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1] as string;
  const last = await origin.registry('GET', link);
  assert.deepEqual(await last.json(), { name: 'admin/tagged', tags: ['c'] });
  assert.equal(last.headers.get('link'), null);
});

describe('who may not read a repository', () => {
  it('gets the same answer for a private one as for one that does not exist', async () => {
    await pushImage(origin, 'admin/private', '1', [Buffer.from('layer')]);
    const token = await origin.token(
      'eve',
      'eve-password',
      'repository:admin/private:pull',
      'repository:admin/none:pull',
    );
    const ask = async (path: string) => {
      const response = await origin.registry('GET', path, { token });
      return [
        response.status,
        await response.text(),
        response.headers.get('www-authenticate')?.replaceAll(/private|none/g, ''),
      ];
    };
    for (const rest of ['manifests/1', 'tags/list', `blobs/${digestOf(Buffer.from('layer'))}`]) {
      const [known, unknown] = [await ask(`/v2/admin/private/${rest}`), await ask(`/v2/admin/none/${rest}`)];
      assert.deepEqual(known, unknown);
      assert.equal(known[0], 401);
    }
  });

  it('cannot push where only pulling was granted', async () => {
    const token = await origin.token('jane', 'jane-password', 'repository:jane/app:pull');
    for (const [method, path] of [
      ['POST', '/v2/jane/app/blobs/uploads/'],
      ['PUT', '/v2/jane/app/manifests/latest'],
      ['DELETE', '/v2/jane/app/manifests/latest'],
    ] as const) {
      assert.equal((await origin.registry(method, path, { token })).status, 401);
    }
  });

  it('gets a challenge that says where to ask for what', async () => {
    const response = await fetch(`${origin.url}/v2/jane/app/manifests/1`);
    assert.equal(response.status, 401);
    const service = new URL(origin.url).host;
    assert.equal(
      response.headers.get('www-authenticate'),
      `Bearer realm="${origin.url}/auth/token",service="${service}",scope="repository:jane/app:pull"`,
    );
  });
});
