import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startApi } from './api.ts';

const api = await startApi();
const enzi = '/enzi/v0/accounts';
const ask = (method: string, path: string, body?: object, as = 'admin') =>
  api.ask(method, `${enzi}${path}`, { as, body });

describe('a script written for /enzi/v0', () => {
  it('makes users, an organization, a team and its members, as it always did', async () => {
    for (const name of ['sue', 'tom']) {
      const body = { name, password: `${name}-password`, isOrg: false, isAdmin: false, isActive: true };
      const { status } = await ask('POST', '', { ...body, fullName: '', searchLDAP: false });
      assert.equal(status, 201);
    }
    assert.equal((await ask('POST', '/', { name: 'acme', isOrg: true })).status, 201);
    assert.equal((await ask('PUT', '/acme/members/sue', { isAdmin: true })).status, 200);
    assert.equal((await ask('POST', '/acme/teams', { name: 'web', description: '' }, 'sue')).status, 201);
    assert.equal((await ask('PUT', '/acme/teams/web/members/tom', undefined, 'sue')).status, 200);
    const { body } = await ask('GET', '/tom/organizations', undefined, 'tom');
    assert.deepEqual(
      body.memberOrgs.map(({ org }: { org: { name: string } }) => org.name),
      ['acme'],
    );
  });

  it('pages by start and limit', async () => {
    const first = await ask('GET', '?filter=users&limit=2');
    assert.deepEqual(
      first.body.accounts.map(({ name }: { name: string }) => name),
      ['admin', 'ann'],
    );
    assert.equal(first.headers['x-next-page-start'], 'bob');
    const second = await ask('GET', '?limit=1&start=bob&filter=all');
    assert.equal(second.body.accounts[0].name, 'bob');
    for (const query of ['?limit=0', '?limit=x', '?limit=1&pageSize=2', '?starts=a']) {
      assert.equal((await ask('GET', query)).status, 400, query);
    }
  });

  it('names by id what it read before', async () => {
    const id = async (path: string) => (await ask('GET', path)).body.id;
    const [acme, web, tom] = [await id('/acme'), await id('/acme/teams/web'), await id('/tom')];
    assert.equal((await ask('GET', `/${acme}`)).body.name, 'acme');
    assert.equal((await ask('GET', `/${acme}/teams/${web}?`)).body.name, 'web');
    assert.equal((await ask('GET', `/${acme}/members/${tom}`)).body.member.name, 'tom');
    assert.equal((await ask('GET', `/${acme}/teams/${web}/members/${tom}`)).body.member.name, 'tom');
    const own = await ask('PATCH', `/${tom}`, { fullName: 'Tom' }, 'tom');
    assert.deepEqual([own.status, own.body.fullName], [200, 'Tom']);
    assert.equal((await ask('DELETE', `/${tom}`)).status, 204);
    assert.equal((await ask('GET', '/tom')).status, 404);
    const unknown = '00000000-0000-4000-8000-000000000000';
    for (const path of [`/${unknown}`, `/${unknown}/teams`, `/acme/teams/${unknown}`]) {
      assert.equal((await ask('GET', path)).status, 404, path);
    }
  });

  it('is let in no further than by the other paths, ids or not', async () => {
    const { body: bob } = await ask('GET', '/bob');
    const { body: acme } = await ask('GET', '/acme');
    for (const [method, path] of [
      ['POST', ''],
      ['DELETE', `/${bob.id}`],
      ['PATCH', `/${bob.id}`],
      ['GET', `/${acme.id}/members`],
      ['GET', `/${bob.id}/organizations`],
    ] as const) {
      const body = method === 'GET' ? undefined : {};
      const answers = [await ask(method, path, body, 'ann'), await ask(method, path, body, 'nobody')];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [403, 401],
        `${method} ${path}`,
      );
    }
  });

  it('finds nothing else below /enzi', async () => {
    for (const path of [
      '/enzi/v0',
      '/enzi/v0/',
      '/enzi/v0/meta/settings',
      '/enzi/v0/accountsx',
      '/ENZI/v0/accounts',
    ]) {
      assert.equal((await api.ask('GET', path)).status, 404, path);
    }
  });

  it('may call an account as another’s id: the name counts', async () => {
    const { body: bob } = await ask('GET', '/bob');
    await api.add(bob.id);
    assert.equal((await ask('GET', `/${bob.id}`)).body.name, bob.id);
  });
});
