import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { basic } from '../../setup/origin.ts';
import { type Answer, startApi } from './api.ts';

let now = Date.parse('2026-11-25T09:30:00Z');
const api = await startApi({ clock: () => now });
const collection = '/api/v0/api_tokens';
const create = (body: object, { as = 'ann', query = '', agent = 'curl/8' } = {}) =>
  api.ask('POST', `${collection}${query}`, { as, body, headers: { 'User-Agent': agent } });
const signIn = (user: string, token: string, method = 'GET', path = '/api/v0/content_caches') =>
  api.ask(method, path, {
    as: 'nobody',
    headers: { Authorization: basic(`${user}:${token}`) },
    ...(method === 'GET' ? {} : { body: {} }),
  });
const fieldOf = ({ body }: Answer) => body?.errors?.[0]?.detail?.field;
const labelsOf = ({ body }: Answer) => body.map(({ tokenLabel }: { tokenLabel: string }) => tokenLabel);

describe('an access token', () => {
  it('is shown once, works as the password, and is kept as a hash', async () => {
    const answer = await create({ tokenLabel: 'ci' });
    assert.equal(answer.status, 200);
    const { token, ...shown } = answer.body;
    const hash = createHash('sha256').update(token).digest('hex');
    assert.deepEqual(shown, {
      ...{ hashedToken: hash, tokenLabel: 'ci', isActive: true, access: 'read-write' },
      ...{ createdAt: '2026-11-25T09:30:00.000Z', expiresAt: null, lastUsed: null },
      ...{ generatedBy: 'ann', creatorUa: 'curl/8' },
    });
    assert.equal((await signIn('ann', token)).status, 200);
    assert.equal((await signIn('bob', token)).status, 401);
    assert.ok(await api.origin.token('ann', token, 'repository:ann/app:pull'));
    const read = await api.ask('GET', `${collection}/${hash}`, { as: 'ann' });
    assert.deepEqual(read.body, { ...shown, lastUsed: '2026-11-25T09:30:00.000Z' });
    assert.equal(api.look('select count(*) from access_tokens where token_hash = ?', token), 0);
    assert.doesNotMatch(JSON.stringify(api.origin.logs), new RegExp(token));
  });

  it('may say nothing of itself, and takes the name of a long program in part', async () => {
    const answer = await create({}, { agent: 'a'.repeat(300) });
    assert.deepEqual([answer.body.tokenLabel, answer.body.creatorUa], ['', 'a'.repeat(255)]);
  });

  it('that only reads changes nothing, and makes no other token', async () => {
    const { body } = await create({ access: 'read-only' });
    assert.equal(body.access, 'read-only');
    assert.equal((await signIn('ann', body.token)).status, 200);
    for (const path of [collection, '/api/v0/accounts/ann/changePassword', '/api/v0/accounts']) {
      assert.equal((await signIn('ann', body.token, 'POST', path)).status, 403, path);
    }
    assert.equal(
      (await signIn('ann', body.token, 'DELETE', `${collection}/${body.hashedToken}`)).status,
      403,
    );
  });

  it('ends when it said it would', async () => {
    const { body } = await create({ expiresAt: '2026-11-25T11:30:00+01:00' });
    assert.equal(body.expiresAt, '2026-11-25T10:30:00.000Z');
    now = Date.parse('2026-11-25T10:29:59Z');
    assert.equal((await signIn('ann', body.token)).status, 200);
    now = Date.parse('2026-11-25T10:30:00Z');
    assert.equal((await signIn('ann', body.token)).status, 401);
  });

  for (const [field, body] of [
    ['expiresAt', { expiresAt: '2020-01-01T00:00:00Z' }],
    ['expiresAt', { expiresAt: 'tomorrow' }],
    ['expiresAt', { expiresAt: '2027-02-30T00:00:00Z' }],
    ['expiresAt', { expiresAt: 1_900_000_000 }],
    ['access', { access: 'admin' }],
    ['tokenLabel', { tokenLabel: 'l'.repeat(256) }],
    ['tokenLabel', { tokenLabel: 7 }],
    ['isActive', { isActive: true }],
    ['generatedBy', { generatedBy: 'x' }],
    ['token_hash', { token_hash: 'x' }],
  ] as const) {
    it(`of ${JSON.stringify(body).slice(0, 40)} is refused: 400 naming ${field}`, async () => {
      const answer = await create(body);
      assert.deepEqual([answer.status, answer.code, fieldOf(answer)], [400, 'INVALID_PARAMETERS', field]);
    });
  }

  it('that is switched off is refused at once, and works again when it is switched on', async () => {
    const { token, hashedToken } = (await create({ tokenLabel: 'switched' })).body;
    const change = (body: object) => api.ask('PATCH', `${collection}/${hashedToken}`, { as: 'ann', body });
    assert.equal((await change({ isActive: false })).body.isActive, false);
    assert.equal((await signIn('ann', token)).status, 401);
    const changed = await change({ isActive: true, tokenLabel: 'renamed' });
    assert.deepEqual([changed.body.isActive, changed.body.tokenLabel], [true, 'renamed']);
    assert.equal((await signIn('ann', token)).status, 200);
    assert.deepEqual(fieldOf(await change({ access: 'read-write' })), 'access');
  });

  it('that is revoked is refused at once, and is unknown from then on', async () => {
    const { token, hashedToken } = (await create({})).body;
    const revoke = () => api.ask('DELETE', `${collection}/${hashedToken}`, { as: 'ann' });
    const revoked = await revoke();
    assert.deepEqual([revoked.status, revoked.body], [200, { deleted: 1 }]);
    assert.equal((await signIn('ann', token)).status, 401);
    const again = await revoke();
    assert.deepEqual([again.status, again.code], [404, 'NO_SUCH_API_TOKEN']);
  });

  it('is the only way in for a service account; of a deactivated user it is none', async () => {
    await api.add('machine', { isServiceAccount: true });
    const { body } = await create({}, { as: 'admin', query: '?username=machine' });
    assert.equal(body.generatedBy, 'admin');
    assert.equal((await signIn('machine', body.token)).status, 200);
    const session = { username: 'machine', password: body.token };
    assert.equal((await api.ask('POST', '/api/v0/session', { as: 'nobody', body: session })).status, 401);
    await api.ask('PATCH', '/api/v0/accounts/machine', { body: { isActive: false } });
    assert.equal((await signIn('machine', body.token)).status, 401);
  });
});

describe('the access tokens of others', () => {
  it('are for admins: others get one and the same refusal', async () => {
    const { hashedToken } = (await create({ tokenLabel: 'of ann' })).body;
    const texts = new Set<string>();
    for (const username of ['ann', 'ghost', 'admin']) {
      for (const [method, body] of [['GET'], ['POST', {}], ['DELETE']] as const) {
        const answer = await api.ask(method, `${collection}?username=${username}`, { as: 'bob', body });
        assert.equal(answer.status, 403);
        texts.add(answer.text);
      }
    }
    assert.equal(texts.size, 1);
    texts.clear();
    for (const hash of [hashedToken, '0'.repeat(64), 'x']) {
      for (const [method, body] of [['GET'], ['PATCH', { isActive: false }], ['DELETE']] as const) {
        const answer = await api.ask(method, `${collection}/${hash}`, { as: 'bob', body });
        assert.deepEqual([answer.status, answer.code], [404, 'NO_SUCH_API_TOKEN']);
        texts.add(answer.text);
      }
    }
    assert.equal(texts.size, 1);
    assert.equal((await api.ask('GET', `${collection}/${hashedToken}`)).body.tokenLabel, 'of ann');
    const unknown = await api.ask('GET', `${collection}?username=ghost`);
    assert.deepEqual([unknown.status, unknown.code], [404, 'NO_SUCH_USER']);
  });
});

describe('lists of access tokens', () => {
  it('begin with the newest, and come in pages', async () => {
    for (const tokenLabel of ['first', 'second', 'third']) {
      now += 1_000;
      await create({ tokenLabel }, { as: 'bob' });
    }
    const path = `${collection}?pageSize=2&count=true`;
    const newest = await api.ask('GET', path, { as: 'bob' });
    assert.deepEqual(labelsOf(newest), ['third', 'second']);
    assert.equal(newest.headers['x-resource-count'], '3');
    const next = newest.headers['x-next-page-start'];
    const rest = await api.ask('GET', `${path}&pageStart=${next}`, { as: 'bob' });
    assert.deepEqual([labelsOf(rest), rest.headers['x-next-page-start']], [['first'], undefined]);
    assert.deepEqual(labelsOf(await api.ask('GET', `${collection}?username=bob`)), [
      'third',
      'second',
      'first',
    ]);
  });

  it('are thinned out by who made them, and by when they were used last', async () => {
    await create({ tokenLabel: 'by admin' }, { as: 'admin', query: '?username=bob' });
    const remove = (query: string) => api.ask('DELETE', `${collection}?username=bob&${query}`, { as: 'bob' });
    assert.deepEqual((await remove('generatedby=auto')).body, { deleted: 0 });
    assert.deepEqual((await remove('generatedby=admin')).body, { deleted: 1 });
    const used = (await create({ tokenLabel: 'used' }, { as: 'bob' })).body.token;
    now += 3_600_000;
    await signIn('bob', used);
    const before = encodeURIComponent(new Date(now).toISOString());
    assert.deepEqual((await remove(`usedbefore=${before}`)).body, { deleted: 3 });
    assert.deepEqual(labelsOf(await api.ask('GET', collection, { as: 'bob' })), ['used']);
    const refused = await remove('usedbefore=yesterday');
    assert.deepEqual([refused.status, fieldOf(refused)], [400, 'usedbefore']);
    assert.deepEqual((await api.ask('DELETE', collection, { as: 'bob' })).body, { deleted: 1 });
  });

  it('are no longer than 1000 (409 TOO_MANY_TOKENS)', async () => {
    api.tamper(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
      insert into access_tokens (token_hash, account_id, label, access, is_active, generated_by, creator_user_agent, created_at)
      select 'many-' || i, accounts.id, '', 'read-only', 1, 'bob', '', 0 from n, accounts where accounts.name = 'bob'`);
    const answer = await create({}, { as: 'bob' });
    assert.deepEqual([answer.status, answer.code], [409, 'TOO_MANY_TOKENS']);
    assert.deepEqual((await api.ask('DELETE', collection, { as: 'bob' })).body, { deleted: 1000 });
  });
});

it('the trail tells of each change, and of nothing secret', async () => {
  await api.add('traced');
  const { token, hashedToken } = (await create({ tokenLabel: 'canary' }, { as: 'traced' })).body;
  const path = `${collection}/${hashedToken}`;
  await api.ask('PATCH', path, { as: 'traced', body: { isActive: false } });
  await api.ask('PATCH', path, { as: 'traced', body: { isActive: false } });
  await api.ask('DELETE', path, { as: 'traced' });
  const trail = String(
    api.look(`select group_concat(type || ' ' || object_name || ' ' || target_name || ' ' || coalesce(content, ''), '; ')
      from (select * from events where object_type = 'api_token' and target_name = 'traced' order by id)`),
  );
  assert.equal(
    trail,
    'CREATE canary traced {"access":"read-write","expiresAt":null}; ' +
      'UPDATE canary traced {"tokenLabel":"canary","isActive":false}; DELETE canary traced ',
  );
  assert.equal(api.look("select count(*) from events where content like '%' || ? || '%'", token), 0);
});
