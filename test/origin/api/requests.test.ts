/** What holds for every request to the API: who is let in, in which order it complains, which bodies it reads. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { basic } from '../../setup/origin.ts';
import { type Answer, startApi } from './api.ts';

const api = await startApi();
const caches = '/api/v0/content_caches';
const cache = { name: 'region-us', host: 'http://203.0.113.7:5000' };
const id: string = (await api.ask('POST', caches, { body: cache })).body.id;

const operations = [
  ['GET', caches, 'users'],
  ['POST', caches, 'admins'],
  ['GET', `${caches}/${id}`, 'users'],
  ['DELETE', `${caches}/${id}`, 'admins'],
  ['POST', '/api/v0/accounts', 'admins'],
  ['GET', '/api/v0/accounts/bob/settings', 'self'],
  ['PATCH', '/api/v0/accounts/bob/settings', 'self'],
] as const;

/** Everything that a refused request could have changed. */
const state = () =>
  api.look(`select (select group_concat(id || name || host) from content_caches)
    || (select group_concat(name || is_admin) from accounts)
    || (select coalesce(group_concat(account_id || content_cache_id), '') from account_settings)`);

describe('who is let in', () => {
  const bearer = async (credentials: string) => {
    const response = await fetch(`${api.origin.url}/auth/token`, {
      headers: { Authorization: basic(credentials) },
    });
    return ((await response.json()) as { token: string }).token;
  };

  for (const [method, path, rights] of operations) {
    for (const raw of ['{}', '{bad']) {
      it(`${method} ${path} with the body ${raw}: nobody gets 401 before anything else`, async () => {
        const before = state();
        const strangers: Record<string, string>[] = [
          {},
          { Authorization: basic('ann:wrong-password') },
          { Authorization: basic(api.credentials('idle')) },
          { Authorization: basic('carol:some-password') },
          { Authorization: 'Bearer made.up.token' },
        ];
        for (const headers of strangers) {
          const answer = await api.ask(method, path, { as: 'nobody', headers, raw });
          assert.equal(answer.status, 401, answer.text);
          assert.equal(answer.code, 'NOT_AUTHENTICATED');
          assert.equal(answer.headers['www-authenticate'], 'Basic realm="dtr"');
        }
        assert.equal(state(), before);
      });

      if (rights === 'users') continue;
      it(`${method} ${path} with the body ${raw}: another user gets 403 before any complaint`, async () => {
        const before = state();
        const answer = await api.ask(method, path, { as: 'ann', raw });
        assert.equal(answer.status, 403);
        assert.equal(answer.code, 'NOT_AUTHORIZED');
        assert.equal(answer.text.includes('Content-Type'), false);
        assert.equal(state(), before);
      });
    }
  }

  it('the token of a plain GET /auth/token works as Bearer, with the rights of its user', async () => {
    const admin = { Authorization: `Bearer ${await bearer(api.credentials('admin'))}` };
    const ann = { Authorization: `Bearer ${await bearer(api.credentials('ann'))}` };
    const body = { name: 'by-token', host: 'http://h' };
    assert.equal((await api.ask('GET', caches, { as: 'nobody', headers: ann })).status, 200);
    assert.equal((await api.ask('POST', caches, { as: 'nobody', headers: ann, body })).status, 403);
    assert.equal((await api.ask('POST', caches, { as: 'nobody', headers: admin, body })).status, 201);
  });

  it('a token for the registry is not one for the API (C06)', async () => {
    const token = await api.origin.token('admin', api.origin.adminPassword, 'registry:catalog:*');
    const headers = { Authorization: `Bearer ${token}` };
    assert.equal((await api.ask('GET', caches, { as: 'nobody', headers })).status, 401);
  });

  it('who was deactivated is out at the next request, with password and with token', async () => {
    const body = { name: 'leaver', password: 'leaver-password' };
    await api.ask('POST', '/api/v0/accounts', { body });
    const both = [
      { Authorization: basic('leaver:leaver-password') },
      { Authorization: `Bearer ${await bearer('leaver:leaver-password')}` },
    ];
    const statuses = async () => {
      const answers = both.map((headers) => api.ask('GET', caches, { as: 'nobody', headers }));
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    assert.deepEqual(await statuses(), [200, 200]);
    api.tamper("update accounts set is_active = 0 where name = 'leaver'");
    assert.deepEqual(await statuses(), [401, 401]);
  });

  for (const header of [
    'Basic',
    'Basic !!!',
    `Basic ${btoa('no-colon')}`,
    `Basic ${btoa(':x')}`,
    'Bearer',
    'Bearer ',
  ]) {
    it(`the header "${header}" is no credential (B17)`, async () => {
      const answer = await api.ask('GET', caches, { as: 'nobody', headers: { Authorization: header } });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['www-authenticate'], 'Basic realm="dtr"');
    });
  }

  it("a script of a page gets no challenge, so that no browser's pop-up covers the docs", async () => {
    const answer = await api.ask('GET', caches, { as: 'nobody', headers: { 'Sec-Fetch-Dest': 'empty' } });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['www-authenticate'], undefined);
  });

  describe('another spelling of a path is no way around (A07)', () => {
    for (const [method, path, rights] of operations.filter(([, , rights]) => rights !== 'users')) {
      for (const spelling of [
        `${path}/`,
        `${path}//`,
        `${path}?x=1`,
        `${path};x`,
        `/${path}`,
        path.replace('/api', '//api'),
        path.replace('/v0/', '/v0//'),
        path.replace('/api/v0', '/API/V0'),
        path.replace('/api/v0', '/api/./v0'),
        path.replace('/api/v0', '/x/../api/v0'),
        path.replace('/api/v0', '/api%2Fv0'),
        path.replace('accounts', 'Accounts').replace('content_caches', 'Content_Caches'),
        path.replace('a', '%61'),
        `${path}%2F`,
        `${path}%00`,
        `http://localhost${path}`,
      ]) {
        it(`${rights} only: ${method} ${spelling}`, async () => {
          const before = state();
          for (const as of ['ann', 'nobody'] as const) {
            const body = path.endsWith('settings') ? { contentCacheUUID: id } : cache;
            for (const headers of [{}, { 'X-HTTP-Method-Override': method }] as Record<string, string>[]) {
              const sent = Object.keys(headers).length > 0 ? 'GET' : method;
              const answer = await api.ask(sent, spelling, { as, body, headers });
              const mayRead = as === 'ann' && sent === 'GET' && answer.status === 200;
              if (mayRead) assert.equal(path.endsWith('settings'), false);
              else assert.ok([400, 401, 403, 404, 405].includes(answer.status), answer.text);
            }
          }
          assert.equal(state(), before);
        });
      }
    }
  });
});

describe('a request of a page of another site (CSRF)', () => {
  for (const site of ['cross-site', 'same-site']) {
    it(`that is ${site} changes nothing, with whatever credentials`, async () => {
      const before = state();
      const headers = { 'Sec-Fetch-Site': site };
      for (const [method, path] of operations.filter(([method]) => method !== 'GET')) {
        assert.equal((await api.ask(method, path, { headers, body: cache })).status, 403);
      }
      assert.equal(state(), before);
    });
  }

  it('is told apart from the docs page and from a client that is no browser', async () => {
    for (const headers of [{ 'Sec-Fetch-Site': 'same-origin' }, { 'Sec-Fetch-Site': 'none' }, {}]) {
      const answer = await api.ask('PATCH', '/api/v0/accounts/ann/settings', {
        headers: headers as Record<string, string>,
        body: {},
      });
      assert.equal(answer.status, 200);
    }
  });

  it('gets no permission to read the answer', async () => {
    const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'DELETE' };
    const answer = await api.ask('OPTIONS', caches, { as: 'nobody', headers });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  });
});

describe('methods and media types', () => {
  for (const [method, path, allow] of [
    ['PUT', caches, 'GET, HEAD, POST'],
    ['DELETE', caches, 'GET, HEAD, POST'],
    ['OPTIONS', caches, 'GET, HEAD, POST'],
    ['PUT', `${caches}/${id}`, 'DELETE, GET, HEAD, PATCH'],
    ['POST', `${caches}/${id}`, 'DELETE, GET, HEAD, PATCH'],
    ['DELETE', '/api/v0/accounts', 'GET, HEAD, POST'],
    ['GET', '/api/v0/accounts/ann/changePassword', 'POST'],
    ['HEAD', '/api/v0/accounts/ann/changePassword', 'POST'],
    ['POST', '/api/v0/accounts/ann/settings', 'GET, HEAD, PATCH'],
  ] as const) {
    it(`${method} ${path} is 405 with Allow: ${allow}`, async () => {
      const answer = await api.ask(method, path);
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow?.split(', ').sort().join(', '), allow);
      if (method !== 'HEAD') assert.equal(answer.code, 'NOT_ALLOWED');
    });
  }

  it('HEAD answers as GET does, without the body', async () => {
    const get = await api.ask('GET', caches);
    const head = await api.ask('HEAD', caches);
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], get.headers['content-length']);
    assert.equal(head.text, '');
  });

  it('an operation that does not exist is 404, for users and, as everything, 401 for nobody', async () => {
    for (const path of ['/api/v0', '/api/v0/', '/api/v0/nothing', '/api/v0/content_caches/a/b']) {
      assert.equal((await api.ask('GET', path)).status, 404);
      assert.equal((await api.ask('GET', path, { as: 'nobody' })).status, 401);
    }
  });

  it('an answer that is not JSON cannot be had: 406', async () => {
    const answer = await api.ask('GET', caches, { headers: { Accept: 'text/html' } });
    assert.equal(answer.status, 406);
    assert.equal(answer.code, 'NOT_ACCEPTABLE');
    for (const Accept of ['*/*', 'application/*', 'text/html, application/json;q=0.1']) {
      assert.equal((await api.ask('GET', caches, { headers: { Accept } })).status, 200);
    }
  });

  it('a path that cannot be decoded is 400', async () => {
    assert.equal((await api.ask('GET', `${caches}/%zz`)).status, 400);
    assert.equal((await api.ask('GET', '/api/v0/accounts/%ff/settings')).status, 400);
  });
});

describe('bodies (A13)', () => {
  const bodies: [string, number, string, string | Buffer, Record<string, string>?][] = [
    ['broken JSON', 400, 'INVALID_JSON', '{bad'],
    ['null', 400, 'INVALID_JSON', 'null'],
    ['a string', 400, 'INVALID_JSON', '"s"'],
    ['nothing', 400, 'INVALID_JSON', ''],
    ['a list', 400, 'INVALID_PARAMETERS', '[]'],
    ['a byte order mark', 400, 'INVALID_JSON', `\ufeff${JSON.stringify(cache)}`],
    ['the depth of 50,000 lists', 400, 'INVALID_PARAMETERS', `{"name":${'['.repeat(5e4)}${']'.repeat(5e4)}}`],
    ['50,000 lists that never end', 400, 'INVALID_JSON', `{"name":${'['.repeat(5e4)}`],
    ['a member 10,000 times', 400, 'INVALID_PARAMETERS', `{${'"name":1,'.repeat(9_999)}"name":1}`],
    ['10,000 members with numbers as names', 400, 'INVALID_PARAMETERS', members(10_000)],
    ['a million members', 413, 'TOO_LARGE', members(1_000_000)],
    ['one byte more than 100 KiB', 413, 'TOO_LARGE', padded(100 * 1024 + 1)],
    ['text', 415, 'UNSUPPORTED_MEDIA_TYPE', JSON.stringify(cache), { 'Content-Type': 'text/plain' }],
    [
      'a form',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'name=a',
      { 'Content-Type': 'application/x-www-form-urlencoded' },
    ],
    [
      'a form with a file',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'x',
      { 'Content-Type': 'multipart/form-data; boundary=x' },
    ],
    ['a type that is none', 415, 'UNSUPPORTED_MEDIA_TYPE', '{}', { 'Content-Type': 'json' }],
    [
      'UTF-16',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      Buffer.from(JSON.stringify(cache), 'utf16le'),
      { 'Content-Type': 'application/json; charset=utf-16' },
    ],
    [
      'UTF-7',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      JSON.stringify(cache),
      { 'Content-Type': 'application/json; charset=utf-7' },
    ],
    [
      'Latin-1',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      JSON.stringify(cache),
      { 'Content-Type': 'application/json; charset=iso-8859-1' },
    ],
    ['gzip', 415, 'UNSUPPORTED_MEDIA_TYPE', gzipSync(JSON.stringify(cache)), { 'Content-Encoding': 'gzip' }],
    [
      'a bomb of gzip',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      gzipSync(Buffer.alloc(5e6)),
      { 'Content-Encoding': 'gzip' },
    ],
  ];
  for (const [what, status, code, raw, headers = {}] of bodies) {
    for (const [method, path] of operations.filter(([method]) => method === 'POST' || method === 'PATCH')) {
      it(`${method} ${path}: ${what} is ${status} ${code}, while others are served`, async () => {
        const before = state();
        const startedAt = performance.now();
        const pinged = fetch(`${api.origin.url}/_ping`).then(({ status }) => ({
          status,
          waitedMs: performance.now() - startedAt,
        }));
        const [answer, ping] = await Promise.all([api.ask(method, path, { raw, headers }), pinged]);
        assert.ok(ping.waitedMs < 1_000);
        assert.equal(ping.status, 200);
        assert.equal(answer.status, status, answer.text);
        const expected =
          path.endsWith('settings') && code === 'INVALID_PARAMETERS' ? 'INVALID_USER_SETTINGS' : code;
        assert.equal(answer.code, expected);
        assert.doesNotMatch(answer.text, /node_modules|\bat .*:\d+/);
        assert.equal(state(), before);
      });
    }
  }

  it('a change without any body at all is 400', async () => {
    const { hostname, port } = new URL(api.origin.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PATCH /api/v0/accounts/ann/settings HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n` +
        `Content-Type: application/json\r\nAuthorization: ${basic(api.credentials('ann'))}\r\n\r\n`,
    );
    assert.match(await readAll(socket), /^HTTP\/1.1 400 .*"code":"INVALID_JSON"/s);
  });

  it('100 KiB exactly, and UTF-8 said in any case of letters, are read', async () => {
    const settings = '/api/v0/accounts/ann/settings';
    const full = await api.ask('PATCH', settings, { raw: padded(100 * 1024) });
    assert.equal(full.status, 200, full.text);
    for (const type of ['application/json; charset=utf-8', 'application/json;charset=UTF-8']) {
      const answer = await api.ask('PATCH', settings, { raw: '{}', headers: { 'Content-Type': type } });
      assert.equal(answer.status, 200, answer.text);
    }
  });

  it('a query that is not in the contract is refused, and never parsed into more than text (A10)', async () => {
    for (const query of ['name[]=a', 'sort=name;drop', '__proto__[x]=1', 'a=1&a=2']) {
      const answer = await api.ask('GET', `${caches}?${query}`);
      assert.equal(answer.status, 400, answer.text);
      assert.equal(answer.code, 'INVALID_PARAMETERS');
    }
  });

  /** An empty object of that many bytes. */
  function padded(sizeBytes: number): string {
    return `{${' '.repeat(sizeBytes - 2)}}`;
  }

  function members(count: number): string {
    return `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`;
  }
});

describe('every answer', () => {
  const answers: Record<string, () => Promise<Answer>> = {
    200: () => api.ask('GET', caches),
    204: () => api.ask('DELETE', `${caches}/none`),
    400: () => api.ask('POST', caches, { raw: '{' }),
    401: () => api.ask('GET', caches, { as: 'nobody' }),
    403: () => api.ask('POST', caches, { as: 'ann' }),
    404: () => api.ask('GET', '/api/v0/none'),
    405: () => api.ask('PUT', caches),
  };

  it('is kept by no cache, framed by no page, and does not say what serves it (B13)', async () => {
    for (const [status, ask] of Object.entries(answers)) {
      const { headers, ...answer } = await ask();
      assert.equal(String(answer.status), status);
      assert.equal(headers['cache-control'], 'no-store', status);
      assert.equal(headers['x-content-type-options'], 'nosniff', status);
      assert.equal(headers['referrer-policy'], 'no-referrer', status);
      assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/);
      assert.equal(headers['x-powered-by'], undefined, status);
      if (status !== '204') assert.match(headers['content-type'] ?? '', /^application\/json/);
    }
  });

  it('of a defect is 500 with the id under which the log tells everything, and nothing else (A18)', async () => {
    api.tamper('alter table content_caches rename to elsewhere');
    try {
      for (const [method, body] of [['GET'], ['POST', cache]] as const) {
        const answer = await api.ask(method, caches, { body });
        assert.equal(answer.status, 500);
        const [{ detail, ...error }] = answer.body.errors;
        assert.deepEqual(error, {
          code: 'INTERNAL_ERROR',
          message: 'An internal server error occurred. Contact a system administrator for more information.',
        });
        assert.deepEqual(Object.keys(detail), ['requestId']);
        const line = api.origin.logs.find(({ requestId }) => requestId === detail.requestId);
        assert.equal(line?.level, 'error');
        assert.match(String(line?.error), /no such table/);
      }
    } finally {
      api.tamper('alter table elsewhere rename to content_caches');
    }
    assert.equal((await api.ask('GET', caches)).status, 200);
  });

  it('that does not match the contract is our mistake: 500, and logged', async () => {
    api.tamper(
      `insert into content_caches (id, name, host, created_at) values ('no-uuid', 'broken', 'http://h', 0)`,
    );
    try {
      const answer = await api.ask('GET', caches);
      assert.equal(answer.status, 500);
      assert.equal(answer.code, 'INTERNAL_ERROR');
      assert.ok(api.origin.logs.some(({ msg }) => msg === 'an answer does not match the contract'));
    } finally {
      api.tamper("delete from content_caches where id = 'no-uuid'");
    }
  });

  it('leaves one line in the log, with the user, and no line holds a password', () => {
    const lines = api.origin.logs.filter(({ msg, path }) => msg === 'request' && path === caches);
    assert.ok(lines.some(({ user, status }) => user === 'ann' && status === 403));
    const log = JSON.stringify(api.origin.logs);
    for (const user of ['admin', 'ann', 'bob', 'idle'] as const) {
      const password = api.credentials(user).slice(user.length + 1);
      assert.equal(log.includes(password), false);
      assert.equal(log.includes(btoa(api.credentials(user))), false);
    }
  });
});
