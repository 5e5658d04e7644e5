/** Who reaches what at this door, and deletes beside pulls (threats C06, C09, C10, C11, E16). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { basic, imageMediaType, pushBlob, pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
await origin.api('POST', '/accounts', { name: 'jane', password: 'jane-password' });
const layer = randomBytes(1000);
const image = await pushImage(origin, 'jane/app', 'latest', [layer]);
const blob = digestOf(layer);
const everything = [
  ['GET', '/v2/jane/app/manifests/latest'],
  ['HEAD', `/v2/jane/app/manifests/${image.digest}`],
  ['GET', `/v2/jane/app/blobs/${blob}`],
  ['HEAD', `/v2/jane/app/blobs/${blob}`],
  ['GET', '/v2/jane/app/tags/list'],
  ['GET', `/v2/jane/app/referrers/${image.digest}`],
  ['PUT', '/v2/jane/app/manifests/latest'],
  ['PUT', '/v2/jane/app/manifests/other'],
  ['PUT', `/v2/jane/app/manifests/${image.digest}`],
  ['POST', '/v2/jane/app/blobs/uploads/'],
  ['POST', `/v2/jane/app/blobs/uploads/?mount=${blob}&from=jane/app`],
  ['PATCH', '/v2/jane/app/blobs/uploads/session'],
  ['PUT', `/v2/jane/app/blobs/uploads/session?digest=${blob}`],
  ['GET', '/v2/jane/app/blobs/uploads/session'],
  ['DELETE', '/v2/jane/app/blobs/uploads/session'],
  ['DELETE', '/v2/jane/app/manifests/latest'],
  ['DELETE', `/v2/jane/app/manifests/${image.digest}`],
  ['DELETE', `/v2/jane/app/blobs/${blob}`],
] as const;
const reads = everything.slice(0, 6);
const writes = everything.slice(6, 15);
const deletes = everything.slice(15);

async function statuses(requests: readonly (readonly [string, string])[], token: string): Promise<number[]> {
  const answers: number[] = [];
  for (const [method, path] of requests) {
    const body = method === 'PUT' || method === 'PATCH' ? { body: image.manifest } : {};
    const response = await origin.registry(method, path, {
      token,
      ...body,
      headers: { 'Content-Type': imageMediaType },
    });
    await response.arrayBuffer();
    answers.push(response.status);
  }
  return answers;
}

const all = (status: number, requests: readonly unknown[]) => requests.map(() => status);
const jane = (actions: string) => origin.token('jane', 'jane-password', `repository:jane/app:${actions}`);

describe('a token', () => {
  it('of nobody opens nothing of a private repository, also when the digest is known (C09)', async () => {
    const token = await origin.token(undefined, '', 'repository:jane/app:pull,push', 'registry:catalog:*');
    assert.deepEqual(await statuses(everything, token), all(401, everything));
    assert.equal((await origin.registry('GET', '/v2/_catalog', { token })).status, 401);
  });

  it('for pulling only reads, and writes nothing under any tag (C11)', async () => {
    const token = await jane('pull');
    assert.deepEqual(await statuses(reads, token), all(200, reads));
    assert.deepEqual(await statuses([...writes, ...deletes], token), all(401, [...writes, ...deletes]));
  });

  it('for pushing does not delete (C10)', async () => {
    const token = await jane('pull,push');
    assert.deepEqual(await statuses(deletes, token), all(401, deletes));
    assert.deepEqual(await statuses(reads, token), all(200, reads));
  });

  it('for deleting only does not read or write', async () => {
    const others = [...reads, ...writes];
    assert.deepEqual(await statuses(others, await jane('delete')), all(401, others));
  });

  it('of another repository, or of the API, or a password, opens nothing (C06)', async () => {
    const apiToken = await fetch(`${origin.url}/auth/token`, {
      headers: { Authorization: basic('jane:jane-password') },
    });
    const other = await origin.token('jane', 'jane-password', 'repository:jane/other:pull,push,delete');
    for (const token of [other, ((await apiToken.json()) as { token: string }).token]) {
      assert.deepEqual(await statuses(everything, token), all(401, everything));
    }
    const withPassword = await fetch(`${origin.url}/v2/jane/app/manifests/latest`, {
      headers: { Authorization: basic('jane:jane-password') },
    });
    assert.equal(withPassword.status, 401);
  });
});

describe('deleting', () => {
  const repository = 'jane/gone';
  const remove = (path: string) => origin.registry('DELETE', `/v2/${repository}/${path}`);
  const head = async (path: string) => (await origin.registry('HEAD', `/v2/${repository}/${path}`)).status;

  it('a tag leaves its manifest and its other tags', async () => {
    const { digest } = await pushImage(origin, repository, 'one', [layer]);
    await origin.registry('PUT', `/v2/${repository}/manifests/two`, {
      body: (await (await origin.registry('GET', `/v2/${repository}/manifests/one`)).text()) as string,
      headers: { 'Content-Type': imageMediaType },
    });
    assert.equal((await remove('manifests/one')).status, 202);
    assert.deepEqual(
      [await head('manifests/one'), await head('manifests/two'), await head(`manifests/${digest}`)],
      [404, 200, 200],
    );
    assert.equal((await remove('manifests/one')).status, 404);
  });

  it('a manifest takes its tags along and leaves its blobs', async () => {
    const { digest } = await pushImage(origin, repository, 'three', [layer]);
    assert.equal((await remove(`manifests/${digest}`)).status, 202);
    assert.deepEqual(
      [await head('manifests/three'), await head(`manifests/${digest}`), await head(`blobs/${blob}`)],
      [404, 404, 200],
    );
    assert.equal((await remove(`manifests/${digest}`)).status, 404);
  });

  it('a blob takes it from this repository only', async () => {
    await pushBlob(origin, repository, layer);
    assert.equal((await remove(`blobs/${blob}`)).status, 202);
    assert.equal(await head(`blobs/${blob}`), 404);
    assert.equal((await remove(`blobs/${blob}`)).status, 404);
    assert.equal((await origin.registry('HEAD', `/v2/jane/app/blobs/${blob}`)).status, 200);
  });

  it('beside pulls and fills of caches: each is complete or 404, never less than it says (E16)', async () => {
    const token = await origin.token('admin', origin.adminPassword, `repository:${repository}:*`);
    const created = await origin.api('POST', '/content_caches', { name: 'far', host: 'http://far.example' });
    const { id } = (await created.json()) as { id: string };
    const settings = { contentCacheUUID: id };
    await origin.api('PATCH', '/accounts/jane/settings', settings, 'jane:jane-password');
    const redirected = await origin.token('jane', 'jane-password', `repository:${repository}:pull`);
    const seen = new Map<number, number>();
    for (let round = 0; round < 60; round += 1) {
      const bytes = randomBytes(round % 2 === 0 ? 2_000 : 300_000);
      const path = `/v2/${repository}/blobs/${digestOf(bytes)}`;
      const pushed = await origin.registry(
        'POST',
        `/v2/${repository}/blobs/uploads/?digest=${digestOf(bytes)}`,
        { token, body: bytes },
      );
      assert.equal(pushed.status, 201);
      const redirect = await origin.registry('GET', path, { token: redirected });
      assert.equal(redirect.status, 307);
      // A cache that fills asks the origin with the query that the client brought.
      const { search } = new URL(redirect.headers.get('location') as string);
      const pull = async (request: Promise<Response>) => {
        const response = await request;
        const body = Buffer.from(await response.arrayBuffer());
        seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
        if (response.status === 200) assert.ok(body.equals(bytes));
        else assert.equal(response.status, 404);
      };
      const [, deleted] = await Promise.all([
        pull(origin.registry('GET', path, { token })),
        origin.registry('DELETE', path, { token }),
        pull(fetch(`${origin.url}${path}${search}`)),
        pull(origin.registry('GET', path, { token })),
      ]);
      assert.equal(deleted.status, 202);
    }
    assert.deepEqual([...seen.keys()].toSorted(), [200, 404], 'both were seen');
  });
});
