/** Signing in as a browser does: a new id each time, ended by the server, useless to other sites (B07, B08). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestOrigin } from '../../setup/origin.ts';

const start = Date.UTC(2026, 10, 25);
let now = start;
const origin = await startTestOrigin({ clock: () => now });

interface Browser {
  readonly cookie: string;
  readonly csrfToken: string;
  ask(
    method: string,
    path: string,
    init?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<Response>;
}

async function signIn(username = 'admin', password = origin.adminPassword, cookie = ''): Promise<Browser> {
  const response = await fetch(`${origin.url}/api/v0/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(cookie === '' ? {} : { Cookie: cookie }) },
    body: JSON.stringify({ username, password }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  const set = response.headers.get('set-cookie') as string;
  const { csrfToken } = (await response.json()) as { csrfToken: string };
  const own = set.split(';')[0] as string;
  return {
    cookie: own,
    csrfToken,
    ask: (method, path, { body, headers = {} } = {}) =>
      fetch(`${origin.url}/api/v0${path}`, {
        method,
        headers: {
          Cookie: own,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
}

describe('a session', () => {
  it('is a cookie for this host alone, out of reach of scripts', async () => {
    const response = await fetch(`${origin.url}/api/v0/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: origin.adminPassword }),
    });
    assert.match(
      response.headers.get('set-cookie') ?? '',
      /^dtr_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it('has a new id at each sign-in, whatever the browser brought along', async () => {
    const first = await signIn();
    const second = await signIn('admin', origin.adminPassword, first.cookie);
    assert.notEqual(second.cookie, first.cookie);
    const fixed = await signIn('admin', origin.adminPassword, 'dtr_session=chosen-by-somebody-else');
    assert.doesNotMatch(fixed.cookie, /chosen/);
  });

  it('reads without more, and changes something only with its CSRF token', async () => {
    const browser = await signIn();
    const { csrfToken } = browser;
    const body = { name: 'by-session', host: 'http://cache' };
    assert.equal((await browser.ask('GET', '/content_caches')).status, 200);
    assert.equal((await browser.ask('POST', '/content_caches', { body })).status, 403);
    const another = { 'X-CSRF-Token': (await signIn()).csrfToken };
    assert.equal((await browser.ask('POST', '/content_caches', { body, headers: another })).status, 403);
    const own = { 'X-CSRF-Token': csrfToken };
    assert.equal((await browser.ask('POST', '/content_caches', { body, headers: own })).status, 201);
  });

  for (const headers of [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
  ] as Record<string, string>[]) {
    it(`changes nothing for another site: ${JSON.stringify(headers)}`, async () => {
      const browser = await signIn();
      const answer = await browser.ask('POST', '/content_caches', {
        body: { name: 'forged', host: 'http://cache' },
        headers: { ...headers, 'X-CSRF-Token': browser.csrfToken },
      });
      assert.equal(answer.status, 403);
    });
  }

  it('ends with the sign-out, at once', async () => {
    const browser = await signIn();
    const headers = { 'X-CSRF-Token': browser.csrfToken };
    assert.equal((await browser.ask('GET', '/session')).status, 200);
    assert.equal((await browser.ask('DELETE', '/session', { headers })).status, 204);
    assert.equal((await browser.ask('GET', '/session')).status, 401);
  });

  it('ends after twelve hours without a request, and after a week of use', async () => {
    const browser = await signIn();
    now += 11 * 3_600_000;
    assert.equal((await browser.ask('GET', '/session')).status, 200);
    now += 11 * 3_600_000;
    assert.equal((await browser.ask('GET', '/session')).status, 200);
    now += 12 * 3_600_000;
    assert.equal((await browser.ask('GET', '/session')).status, 401);
    const busy = await signIn();
    const signedInAt = now;
    while (now < signedInAt + 7 * 24 * 3_600_000 - 3_600_000) {
      now += 6 * 3_600_000;
      if (now >= signedInAt + 7 * 24 * 3_600_000) break;
      assert.equal((await busy.ask('GET', '/session')).status, 200);
    }
    now = signedInAt + 7 * 24 * 3_600_000;
    assert.equal((await busy.ask('GET', '/session')).status, 401);
  });

  it('is not what a password or a token in a header is', async () => {
    assert.equal((await origin.api('GET', '/session')).status, 401);
  });

  it('is refused with a wrong password, and for who may not sign in', async () => {
    for (const body of [
      { username: 'admin', password: 'wrong-password' },
      { username: 'nobody', password: 'wrong-password' },
    ]) {
      const answer = await fetch(`${origin.url}/api/v0/session`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers.get('set-cookie'), null);
    }
  });
});
