import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, startApi } from './api.ts';

const api = await startApi();
for (const name of ['owner', 'member']) await api.add(name);
await api.add('acme', { isOrg: true });
await api.add('crew', { isOrg: true });
for (const [name, isAdmin] of [
  ['owner', true],
  ['member', false],
] as const) {
  await api.ask('PUT', `/api/v0/accounts/crew/members/${name}`, { body: { isAdmin } });
}
const members = '/api/v0/accounts/acme/members';
const put = (name: string, body: object | undefined, as = 'admin') =>
  api.ask('PUT', `${members}/${name}`, { as, body });
const namesOf = ({ body }: Answer): string[] =>
  body.members.map((entry: { member: { name: string } }) => entry.member.name);
const rolesOf = (answer: Answer) => [answer.status, answer.body.member.name, answer.body.isAdmin];
const trail = () =>
  api.look(`select group_concat(actor_name || ' ' || type || ' ' || coalesce(target_name, ''), '; ')
    from (select * from events where object_name = 'acme' and type <> 'CREATE' order by id)`);

describe('members of an organization', () => {
  it('an admin makes an owner, an owner makes members, and the trail tells of it', async () => {
    assert.deepEqual(rolesOf(await put('owner', { isAdmin: true })), [200, 'owner', true]);
    assert.deepEqual(rolesOf(await put('member', {}, 'owner')), [200, 'member', false]);
    assert.deepEqual(rolesOf(await put('ann', undefined, 'owner')), [200, 'ann', false]);
    assert.equal(trail(), 'admin GRANT owner; owner GRANT member; owner GRANT ann');
  });

  it('a member sees who else is one, and changes nothing', async () => {
    const answer = await api.ask('GET', `${members}?count=true`, { as: 'member' });
    assert.deepEqual(namesOf(answer), ['ann', 'member', 'owner']);
    assert.equal(answer.headers['x-resource-count'], '3');
    assert.deepEqual(rolesOf(await api.ask('GET', `${members}/owner`, { as: 'member' })), [
      200,
      'owner',
      true,
    ]);
    assert.equal((await put('member', { isAdmin: true }, 'member')).status, 403);
    assert.equal((await api.ask('DELETE', `${members}/ann`, { as: 'member' })).status, 403);
  });

  it('come in pages', async () => {
    const first = await api.ask('GET', `${members}?pageSize=2`);
    assert.deepEqual([namesOf(first), first.headers['x-next-page-start']], [['ann', 'member'], 'owner']);
    const last = await api.ask('GET', `${members}?pageSize=2&pageStart=owner`);
    assert.deepEqual([namesOf(last), last.headers['x-next-page-start']], [['owner'], undefined]);
  });

  it('one who is not there is 404 NO_SUCH_MEMBER, whether there is such a user or not', async () => {
    for (const name of ['bob', 'ghost', 'acme']) {
      for (const [method, body] of [['GET'], ['PATCH', { isAdmin: true }]] as const) {
        const answer = await api.ask(method, `${members}/${name}`, { as: 'owner', body });
        assert.deepEqual([answer.status, answer.code], [404, 'NO_SUCH_MEMBER'], name);
      }
    }
  });

  it('who is no user cannot become one; a user and nobody have none', async () => {
    for (const name of ['ghost', 'acme']) {
      const answer = await put(name, {});
      assert.deepEqual([answer.status, answer.code], [404, 'NO_SUCH_USER']);
    }
    for (const name of ['ann', 'ghost']) {
      const answer = await api.ask('PUT', `/api/v0/accounts/${name}/members/bob`);
      assert.deepEqual([answer.status, answer.code], [404, 'NO_SUCH_ACCOUNT']);
    }
  });

  it('what is no role is refused, naming the field', async () => {
    for (const [field, body] of [
      ['isAdmin', { isAdmin: 'true' }],
      ['isOwner', { isOwner: true }],
      ['user_id', { user_id: 'x' }],
    ] as const) {
      for (const method of ['PUT', 'PATCH']) {
        const answer = await api.ask(method, `${members}/member`, { body });
        assert.deepEqual([answer.status, answer.body.errors[0].detail.field], [400, field]);
      }
    }
  });

  it('an owner is made and unmade by another', async () => {
    const role = async (isAdmin: boolean) =>
      rolesOf(await api.ask('PATCH', `${members}/member`, { as: 'owner', body: { isAdmin } }));
    assert.deepEqual(await role(true), [200, 'member', true]);
    assert.deepEqual(rolesOf(await put('member', {})), [200, 'member', true]);
    assert.deepEqual(await role(false), [200, 'member', false]);
  });

  it('a user leaves by themselves, and is a stranger from then on', async () => {
    const leave = () => api.ask('DELETE', `${members}/ann`, { as: 'ann' });
    assert.equal((await leave()).status, 204);
    assert.equal((await leave()).status, 403);
    assert.equal((await api.ask('GET', members, { as: 'ann' })).status, 403);
  });

  it('an owner removes members, and it is no error when there are none', async () => {
    for (let round = 0; round < 2; round += 1) {
      assert.equal((await api.ask('DELETE', `${members}/member`, { as: 'owner' })).status, 204);
    }
    assert.deepEqual(namesOf(await api.ask('GET', members)), ['owner']);
    assert.match(String(trail()), /; ann REVOKE ann; owner REVOKE member$/);
  });
});

const teams = '/api/v0/accounts/crew/teams';
const create = (body: object) => api.ask('POST', teams, { as: 'owner', body });
const teamNames = ({ body }: Answer) => body.teams.map(({ name }: { name: string }) => name);
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
    assert.deepEqual(teamNames(first), ['a-team', 'b-team']);
    assert.deepEqual([first.headers['x-next-page-start'], first.headers['x-resource-count']], ['web', '3']);
    const last = await api.ask('GET', `${teams}?pageSize=2&pageStart=web`, { as: 'member' });
    assert.deepEqual([teamNames(last), last.headers['x-next-page-start']], [['web'], undefined]);
  });
});

describe('members of a team', () => {
  const members = `${teams}/web/members`;
  const listed = async () => {
    const answer = await api.ask('GET', `${members}?count=true`, { as: 'member' });
    const names = namesOf(answer);
    assert.equal(answer.headers['x-resource-count'], String(names.length));
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
    for (const name of ['ghost', 'crew']) {
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
    await api.ask('DELETE', '/api/v0/accounts/crew/members/ann', { as: 'ann' });
    assert.deepEqual(await listed(), ['member']);
  });

  it('the trail names the team and whom it was about', () => {
    assert.equal(
      api.look(`select group_concat(actor_name || ' ' || type || ' ' || target_name, '; ')
        from (select * from events where object_name = 'crew/web' and target_name is not null order by id)`),
      'owner GRANT ann; owner GRANT member; ann REVOKE ann; owner GRANT ann',
    );
  });
});

it('a stranger is refused word for word alike, whatever there is', async () => {
  const texts = new Set<string>();
  for (const name of ['acme', 'ghost', 'ann', 'bob']) {
    for (const [method, path, body] of [
      ['GET', 'members'],
      ['GET', 'members/'],
      ['GET', 'members/owner'],
      ['PUT', 'members/bob', {}],
      ['DELETE', 'members/bob'],
      ['GET', 'teams'],
      ['POST', 'teams', { name: 'web' }],
      ['GET', 'teams/web'],
      ['PATCH', 'teams/web', {}],
      ['DELETE', 'teams/bob'],
      ['PUT', 'teams/web/members/bob'],
      ['DELETE', 'teams/web/members/bob'],
    ] as const) {
      const answer = await api.ask(method, `/api/v0/accounts/${name}/${path}`, { as: 'bob', body });
      assert.equal(answer.status, 403, `${method} ${name}/${path}`);
      texts.add(answer.text);
    }
  }
  assert.equal(texts.size, 1);
});

it('a team that is named as a member is not deleted by them', async () => {
  await api.ask('POST', '/api/v0/accounts/crew/teams', { body: { name: 'member' } });
  const answer = await api.ask('DELETE', '/api/v0/accounts/crew/teams/member', { as: 'member' });
  assert.equal(answer.status, 403);
});
