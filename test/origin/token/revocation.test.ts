/** What was given ends when it is taken back, and does not outlive what it was for (B07, C14, C15, P6). */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import { basic, pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
const service = new URL(origin.url).host;
const database = new BetterSqlite3(join(origin.dataDirectory, 'dtr.db'));
const layer = Buffer.from('layer');

let users = 0;
/** A new user with a password, and whatever they can be given. */
async function newUser() {
  users += 1;
  const name = `user${users}`;
  const password = `${name}-password`;
  await origin.api('POST', '/accounts', { name, password });
  const login = await fetch(
    `${origin.url}/auth/token?service=${service}&offline_token=true&client_id=docker`,
    {
      headers: { Authorization: basic(`${name}:${password}`) },
    },
  );
  const { refresh_token: refresh } = (await login.json()) as { refresh_token: string };
  const plain = await fetch(`${origin.url}/auth/token`, {
    headers: { Authorization: basic(`${name}:${password}`) },
  });
  const { token: apiToken } = (await plain.json()) as { token: string };
  const byRefresh = async (at = service) =>
    (
      await fetch(`${origin.url}/auth/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refresh, service: at }),
      })
    ).status;
  const byApiToken = async () =>
    (await fetch(`${origin.url}/api/v0/content_caches`, { headers: { Authorization: `Bearer ${apiToken}` } }))
      .status;
  return { name, password, byRefresh, byApiToken };
}

describe('a refresh token', () => {
  it('is for its service alone, and ends with the account (C14)', async () => {
    const { name, byRefresh } = await newUser();
    assert.equal(await byRefresh(), 200);
    assert.equal(await byRefresh('other.example.com'), 400);
    database.prepare('update accounts set is_active = 0 where name = ?').run(name);
    assert.equal(await byRefresh(), 401);
  });
});

describe('a token for the API', () => {
  it('is good for as long as the password that it was given for', async () => {
    const { name, byApiToken } = await newUser();
    assert.equal(await byApiToken(), 200);
    database.prepare("update accounts set password_hash = 'another' where name = ?").run(name);
    assert.equal(await byApiToken(), 401);
  });
});

describe('a token for a repository', () => {
  it('does not open one that was made later under the name (P6)', async () => {
    const image = await pushImage(origin, 'admin/again', '1', [layer]);
    const token = await origin.token('admin', origin.adminPassword, 'repository:admin/again:*');
    const open = async () =>
      (await origin.registry('GET', `/v2/admin/again/manifests/${image.digest}`, { token })).status;
    assert.equal(await open(), 200);
    database.pragma('foreign_keys = ON');
    database.prepare("delete from repositories where name = 'admin/again'").run();
    assert.notEqual(await open(), 200);
    const renewed = await origin.token('admin', origin.adminPassword, 'repository:admin/again:*');
    await pushImage(origin, 'admin/again', '1', [layer]);
    assert.equal(await open(), 401);
    const push = await origin.registry('POST', '/v2/admin/again/blobs/uploads/', { token });
    assert.equal(push.status, 401);
    const digest = (await origin.registry('HEAD', '/v2/admin/again/manifests/1', { token: renewed })).status;
    assert.equal(digest, 200, 'the one given while there was none made it');
  });
});

it('more repositories than a token can hold are refused in words, not by a header that is too long (C15)', async () => {
  const { id } = database.prepare("select id from accounts where name = 'admin'").get() as { id: string };
  const insert = database.prepare(
    "insert into repositories (id, namespace_id, name, visibility, created_at) values (?, ?, ?, 'private', 0)",
  );
  const scopes = Array.from({ length: 5000 }, (_, index) => `repository:admin/many-${index}:pull,push`);
  database.transaction(() => {
    for (const scope of scopes) insert.run(randomUUID(), id, scope.split(':')[1]);
  })();
  const ask = async (count: number) => {
    const body = new URLSearchParams({
      grant_type: 'password',
      username: 'admin',
      password: origin.adminPassword,
      service,
      scope: scopes.slice(0, count).join(' '),
    });
    const response = await fetch(`${origin.url}/auth/token`, { method: 'POST', body });
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };
  const all = await ask(200);
  assert.equal(all.status, 400);
  assert.match(JSON.stringify(all.body), /scope: more than one token can hold/);
  const some = await ask(30);
  assert.equal(some.status, 200);
  assert.ok(String(some.body.token).length < 8192);
});
