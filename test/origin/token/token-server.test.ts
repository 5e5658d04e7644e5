import assert from 'node:assert/strict';
import { it } from 'node:test';
import { basic, pushImage, startTestOrigin } from '../../setup/origin.ts';

let now = Date.now();
const origin = await startTestOrigin({ clock: () => now });
const service = new URL(origin.url).host;
await origin.api('POST', '/accounts', { name: 'jane', password: 'jane-password' });
await pushImage(origin, 'admin/private', '1', [Buffer.from('layer')]);

type Answer = Record<string, unknown> & { token: string };

async function ask(
  query: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Answer }> {
  const response = await fetch(`${origin.url}/auth/token?${query}`, { headers });
  return { status: response.status, body: (await response.json()) as Answer };
}

async function post(form: Record<string, string>): Promise<{ status: number; body: Answer }> {
  const response = await fetch(`${origin.url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

function accessOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()).access;
}

const jane = { Authorization: basic('jane:jane-password') };

it('grants what was asked for and is allowed, never more', async () => {
  const scopes: [asked: string, granted: unknown][] = [
    [
      'scope=repository:jane/app:pull,push',
      [{ type: 'repository', name: 'jane/app', actions: ['pull', 'push'] }],
    ],
    ['scope=repository:jane/app:pull', [{ type: 'repository', name: 'jane/app', actions: ['pull'] }]],
    [
      'scope=repository:jane/app:*',
      [{ type: 'repository', name: 'jane/app', actions: ['pull', 'push', 'delete'] }],
    ],
    ['scope=repository:admin/private:pull,push', []],
    ['scope=repository(plugin):jane/app:pull', [{ type: 'repository', name: 'jane/app', actions: ['pull'] }]],
    ['scope=registry:catalog:*', [{ type: 'registry', name: 'catalog', actions: ['*'] }]],
    ['scope=::', []],
    ['scope=repository:..:pull', []],
    ['scope=something:else:pull', []],
    ['', []],
  ];
  for (const [asked, granted] of scopes) {
    const { status, body } = await ask(`service=${service}&${asked}`, jane);
    assert.equal(status, 200);
    assert.deepEqual(accessOf(body.token), granted, asked);
  }
});

it('reads several scopes, in parameters of their own or separated by spaces', async () => {
  for (const query of [
    'scope=repository:jane/a:push,pull&scope=repository:jane/b:pull',
    'scope=repository:jane/a:push,pull%20repository:jane/b:pull',
  ]) {
    const { body } = await ask(`service=${service}&${query}`, jane);
    assert.equal((accessOf(body.token) as unknown[]).length, 2);
  }
});

it('answers in both spellings that clients read', async () => {
  const { body } = await ask(`service=${service}&account=jane&scope=repository:jane/app:pull`, jane);
  assert.equal(body.access_token, body.token);
  assert.equal(body.expires_in, 300);
  assert.equal(new Date(body.issued_at as string).getTime(), Math.floor(now / 1000) * 1000);
});

it('refuses wrong credentials of every form, and never falls back to anonymous', async () => {
  for (const header of [
    basic('jane:wrong'),
    basic('nobody:x'),
    'Basic',
    'Basic !!!',
    basic('nocolon'),
    'Bearer ',
    'Digest x',
  ]) {
    const { status, body } = await ask(`service=${service}`, { Authorization: header });
    assert.equal(status, 401, header);
    assert.equal((body.errors as { code: string }[])[0]?.code, 'UNAUTHORIZED');
  }
});

it('gives anonymous callers nothing of a private repository', async () => {
  const { status, body } = await ask(`service=${service}&scope=repository:admin/private:pull`);
  assert.equal(status, 200);
  assert.deepEqual(accessOf(body.token), []);
});

it('docker login: a refresh token that later stands for the password', async () => {
  const login = await ask(`account=jane&client_id=docker&offline_token=true&service=${service}`, jane);
  const refreshToken = login.body.refresh_token as string;
  assert.ok(refreshToken);
  const base = await origin.registry('GET', '/v2/', { token: login.body.token });
  assert.equal(base.status, 200);
  const later = await post({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    service,
    client_id: 'docker',
    scope: 'repository:jane/app:pull,push',
  });
  assert.equal(later.status, 200);
  assert.deepEqual(accessOf(later.body.access_token as string), [
    { type: 'repository', name: 'jane/app', actions: ['pull', 'push'] },
  ]);
  const asBearer = await origin.registry('GET', '/v2/', { token: refreshToken });
  assert.equal(asBearer.status, 401);
});

it('containerd: the password grant as a form', async () => {
  const { status, body } = await post({
    grant_type: 'password',
    username: 'jane',
    password: 'jane-password',
    service,
    client_id: 'containerd-client',
    scope: 'repository:jane/app:pull repository:jane/app:pull,push',
  });
  assert.equal(status, 200);
  assert.ok(body.access_token);
  assert.equal(
    (await post({ grant_type: 'password', username: 'jane', password: 'no', service })).status,
    401,
  );
  assert.equal((await post({ grant_type: 'authorization_code', service })).status, 400);
  assert.equal((await post({ grant_type: 'refresh_token', refresh_token: 'made-up', service })).status, 401);
});

it('a plain request without service and scope gives a token for the API, which the registry refuses', async () => {
  const { body } = await ask('', jane);
  const api = await fetch(`${origin.url}/api/v0/accounts/jane/settings`, {
    headers: { Authorization: `Bearer ${body.token}` },
  });
  assert.equal(api.status, 200);
  assert.equal((await origin.registry('GET', '/v2/', { token: body.token })).status, 401);
  const registryToken = await origin.token('jane', 'jane-password');
  const refused = await fetch(`${origin.url}/api/v0/accounts/jane/settings`, {
    headers: { Authorization: `Bearer ${registryToken}` },
  });
  assert.equal(refused.status, 401);
});

it('a token ends with its time, and one of another service is refused', async () => {
  const token = await origin.token('jane', 'jane-password', 'repository:jane/app:pull');
  assert.equal((await origin.registry('GET', '/v2/', { token })).status, 200);
  now += (300 + 61) * 1000;
  assert.equal((await origin.registry('GET', '/v2/', { token })).status, 401);
  assert.equal((await ask('service=another.example', jane)).status, 400);
});

it('a token that was tampered with is refused', async () => {
  const token = await origin.token('jane', 'jane-password', 'repository:jane/app:pull');
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const admin = Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url');
  for (const forged of [
    `${header}.${admin}.${signature}`,
    `${none}.${payload}.`,
    `${none}.${payload}.${signature}`,
    `${header}.${payload}`,
    `${token}.x`,
    'x.y.z',
  ]) {
    assert.equal((await origin.registry('GET', '/v2/', { token: forged })).status, 401, forged.slice(0, 30));
  }
});
