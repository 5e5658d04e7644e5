import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, startApi } from './api.ts';

const api = await startApi();
for (const name of ['owner', 'member']) await api.add(name);
await api.add('acme', { isOrg: true });
for (const [name, isAdmin] of [
  ['owner', true],
  ['member', false],
] as const) {
  await api.ask('PUT', `/api/v0/accounts/acme/members/${name}`, { body: { isAdmin } });
}
const teams = '/api/v0/accounts/acme/teams';
const create = (body: object) => api.ask('POST', teams, { as: 'owner', body });
const namesOf = (entries: { name: string }[]) => entries.map(({ name }) => name);
const fieldOf = ({ body }: Answer) => body?.errors?.[0]?.detail?.field;

describe('teams', () => {
  it('an owner creates one, and members read it', async () => {
    const created = await create({ name: 'web', description: 'Web shop' });
    assert.deepEqual([created.status, created.headers.location], [201, `${teams}/web`]);
    const { id, orgID, ...rest } = created.body;
    for (const uuid of [id, orgID]) assert.match(uuid, /^[0-9a-f-]{36}$/);
    const counts = { membersCount: 0, clientUserIsMember: false };
    assert.deepEqual(rest, { name: 'web', description: 'Web shop', ...counts });
    const read = await api.ask('GET', `${teams}/web`, { as: 'member' });
    assert.deepEqual([read.status, read.body], [200, created.body]);
  });

  it('a twin is 409 TEAM_EXISTS, also by renaming', async () => {
    await create({ name: 'twin' });
    const again = await create({ name: 'web' });
    const renamed = await api.ask('PATCH', `${teams}/twin`, { body: { name: 'web' } });
    for (const answer of [again, renamed]) {
      assert.deepEqual([answer.status, answer.code, fieldOf(answer)], [409, 'TEAM_EXISTS', 'name']);
    }
  });

  for (const [field, body] of [
    ['name', {}],
    ['name', { name: 'Web' }],
    ['name', { name: '../x' }],
    ['name', { name: 7 }],
    ['description', { name: 'x', description: 'd'.repeat(256) }],
    ['orgID', { name: 'x', orgID: 'x' }],
    ['id', { name: 'x', id: 'x' }],
  ] as const) {
    it(`${JSON.stringify(body).slice(0, 40)} is no team: 400 naming ${field}`, async () => {
      const answer = await create(body);
      assert.deepEqual([answer.status, answer.code, fieldOf(answer)], [400, 'INVALID_PARAMETERS', field]);
    });
  }

  it('one is renamed, unless it was changed since it was read', async () => {
    await create({ name: 'old-name' });
    const etag = String((await api.ask('GET', `${teams}/old-name`)).headers.etag);
    const ask = (method: string, path: string, body?: object) =>
      api.ask(method, `${teams}/${path}`, { as: 'owner', body, headers: { 'If-Match': etag } });
    const renamed = await ask('PATCH', 'old-name', { name: 'new-name' });
    assert.deepEqual([renamed.status, renamed.body.name], [200, 'new-name']);
    for (const lost of [
      await ask('PATCH', 'new-name', { description: 'lost' }),
      await ask('DELETE', 'new-name'),
      await ask('DELETE', 'ghost'),
    ]) {
      assert.deepEqual([lost.status, lost.code], [412, 'PRECONDITION_FAILED']);
    }
    const described = await api.ask('PATCH', `${teams}/new-name`, { body: { description: 'kept' } });
    assert.deepEqual([described.body.name, described.body.description], ['new-name', 'kept']);
  });

  it('one that does not exist is 404 NO_SUCH_TEAM, and deleting it no error', async () => {
    for (const [method, path, body] of [
      ['GET', 'ghost'],
      ['PATCH', 'ghost', { description: 'x' }],
      ['GET', 'ghost/members'],
      ['GET', 'ghost/members/member'],
      ['PUT', 'ghost/members/member'],
      ['DELETE', 'ghost/members/member'],
    ] as const) {
      const answer = await api.ask(method, `${teams}/${path}`, { as: 'owner', body });
      assert.deepEqual([answer.status, answer.code], [404, 'NO_SUCH_TEAM'], `${method} ${path}`);
    }
    assert.equal((await api.ask('DELETE', `${teams}/ghost`, { as: 'owner' })).status, 204);
  });

  it('come in pages, and go', async () => {
    for (const name of ['new-name', 'twin']) await api.ask('DELETE', `${teams}/${name}`, { as: 'owner' });
    await create({ name: 'a-team' });
    await create({ name: 'b-team' });
    const first = await api.ask('GET', `${teams}?pageSize=2&count=true`, { as: 'member' });
    assert.deepEqual(namesOf(first.body.teams), ['a-team', 'b-team']);
    assert.deepEqual([first.headers['x-next-page-start'], first.headers['x-resource-count']], ['web', '3']);
    const last = await api.ask('GET', `${teams}?pageSize=2&pageStart=web`, { as: 'member' });
    assert.deepEqual([namesOf(last.body.teams), last.headers['x-next-page-start']], [['web'], undefined]);
  });
});

describe('members of a team', () => {
  const members = `${teams}/web/members`;
  const listed = async () => {
    const { body, headers } = await api.ask('GET', `${members}?count=true`, { as: 'member' });
    const names = body.members.map((entry: { member: { name: string } }) => entry.member.name);
    assert.equal(headers['x-resource-count'], String(names.length));
    return names;
  };

  it('who is put into a team becomes a member of the organization', async () => {
    assert.equal((await api.ask('GET', teams, { as: 'ann' })).status, 403);
    const added = await api.ask('PUT', `${members}/ann`, { as: 'owner' });
    assert.deepEqual([added.status, added.body.member.name], [200, 'ann']);
    await api.ask('PUT', `${members}/member`, { as: 'owner' });
    assert.deepEqual(await listed(), ['ann', 'member']);
    const own = await api.ask('GET', `${teams}/web`, { as: 'ann' });
    assert.deepEqual([own.body.membersCount, own.body.clientUserIsMember], [2, true]);
    const of = await api.ask('GET', `${members}/ann`, { as: 'member' });
    assert.equal(of.body.member.name, 'ann');
  });

  it('who is no user cannot be in one', async () => {
    for (const name of ['ghost', 'acme']) {
      const answer = await api.ask('PUT', `${members}/${name}`, { as: 'owner' });
      assert.deepEqual([answer.status, answer.code], [404, 'NO_SUCH_USER']);
    }
    const answer = await api.ask('GET', `${members}/bob`, { as: 'owner' });
    assert.deepEqual([answer.status, answer.code], [404, 'NO_SUCH_MEMBER']);
  });

  it('a member leaves a team, and stays in the organization', async () => {
    assert.equal((await api.ask('DELETE', `${members}/member`, { as: 'ann' })).status, 403);
    assert.equal((await api.ask('DELETE', `${members}/ann`, { as: 'ann' })).status, 204);
    assert.deepEqual(await listed(), ['member']);
    assert.equal((await api.ask('GET', teams, { as: 'ann' })).status, 200);
  });

  it('who leaves the organization leaves its teams', async () => {
    await api.ask('PUT', `${members}/ann`, { as: 'owner' });
    await api.ask('DELETE', '/api/v0/accounts/acme/members/ann', { as: 'ann' });
    assert.deepEqual(await listed(), ['member']);
  });

  it('the trail names the team and whom it was about', () => {
    assert.equal(
      api.look(`select group_concat(actor_name || ' ' || type || ' ' || target_name, '; ')
        from (select * from events where object_name = 'acme/web' and target_name is not null order by id)`),
      'owner GRANT ann; owner GRANT member; ann REVOKE ann; owner GRANT ann',
    );
  });
});
