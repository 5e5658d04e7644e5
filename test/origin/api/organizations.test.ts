import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, startApi } from './api.ts';

const api = await startApi();
for (const name of ['owner', 'member']) await api.add(name);
await api.add('acme', { isOrg: true });
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
