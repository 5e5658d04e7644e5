/** No secret reaches a log or the trail, and nothing that somebody made up breaks a line of them (B06, B18, D11). */
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import { adminPasswordFile } from '../../src/origin/first-start.ts';
import { basic, pushImage, startTestOrigin } from '../setup/origin.ts';

const origin = await startTestOrigin();
const service = new URL(origin.url).host;

/** Does what users do, and collects every secret that was given or sent. */
async function everySecret(): Promise<string[]> {
  const secrets = [origin.adminPassword, 'jane-first-password', 'a-wrong-password', 'dtr_token_made-up'];
  const json = { 'Content-Type': 'application/json' };
  await origin.api('POST', '/accounts', { name: 'jane', password: 'jane-first-password' });
  for (const wrong of ['jane:a-wrong-password', 'jane:dtr_token_made-up']) {
    await fetch(`${origin.url}/auth/token?service=${service}`, { headers: { Authorization: basic(wrong) } });
    secrets.push(basic(wrong));
  }
  const login = await fetch(`${origin.url}/auth/token?service=${service}&offline_token=true`, {
    headers: { Authorization: basic('jane:jane-first-password') },
  });
  const given = (await login.json()) as { token: string; refresh_token: string };
  secrets.push(given.token, given.refresh_token, basic('jane:jane-first-password'));
  const session = await fetch(`${origin.url}/api/v0/session`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ username: 'jane', password: 'jane-first-password' }),
  });
  const { csrfToken } = (await session.json()) as { csrfToken: string };
  const cookie = session.headers.get('set-cookie')?.split(';')[0] as string;
  secrets.push(csrfToken, cookie.split('=')[1] as string);
  await fetch(`${origin.url}/api/v0/session`, {
    method: 'DELETE',
    headers: { Cookie: cookie, 'X-CSRF-Token': csrfToken },
  });
  const { layers } = await pushImage(origin, 'admin/app', '1', [Buffer.from('layer')]);
  const created = await origin.api('POST', '/content_caches', { name: 'c', host: 'http://cache.example' });
  const cache = (await created.json()) as { id: string };
  await origin.api('PATCH', '/accounts/admin/settings', { contentCacheUUID: cache.id });
  const redirect = await origin.registry('GET', `/v2/admin/app/blobs/${layers[0]}`);
  const url = new URL(redirect.headers.get('location') as string);
  secrets.push(url.searchParams.get('token') as string);
  await fetch(`${origin.url}${url.pathname}${url.search}`);
  return secrets;
}

it('no password, token, cookie or signature is in a log line or in the trail, at the most talkative level', async () => {
  const secrets = await everySecret();
  const database = new BetterSqlite3(join(origin.dataDirectory, 'dtr.db'), { readonly: true });
  const written = `${JSON.stringify(origin.logs)}${JSON.stringify(database.prepare('select * from events').all())}`;
  database.close();
  assert.ok(origin.logs.length > 10);
  for (const secret of secrets) {
    assert.ok(secret.length > 8);
    assert.equal(written.includes(secret), false, `${secret} was written`);
  }
  assert.doesNotMatch(written, /BEGIN (?:EC )?PRIVATE KEY|\$argon2id/);
});

it('a made-up name stays one line and disturbs no terminal', async () => {
  const name = 'x\r\n{"level=info forged"}\u001b[2J\u202e';
  await fetch(`${origin.url}/auth/token?service=${service}`, {
    headers: { Authorization: basic(`${name}:some-password`) },
  });
  const database = new BetterSqlite3(join(origin.dataDirectory, 'dtr.db'), { readonly: true });
  const kept = database
    .prepare("select actor_name from events where actor_name like 'x%forged%'")
    .pluck()
    .get();
  database.close();
  assert.equal(typeof kept, 'string');
  assert.doesNotMatch(String(kept), /\p{C}/u);
});

describe('the first start', () => {
  it('has no default password, another one each time, in a file for the server alone', async () => {
    const other = await startTestOrigin();
    assert.notEqual(other.adminPassword, origin.adminPassword);
    assert.ok(other.adminPassword.length >= 20);
    const { mode } = await stat(adminPasswordFile(other.dataDirectory));
    assert.equal(mode & 0o777, 0o600);
    for (const password of ['admin', 'password', '', 'Harbor12345', 'dtr']) {
      assert.equal((await other.api('GET', '/content_caches', undefined, `admin:${password}`)).status, 401);
    }
  });
});
