/** Access given to teams and users by the API, and what they can do with it at once. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { findAccount } from '../../../src/origin/accounts/accounts.ts';
import { putMember } from '../../../src/origin/accounts/organizations.ts';
import { createTeam, putTeamMember } from '../../../src/origin/accounts/teams.ts';
import { openDatabaseBeside } from '../../../src/origin/database.ts';
import type { EventContext } from '../../../src/origin/events/events.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
const database = await openDatabaseBeside(origin.dataDirectory);
after(() => database.close());
for (const name of ['owner', 'member', 'plain', 'stranger'])
  await origin.api('POST', '/accounts', { name, password: `${name}-password` });
for (const name of ['acme', 'rival']) await origin.api('POST', '/accounts', { name, isOrg: true });
const as = (user: string) => `${user}:${user}-password`;

/** acme: `owner` owns it, `member` is in its team `web`, `plain` in none. rival: the team `other`. */
const context: EventContext = { actor: undefined, door: 'command', client: undefined };
await database.transaction(async (tx) => {
  const account = async (name: string) => (await findAccount(tx, name)) as never;
  await putMember(tx, context, await account('acme'), { name: 'owner', isOwner: true }, 0);
  await putMember(tx, context, await account('acme'), { name: 'plain' }, 0);
  for (const [organization, name] of [
    ['acme', 'web'],
    ['acme', 'ops'],
    ['rival', 'other'],
  ] as const) {
    const team = await createTeam(tx, context, await account(organization), { name, description: 'd' }, 0);
    if (name === 'web') await putTeamMember(tx, context, await account('acme'), team, 'member', 0);
  }
});
for (const repository of ['acme/web', 'acme/api', 'owner/app'])
  await pushImage(origin, repository, '1', [Buffer.from('layer')]);

type Json = Record<string, unknown>;
const ask = async (user: string, method: string, path: string, body?: Json) => {
  const answer = await origin.api(method, path, body, as(user));
  const text = await answer.text();
  const parsed = text === '' ? undefined : JSON.parse(text);
  const code = parsed?.errors?.[0]?.code;
  return {
    status: answer.status,
    body: parsed,
    result: code === undefined ? `${answer.status}` : `${answer.status} ${code}`,
    headers: answer.headers,
  };
};
const resultOf = async (user: string, method: string, path: string, body?: Json) =>
  (await ask(user, method, path, body)).result;
const mayRead = async (user: string, repository: string) =>
  (await ask(user, 'GET', `/repositories/${repository}`)).status === 200;

describe('access of teams to a repository', () => {
  const path = '/repositories/acme/web/teamAccess';

  it('is given by who has admin access, and the answer lists it', async () => {
    assert.equal(await mayRead('member', 'acme/web'), false);
    const given = await ask('owner', 'PUT', `${path}/web`, { accessLevel: 'read-only' });
    assert.equal(given.status, 200);
    const [{ accessLevel, team }] = given.body.teamAccessList;
    const { id, orgID, ...shown } = team;
    assert.deepEqual(shown, { name: 'web', description: 'd', membersCount: 1, clientUserIsMember: false });
    assert.deepEqual([accessLevel, given.body.repository.name], ['read-only', 'web']);
    assert.match(`${id} ${orgID}`, /^[0-9a-f-]{36} [0-9a-f-]{36}$/);
    assert.deepEqual((await ask('owner', 'GET', path)).body, given.body);
    assert.equal(await mayRead('member', 'acme/web'), true);
    assert.equal(await resultOf('member', 'GET', path), '403 NOT_AUTHORIZED');
    assert.equal(
      await resultOf('member', 'PUT', `${path}/web`, { accessLevel: 'admin' }),
      '403 NOT_AUTHORIZED',
    );
    assert.equal(await resultOf('member', 'DELETE', `${path}/web`), '403 NOT_AUTHORIZED');
  });

  it('is changed, listed in pages by name, and taken away', async () => {
    await ask('owner', 'PUT', `${path}/ops`, { accessLevel: 'read-write' });
    const changed = await ask('owner', 'PUT', `${path}/web`, { accessLevel: 'admin' });
    const levels = changed.body.teamAccessList.map((one: Json) => [(one.team as Json).name, one.accessLevel]);
    assert.deepEqual(levels, [
      ['ops', 'read-write'],
      ['web', 'admin'],
    ]);
    const page = await ask('member', 'GET', `${path}?pageSize=1&count=true`);
    const headers = ['x-next-page-start', 'x-resource-count'].map((name) => page.headers.get(name));
    assert.deepEqual(headers, ['web', '2']);
    assert.equal(await resultOf('member', 'DELETE', `${path}/web`), '204');
    assert.equal(await mayRead('member', 'acme/web'), false, 'at once');
    assert.equal(await resultOf('owner', 'DELETE', `${path}/web`), '204');
    assert.equal(await resultOf('owner', 'DELETE', `${path}/ops`), '204');
  });

  it('is for teams of its organization only; the namespace of a user has none', async () => {
    for (const [repository, team] of [
      ['acme/web', 'other'],
      ['acme/web', 'none'],
      ['owner/app', 'web'],
    ]) {
      const below = `/repositories/${repository}/teamAccess/${team}`;
      const give = await resultOf('owner', 'PUT', below, { accessLevel: 'admin' });
      assert.equal(give, '404 NO_SUCH_TEAM', below);
      assert.equal(await resultOf('owner', 'DELETE', below), '404 NO_SUCH_TEAM', below);
    }
    const list = await ask('owner', 'GET', '/repositories/owner/app/teamAccess?count=true');
    assert.deepEqual(list.body.teamAccessList, []);
    assert.equal(
      await resultOf('owner', 'PUT', `${path}/web`, { accessLevel: 'owner' }),
      '400 INVALID_PARAMETERS',
    );
  });
});

describe('access of users to a repository', () => {
  const path = '/repositories/owner/app/userAccess';

  it('is given on any repository, to users only', async () => {
    const given = await ask('owner', 'PUT', `${path}/stranger`, { accessLevel: 'read-write' });
    assert.equal(given.status, 200);
    const { accessLevel, repository, user } = given.body;
    assert.deepEqual([accessLevel, repository.name, user.name], ['read-write', 'app', 'stranger']);
    const list = await ask('owner', 'GET', `${path}?count=true`);
    assert.deepEqual(list.body.userAccessList, [{ accessLevel, user }]);
    assert.equal(list.headers.get('x-resource-count'), '1');
    assert.equal(
      await resultOf('owner', 'PUT', '/repositories/acme/web/userAccess/plain', { accessLevel }),
      '200',
    );
    const { body } = await ask('plain', 'GET', '/accounts/plain/repositoryAccess/acme/web');
    assert.deepEqual(
      [body.accessLevel, body.repository.name, body.user.name],
      ['read-write', 'web', 'plain'],
    );
    for (const name of ['acme', 'none'])
      assert.equal(await resultOf('owner', 'PUT', `${path}/${name}`, { accessLevel }), '404 NO_SUCH_USER');
    await ask('owner', 'DELETE', '/repositories/acme/web/userAccess/plain');
  });

  it('lets them push and delete at the registry with the next token, and no longer once it is taken away', async () => {
    const actions = async () => {
      const token = await origin.token('stranger', 'stranger-password', 'repository:owner/app:*');
      const [, claims = ''] = token.split('.');
      const { access } = JSON.parse(Buffer.from(claims, 'base64url').toString());
      return access[0]?.actions ?? [];
    };
    assert.deepEqual(await actions(), ['pull', 'push', 'delete']);
    assert.equal(await resultOf('owner', 'DELETE', `${path}/stranger`), '204');
    assert.deepEqual(await actions(), []);
    assert.equal(await resultOf('owner', 'DELETE', `${path}/stranger`), '204');
    assert.equal(await mayRead('stranger', 'owner/app'), false);
  });
});

describe('access of teams to a whole namespace', () => {
  const path = '/repositoryNamespaces/acme/teamAccess';

  it('reaches every repository in it, those to come included', async () => {
    const given = await ask('owner', 'PUT', `${path}/web`, { accessLevel: 'read-only' });
    assert.equal(given.status, 200);
    assert.deepEqual(
      [given.body.accessLevel, given.body.namespace, given.body.team.name],
      ['read-only', 'acme', 'web'],
    );
    assert.equal(await mayRead('member', 'acme/api'), true);
    await origin.api('POST', '/repositories/acme', { name: 'later' });
    assert.equal(await mayRead('member', 'acme/later'), true);
    assert.equal(await mayRead('plain', 'acme/later'), false);
    const { body } = await ask('plain', 'GET', `${path}/web`);
    assert.deepEqual(body, given.body);
    const list = await ask('owner', 'GET', `${path}?count=true`);
    const { accessLevel, team } = given.body;
    assert.deepEqual(list.body, { namespace: 'acme', teamAccessList: [{ accessLevel, team }] });
    assert.equal(list.headers.get('x-resource-count'), '1');
  });

  it('with the level admin lets a team create repositories', async () => {
    const create = () => resultOf('member', 'POST', '/repositories/acme', { name: 'teams-own' });
    assert.equal(await create(), '403 NOT_AUTHORIZED');
    await ask('owner', 'PUT', `${path}/web`, { accessLevel: 'admin' });
    assert.equal(await create(), '201');
  });

  it('is given and taken by owners and admins', async () => {
    const body = { accessLevel: 'admin' };
    for (const user of ['member', 'plain', 'stranger']) {
      for (const namespace of ['acme', 'none']) {
        const one = `/repositoryNamespaces/${namespace}/teamAccess`;
        assert.equal(await resultOf(user, 'GET', one), '403 NOT_AUTHORIZED');
        assert.equal(await resultOf(user, 'PUT', `${one}/web`, body), '403 NOT_AUTHORIZED');
        assert.equal(await resultOf(user, 'DELETE', `${one}/web`), '403 NOT_AUTHORIZED');
      }
    }
    assert.equal(await resultOf('stranger', 'GET', `${path}/web`), '403 NOT_AUTHORIZED');
    assert.equal(await resultOf('owner', 'GET', `${path}/ops`), '404 NO_SUCH_NAMESPACE_TEAM_ACCESS');
    assert.equal(await resultOf('owner', 'PUT', `${path}/other`, body), '404 NO_SUCH_TEAM');
    assert.equal(
      await resultOf('owner', 'PUT', '/repositoryNamespaces/owner/teamAccess/web', body),
      '404 NO_SUCH_TEAM',
    );
    assert.deepEqual(
      (await ask('owner', 'GET', '/repositoryNamespaces/owner/teamAccess')).body.teamAccessList,
      [],
    );
    const unknown = await origin.api('GET', '/repositoryNamespaces/none/teamAccess');
    assert.equal(unknown.status, 404);
    assert.equal(await resultOf('owner', 'DELETE', `${path}/web`), '204');
    assert.equal(await resultOf('owner', 'DELETE', `${path}/web`), '204');
    assert.equal(await mayRead('member', 'acme/api'), false);
  });
});

describe('what a team or a user may reach', () => {
  it('the repositories of a team are shown to its members, to owners and admins', async () => {
    for (const name of ['api', 'web'])
      await ask('owner', 'PUT', `/repositories/acme/${name}/teamAccess/web`, { accessLevel: 'read-write' });
    const path = '/accounts/acme/teams/web/repositoryAccess';
    const { body, headers } = await ask('member', 'GET', `${path}?pageSize=1&count=true`);
    assert.equal(body.team.clientUserIsMember, true);
    const shown = body.repositoryAccessList.map((one: Json) => [
      one.accessLevel,
      (one.repository as Json).name,
    ]);
    assert.deepEqual(shown, [['read-write', 'api']]);
    const [next, count] = ['x-next-page-start', 'x-resource-count'].map((name) => headers.get(name));
    assert.deepEqual([next, count], ['acme/web', '2']);
    const second = await ask('owner', 'GET', `${path}?pageSize=1&pageStart=${next}`);
    assert.equal(second.body.repositoryAccessList[0].repository.name, 'web');
    assert.equal(await resultOf('plain', 'GET', path), '403 NOT_AUTHORIZED');
    for (const other of [
      path,
      '/accounts/acme/teams/none/repositoryAccess',
      '/accounts/none/teams/web/repositoryAccess',
    ])
      assert.equal(await resultOf('stranger', 'GET', other), '403 NOT_AUTHORIZED');
    assert.equal(
      await resultOf('owner', 'GET', '/accounts/acme/teams/none/repositoryAccess'),
      '404 NO_SUCH_TEAM',
    );
  });

  it('a user asks for themselves, an admin for anybody', async () => {
    const path = '/accounts/member/repositoryAccess';
    assert.equal((await ask('member', 'GET', `${path}/acme/web`)).body.accessLevel, 'read-write');
    const byAdmin = await origin.api('GET', `${path}/acme/web`);
    assert.equal(((await byAdmin.json()) as Json).accessLevel, 'read-write');
    assert.equal((await origin.api('GET', '/accounts/stranger/repositoryAccess/acme/web')).status, 404);
    assert.equal(await resultOf('member', 'GET', `${path}/owner/app`), '404 NO_SUCH_REPOSITORY');
    assert.equal(await resultOf('member', 'GET', `${path}/owner/none`), '404 NO_SUCH_REPOSITORY');
    for (const name of ['owner', 'none'])
      assert.equal(
        await resultOf('member', 'GET', `/accounts/${name}/repositoryAccess/acme/web`),
        '403 NOT_AUTHORIZED',
      );
  });

  it('access to a repository that one may not see is not talked about', async () => {
    for (const below of ['/teamAccess', '/userAccess']) {
      for (const [method, path, body] of [
        ['GET', below],
        ['PUT', `${below}/web`, { accessLevel: 'admin' }],
        ['PUT', `${below}/web`, { accessLevel: 'wrong' }],
        ['DELETE', `${below}/web`],
      ] as [string, string, Json?][]) {
        const known = await ask('stranger', method, `/repositories/acme/web${path}`, body);
        assert.equal(known.result, '404 NO_SUCH_REPOSITORY', `${method} ${path}`);
        const unknown = await ask('stranger', method, `/repositories/acme/none${path}`, body);
        assert.deepEqual(unknown.body, known.body);
      }
    }
  });
});

describe('finding', () => {
  const search = async (user: string, query: string) => {
    const { body } = await ask(user, 'GET', `/index/dockersearch?q=${query}`);
    assert.equal(body.num_results, body.results.length);
    return body.results.map(({ name }: Json) => name);
  };
  const complete = async (user: string, query: string) => {
    const { body } = await ask(user, 'GET', `/index/autocomplete?${query}`);
    return {
      ...(body.accountResults && { accounts: body.accountResults.map(({ name }: Json) => name) }),
      ...(body.repositoryResults && {
        repositories: body.repositoryResults.map(({ namespace, name }: Json) => `${namespace}/${name}`),
      }),
    };
  };

  it('repositories by what is in their names and short descriptions, those that one may pull from', async () => {
    await ask('owner', 'PATCH', '/repositories/acme/api', { shortDescription: 'The Shop_100% API' });
    assert.deepEqual(await search('member', 'shop_100%25'), ['acme/api']);
    assert.deepEqual(await search('member', 'ACME/w'), ['acme/web']);
    assert.deepEqual(await search('member', 'shopX'), []);
    assert.deepEqual(await search('stranger', 'acme'), []);
    assert.deepEqual(await search('member', '_'), ['acme/api'], 'no wildcard');
    const { body } = await ask('member', 'GET', '/index/dockersearch?q=shop');
    assert.deepEqual(body, {
      query: 'shop',
      num_results: 1,
      results: [
        {
          name: 'acme/api',
          description: 'The Shop_100% API',
          star_count: 0,
          is_official: false,
          is_automated: false,
          is_trusted: false,
        },
      ],
    });
  });

  it('accounts and repositories by how their names begin', async () => {
    assert.deepEqual(await complete('member', 'query=acme'), {
      accounts: ['acme'],
      repositories: ['acme/api', 'acme/web'],
    });
    assert.deepEqual(await complete('member', 'query=w&namespace=acme&includeAccounts=false'), {
      repositories: ['acme/web'],
    });
    assert.deepEqual(await complete('stranger', 'query=acme&includeRepositories=false'), {
      accounts: ['acme'],
    });
    assert.deepEqual(await complete('owner', 'query=acme/&limit=1'), {
      accounts: [],
      repositories: ['acme/api'],
    });
  });
});

it('all repositories of an account are deleted by admins', async () => {
  for (const name of ['one', 'two']) await origin.api('POST', '/repositories/rival', { name });
  assert.equal(await resultOf('owner', 'DELETE', '/accounts/acme/repositories'), '403 NOT_AUTHORIZED');
  assert.equal((await origin.api('DELETE', '/accounts/rival/repositories')).status, 204);
  const left = await origin.api('GET', '/repositories/rival');
  assert.deepEqual(await left.json(), { repositories: [] });
  assert.equal((await origin.api('DELETE', '/accounts/none/repositories')).status, 404);
});

it('the trail tells who was given access to what, and from whom it was taken', async () => {
  await ask('owner', 'PUT', '/repositories/acme/later/teamAccess/web', { accessLevel: 'admin' });
  await ask('owner', 'PUT', '/repositories/acme/later/teamAccess/web', { accessLevel: 'admin' });
  await ask('owner', 'DELETE', '/repositories/acme/later/teamAccess/web');
  await ask('owner', 'PUT', '/repositories/acme/later/userAccess/plain', { accessLevel: 'read-only' });
  await ask('owner', 'DELETE', '/repositories/acme/later/userAccess/plain');
  const events = await database
    .queries('events')
    .where({ object_name: 'acme/later', actor_name: 'owner' })
    .orderBy('id')
    .select('type', 'target_type', 'target_name', 'content');
  assert.deepEqual(events, [
    { type: 'GRANT', target_type: 'team', target_name: 'acme/web', content: '{"accessLevel":"admin"}' },
    { type: 'REVOKE', target_type: 'team', target_name: 'acme/web', content: null },
    { type: 'GRANT', target_type: 'user', target_name: 'plain', content: '{"accessLevel":"read-only"}' },
    { type: 'REVOKE', target_type: 'user', target_name: 'plain', content: null },
  ]);
});
