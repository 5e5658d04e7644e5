import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import type { DescribedChoice } from '../../../src/origin/content-caches/choose.ts';
import { startTestCache } from '../../setup/cache.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
await origin.api('POST', '/accounts', { name: 'jane', password: 'jane-password' });
const { layers } = await pushImage(origin, 'jane/app', '1', [randomBytes(100_000)]);
const layer = layers[0] as string;
const path = `/v2/jane/app/blobs/${layer}`;
const host = 'http://cache.example:5000';
const created = await origin.api('POST', '/content_caches', { name: 'region-us', host });
const cache = (await created.json()) as { id: string };
const jane = (scope = 'repository:jane/app:pull') => origin.token('jane', 'jane-password', scope);
const choose = (id: string) =>
  origin.api('PATCH', '/accounts/jane/settings', { contentCacheUUID: id }, 'jane:jane-password');

it('a user without a cache gets the bytes from the origin', async () => {
  const response = await origin.registry('GET', path, { token: await jane() });
  assert.equal(response.status, 200);
  assert.equal((await response.arrayBuffer()).byteLength, 100_000);
});

it('a user with a cache is sent there by a signed 307 that nobody may keep', async () => {
  await choose(cache.id);
  const response = await origin.registry('GET', path, { token: await jane() });
  assert.equal(response.status, 307);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
  assert.equal(await response.text(), '');
  const location = new URL(response.headers.get('location') as string);
  assert.equal(location.origin, host);
  assert.equal(location.pathname, path);
  const [header, payload] = (location.searchParams.get('token') as string)
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString())) as [
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  assert.equal(header.typ, 'blob-url+jwt');
  assert.equal(header.alg, 'ES256');
  const { iat, exp, ...claims } = payload;
  assert.deepEqual(claims, {
    iss: origin.url,
    aud: 'content-cache',
    sub: 'jane',
    repository: 'jane/app',
    digest: layer,
    cache: cache.id,
  });
  assert.equal((exp as number) - (iat as number), 600);
});

it('manifests and HEAD of a blob are answered by the origin, whatever cache the user has', async () => {
  await choose(cache.id);
  const token = await jane();
  assert.equal((await origin.registry('GET', '/v2/jane/app/manifests/1', { token })).status, 200);
  const head = await origin.registry('HEAD', path, { token });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), '100000');
});

it('a blob that is not in the repository is not redirected', async () => {
  await choose(cache.id);
  const other = await pushImage(origin, 'admin/other', '1', [randomBytes(10)]);
  const response = await origin.registry('GET', `/v2/jane/app/blobs/${other.layers[0]}`, {
    token: await jane(),
  });
  assert.equal(response.status, 404);
});

it('a signed URL opens its blob at the origin itself, directly, and nothing else', async () => {
  await choose(cache.id);
  // Nobody followed the redirects of the tests before: for the origin this is another client.
  const headers = { 'User-Agent': 'another client' };
  const redirected = await origin.registry('GET', path, { token: await jane(), headers });
  const { search } = new URL(redirected.headers.get('location') as string);
  const get = (target: string, init?: RequestInit) =>
    fetch(`${origin.url}${target}`, { redirect: 'manual', ...init });
  assert.equal((await get(path + search)).status, 200);
  const { token } = Object.fromEntries(new URLSearchParams(search));
  assert.equal((await get(`${path}?token=${token}`)).status, 200);
  assert.equal((await get(`${path}?token=${token}&request=any-id`)).status, 200);
  for (const more of ['&request=a&request=b', `&token=${token}`, '&from=1', '&request=a%20b']) {
    assert.equal((await get(`${path}?token=${token}${more}`)).status, 403, more);
  }
  const range = await get(path + search, { headers: { Range: 'bytes=10-19' } });
  assert.equal(range.status, 206);
  assert.equal(range.headers.get('content-range'), 'bytes 10-19/100000');
  const other = await pushImage(origin, 'jane/app', '2', [randomBytes(10)]);
  assert.equal((await get(`/v2/jane/app/blobs/${other.layers[0]}${search}`)).status, 403);
  assert.equal((await get(`/v2/jane/other/blobs/${layer}${search}`)).status, 403);
  assert.equal((await get(`/v2/jane/app/manifests/1${search}`)).status, 401);
  assert.equal((await get(path + search, { method: 'DELETE' })).status, 401);
  const bearer = { Authorization: `Bearer ${new URLSearchParams(search).get('token')}` };
  assert.equal((await get('/v2/jane/app/manifests/1', { headers: bearer })).status, 401);
});

it('no token of any kind is in the log', async () => {
  const text = JSON.stringify(origin.logs);
  assert.ok(text.includes(path));
  assert.ok(!text.includes('token='));
  assert.ok(!text.includes('eyJ'), 'the beginning of a JSON Web Token');
});

it('a pull that asks again for a blob that it did not get from the cache gets it from the origin', async () => {
  const dying = await startTestCache({ origin: origin.url });
  const registered = await origin.api('POST', '/content_caches', { name: 'dying', host: dying.url });
  await choose(((await registered.json()) as { id: string }).id);
  await dying.close();
  const token = await jane();
  const ask = async () => {
    const response = await origin.registry('GET', path, { token });
    await response.arrayBuffer();
    return response.status;
  };
  assert.deepEqual([await ask(), await ask(), await ask()], [307, 200, 200]);
  const choices = origin.logs.map(({ choice }) => choice as DescribedChoice | undefined);
  assert.deepEqual(
    choices.find((choice) => choice?.cache === 'dying'),
    { cache: 'dying', because: 'user-setting' },
  );
  assert.deepEqual(
    choices.find((choice) => choice?.skipped !== undefined),
    {
      because: 'nothing-else',
      skipped: [{ cache: 'dying', by: 'user-setting', because: 'no-answer' }],
    },
  );
});

it('when the cache is deleted, its users are served by the origin', async () => {
  await choose(cache.id);
  assert.equal((await origin.api('DELETE', `/content_caches/${cache.id}`)).status, 204);
  assert.equal((await origin.registry('GET', path, { token: await jane() })).status, 200);
  const settings = await origin.api('GET', '/accounts/jane/settings', undefined, 'jane:jane-password');
  assert.equal(((await settings.json()) as { ContentCacheUUID: string }).ContentCacheUUID, '');
});
