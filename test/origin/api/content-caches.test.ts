import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startApi } from './api.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const collection = '/api/v0/content_caches';
const unknownId = '00000000-0000-4000-8000-000000000000';

const api = await startApi();

describe('content caches', () => {
  const rows = () => api.look('select count(*) from content_caches');
  const create = async (name: string, host = 'http://203.0.113.7:5000'): Promise<string> => {
    const answer = await api.ask('POST', collection, { body: { name, host } });
    assert.equal(answer.status, 201, answer.text);
    return answer.body.id;
  };

  it("an admin registers one as on DTR's page and gets 201, its id and its path", async () => {
    const body = { name: 'region-us', host: 'http://203.0.113.7:5000' };
    const answer = await api.ask('POST', collection, { body });
    assert.equal(answer.status, 201);
    const { id, ...rest } = answer.body;
    assert.match(id, uuid);
    assert.deepEqual(rest, { ...body, isEnabled: true });
    assert.equal(answer.headers.location, `${collection}/${id}`);
    const found = await api.ask('GET', answer.headers.location as string);
    assert.equal(found.status, 200);
    assert.deepEqual(found.body, { id, ...body, isEnabled: true });
  });

  it('the list is a bare array, by name, for any active user', async () => {
    await create('list-b');
    await create('list-a');
    for (const as of ['admin', 'ann'] as const) {
      const answer = await api.ask('GET', collection, { as });
      assert.equal(answer.status, 200);
      assert.ok(Array.isArray(answer.body));
      const names = answer.body.map(({ name }: { name: string }) => name);
      assert.deepEqual(
        names.filter((name: string) => name.startsWith('list-')),
        ['list-a', 'list-b'],
      );
      assert.deepEqual(Object.keys(answer.body[0]).sort(), ['host', 'id', 'isEnabled', 'name']);
    }
  });

  it('comes in pages for who asks for them, and says how many there are', async () => {
    for (const name of ['page-a', 'Page-B', 'page-c']) await create(name);
    const first = await api.ask('GET', `${collection}?pageStart=page-&pageSize=2&count=true`);
    assert.deepEqual(
      first.body.map(({ name }: { name: string }) => name),
      ['page-a', 'Page-B'],
    );
    assert.equal(first.headers['x-next-page-start'], 'page-c');
    assert.equal(Number(first.headers['x-resource-count']), rows());
    const second = await api.ask('GET', `${collection}?pageStart=page-c&pageSize=1`);
    assert.equal(second.body[0].name, 'page-c');
    for (const size of ['0', '-1', 'NaN', '1e30', '1.5', '']) {
      const refused = await api.ask('GET', `${collection}?pageSize=${size}`);
      assert.equal(refused.status, 400, size);
      assert.equal(refused.body.errors[0].detail.field, 'pageSize');
    }
    assert.equal((await api.ask('GET', `${collection}?pageSize=2147483647`)).status, 200);
  });

  it('tells an admin, in pages by name, which users and organizations chose one', async () => {
    const id = await create('chosen by several');
    const users = `${collection}/${id}/users`;
    assert.deepEqual((await api.ask('GET', users)).body, { accounts: [] });
    for (const body of [
      { name: 'zoe', password: 'zoe-zoe-zoe' },
      { name: 'acme', isOrg: true },
    ]) {
      assert.equal((await api.ask('POST', '/api/v0/accounts', { body })).status, 201);
    }
    for (const name of ['zoe', 'ann', 'acme']) {
      const body = { contentCacheUUID: id };
      const chosen = await api.ask('PATCH', `/api/v0/accounts/${name}/settings`, { body });
      assert.equal(chosen.status, 200, chosen.text);
    }
    const first = await api.ask('GET', `${users}?pageSize=2&count=true`);
    const namesOf = (body: { accounts: { name: string; isOrg: boolean }[] }) =>
      body.accounts.map(({ name, isOrg }) => [name, isOrg]);
    assert.deepEqual(namesOf(first.body), [
      ['acme', true],
      ['ann', false],
    ]);
    assert.equal(first.headers['x-next-page-start'], 'zoe');
    assert.equal(first.headers['x-resource-count'], '3');
    assert.deepEqual(namesOf((await api.ask('GET', `${users}?pageStart=zoe`)).body), [['zoe', false]]);

    const body = { contentCacheUUID: '' };
    await api.ask('PATCH', '/api/v0/accounts/ann/settings', { body });
    assert.deepEqual(namesOf((await api.ask('GET', users)).body), [
      ['acme', true],
      ['zoe', false],
    ]);
    const unknown = await api.ask('GET', `${collection}/${unknownId}/users`);
    assert.deepEqual([unknown.status, unknown.code], [404, 'NO_SUCH_CONTENT_CACHE']);
  });

  it('goes on where the header says, whether a script encodes its value or pastes it', async () => {
    const names = ['next', 'next  a', 'next a', 'next-a', 'next.a', 'next_a'];
    for (const name of names) await create(name);
    for (const encoded of [encodeURIComponent, String]) {
      const found: string[] = [];
      let next: string | undefined = 'next';
      while (next !== undefined && found.length < names.length) {
        const page = await api.ask('GET', `${collection}?pageSize=1&pageStart=${encoded(next)}`);
        found.push(page.body[0].name);
        next = page.headers['x-next-page-start'] as string | undefined;
      }
      assert.deepEqual(found, names);
    }
  });

  it('an admin changes one, and nobody changes what somebody else changed meanwhile', async () => {
    const id = await create('changing');
    const before = await api.ask('GET', `${collection}/${id}`);
    const body = { host: 'HTTPS://Cache.Example:443/', isEnabled: false };
    const headers = { 'If-Match': before.headers.etag as string };
    const changed = await api.ask('PATCH', `${collection}/${id}`, { body, headers });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(changed.body, {
      id,
      name: 'changing',
      host: 'https://cache.example',
      isEnabled: false,
    });
    const late = await api.ask('PATCH', `${collection}/${id}`, { body: { name: 'late' }, headers });
    assert.equal(late.status, 412);
    assert.equal(late.code, 'PRECONDITION_FAILED');
    assert.equal((await api.ask('DELETE', `${collection}/${id}`, { headers })).status, 412);
    const now = { 'If-Match': changed.headers.etag as string };
    assert.equal((await api.ask('DELETE', `${collection}/${id}`, { headers: now })).status, 204);
  });

  it('a name that differs in case alone is taken, for a new one and for a changed one (A14)', async () => {
    const id = await create('Same');
    await create('other');
    const twin = { name: 'sAME', host: 'http://cache' };
    assert.equal((await api.ask('POST', collection, { body: twin })).status, 409);
    assert.equal((await api.ask('PATCH', `${collection}/${id}`, { body: { name: 'OTHER' } })).status, 409);
    assert.equal((await api.ask('PATCH', `${collection}/${id}`, { body: { name: 'SAME' } })).status, 200);
  });

  it('the trail tells who created, changed and removed one', async () => {
    const id = await create('traced');
    await api.ask('PATCH', `${collection}/${id}`, { body: { isEnabled: false } });
    await api.ask('DELETE', `${collection}/${id}`);
    await api.ask('DELETE', `${collection}/${id}`);
    const trail = api.look(
      "select group_concat(actor_name || ' ' || type || ' ' || door, ', ') from events where object_id = ? order by id",
      id,
    );
    assert.equal(trail, 'admin CREATE api, admin UPDATE api, admin DELETE api');
  });

  it('any active user reads one', async () => {
    const id = await create('readable');
    const answer = await api.ask('GET', `${collection}/${id}`, { as: 'ann' });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.name, 'readable');
  });

  it('one that does not exist is 404 NO_SUCH_CONTENT_CACHE', async () => {
    for (const id of [unknownId, 'no-uuid', '%00', "x'%20OR%201=1--"]) {
      const answer = await api.ask('GET', `${collection}/${id}`);
      assert.equal(answer.status, 404);
      assert.equal(answer.code, 'NO_SUCH_CONTENT_CACHE');
    }
  });

  it('an admin deletes one: 204 without a body, and again 204', async () => {
    const id = await create('short-lived');
    for (const path of [`${collection}/${id}`, `${collection}/${id}`, `${collection}/${unknownId}`]) {
      const answer = await api.ask('DELETE', path);
      assert.equal(answer.status, 204);
      assert.equal(answer.text, '');
    }
    assert.equal((await api.ask('GET', `${collection}/${id}`)).status, 404);
  });

  it('deleting with a JSON content type and no body works, as scripts for DTR do it', async () => {
    const id = await create('scripted');
    const answer = await api.ask('DELETE', `${collection}/${id}`, {
      headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(answer.status, 204);
  });

  it('deleting one resets the settings that name it', async () => {
    const id = await create('chosen');
    const settings = '/api/v0/accounts/bob/settings';
    assert.equal((await api.ask('PATCH', settings, { body: { contentCacheUUID: id } })).status, 200);
    await api.ask('DELETE', `${collection}/${id}`);
    const answer = await api.ask('GET', settings);
    assert.deepEqual(answer.body, {
      contentCacheChoice: 'automatic',
      ContentCacheUUID: '',
      contentCacheUUID: '',
      createRepositoryOnPush: null,
    });
  });

  it('version 2.4 spelled the collection with a slash at the end: both work', async () => {
    const body = { name: 'slashed', host: 'https://cache.example.com' };
    const created = await api.ask('POST', `${collection}/`, { body });
    assert.equal(created.status, 201, created.text);
    const listed = await api.ask('GET', `${collection}/`);
    assert.ok(listed.body.some(({ id }: { id: string }) => id === created.body.id));
  });

  it('a name that is taken is 409 CONTENT_CACHE_EXISTS and changes nothing', async () => {
    const id = await create('twin', 'http://first:5000');
    const answer = await api.ask('POST', collection, { body: { name: 'twin', host: 'http://second:5000' } });
    assert.equal(answer.status, 409);
    assert.equal(answer.code, 'CONTENT_CACHE_EXISTS');
    assert.equal(api.look('select host from content_caches where id = ?', id), 'http://first:5000');
  });

  describe('the host is an address and nothing more (A01, A02)', () => {
    const refused: unknown[] = [
      'javascript:alert(1)',
      'ftp://h',
      'file:///etc/passwd',
      '//evil',
      '',
      `http://${'h'.repeat(3000)}`,
      7,
      true,
      [],
      ['http://h'],
      {},
      { toString: 1 },
      null,
      'http://user@h:5000',
      'http://user:secret@h:5000',
      'http://h:5000?q',
      'http://h:5000#f',
      'http://h:5000/path',
      'http://h:5000\\@evil',
      'http://h:5000/@evil',
      'http://h\r\nX-Evil: 1',
      'http://h\t',
      'http://h\u0000',
      ' http://h',
      'http://h:0',
      'http://h:99999',
      'http://h.:5000',
      'http://',
      'http://:5000',
      'http:h',
      'http:///h',
    ];
    for (const host of refused) {
      it(`${JSON.stringify(host).slice(0, 40)} is refused with 400 naming the field`, async () => {
        const before = rows();
        const answer = await api.ask('POST', collection, { body: { name: 'bad-host', host } });
        assert.equal(answer.status, 400);
        assert.equal(answer.code, 'INVALID_PARAMETERS');
        assert.match(answer.body.errors[0].message, /^host: /);
        assert.deepEqual(answer.body.errors[0].detail, { field: 'host' });
        assert.equal(rows(), before);
      });
    }
  });

  for (const [why, body, field] of [
    ['no name', { host: 'http://h' }, 'name'],
    ['no host', { name: 'n' }, 'host'],
    ['an empty name', { name: '', host: 'http://h' }, 'name'],
    ['a name of 129 characters', { name: 'n'.repeat(129), host: 'http://h' }, 'name'],
    ['a name with markup', { name: '<b>x</b>', host: 'http://h' }, 'name'],
    ['a name with a zero-width space', { name: 'a\u200bb', host: 'http://h' }, 'name'],
    ['a name that is an object', { name: { toString: 1 }, host: 'http://h' }, 'name'],
    ['a name that is a list', { name: ['a', 'b'], host: 'http://h' }, 'name'],
    ['a name that is null', { name: null, host: 'http://h' }, 'name'],
    ['an id of their own', { id: unknownId, name: 'n', host: 'http://h' }, 'id'],
    ['a created_at of their own', { created_at: 1, name: 'n', host: 'http://h' }, 'created_at'],
    ['a __proto__', JSON.parse('{"name":"n","host":"http://h","__proto__":{"id":"x"}}'), '__proto__'],
  ] as const) {
    it(`${why} is refused with 400 naming the field`, async () => {
      const before = rows();
      const answer = await api.ask('POST', collection, { body });
      assert.equal(answer.status, 400, answer.text);
      assert.equal(answer.code, 'INVALID_PARAMETERS');
      assert.equal(answer.body.errors[0].detail.field, field);
      assert.ok(answer.body.errors[0].message.startsWith(`${field}: `));
      assert.equal(rows(), before);
    });
  }

  it('what would be SQL is a name that is not allowed, and never SQL (A08)', async () => {
    const answer = await api.ask('POST', collection, { body: { name: "x' OR 1=1--", host: 'http://h' } });
    assert.equal(answer.status, 400);
    assert.doesNotMatch(answer.text, /insert|select|sqlite/i);
  });
});
