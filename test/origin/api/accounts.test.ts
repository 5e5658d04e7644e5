import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { basic } from '../../setup/origin.ts';
import { type Answer, startApi } from './api.ts';

const collection = '/api/v0/accounts';

const api = await startApi();

describe('accounts', () => {
  const rows = () => api.look('select count(*) from accounts');
  const signIn = (credentials: string) =>
    api.ask('GET', '/api/v0/content_caches', {
      as: 'nobody',
      headers: { Authorization: basic(credentials) },
    });

  it('an admin creates a user, who can sign in with the password at once', async () => {
    const body = { name: 'jane', fullName: 'Jane Doe', password: 'correct horse battery' };
    const answer = await api.ask('POST', collection, { body });
    assert.equal(answer.status, 201);
    const { id, ...account } = answer.body;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(account, {
      name: 'jane',
      fullName: 'Jane Doe',
      isOrg: false,
      isAdmin: false,
      isActive: true,
      isImported: false,
      isServiceAccount: false,
    });
    assert.equal((await signIn('jane:correct horse battery')).status, 200);
    assert.equal((await signIn('jane:correct horse batterY')).status, 401);
  });

  it('the password is kept as argon2id and shown nowhere', async () => {
    const body = { name: 'kept', password: 'canary-password-8f3e' };
    const answer = await api.ask('POST', collection, { body });
    assert.doesNotMatch(answer.text, /canary|argon2|hash/i);
    assert.match(
      String(api.look("select password_hash from accounts where name = 'kept'")),
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
    );
    assert.doesNotMatch(JSON.stringify(api.origin.logs), /canary-password/);
  });

  it('a user whom an admin made an admin may register caches', async () => {
    const body = { name: 'second-admin', password: 'second-password', isAdmin: true };
    assert.equal((await api.ask('POST', collection, { body })).status, 201);
    const answer = await api.ask('POST', '/api/v0/content_caches', {
      as: 'nobody',
      headers: { Authorization: basic('second-admin:second-password') },
      body: { name: 'theirs', host: 'http://h' },
    });
    assert.equal(answer.status, 201);
  });

  it('an organization has no password, and nobody signs in as one', async () => {
    const answer = await api.ask('POST', collection, { body: { name: 'acme', isOrg: true } });
    assert.equal(answer.status, 201);
    assert.equal(answer.body.isOrg, true);
    assert.equal((await signIn('acme:')).status, 401);
    const refused = await api.ask('POST', collection, {
      body: { name: 'acme-2', isOrg: true, password: 'some-password' },
    });
    assert.equal(refused.status, 400);
    assert.equal(refused.body.errors[0].detail.field, 'password');
  });

  it('a name that is taken is 409 ACCOUNT_EXISTS, and the password stays', async () => {
    const answer = await api.ask('POST', collection, { body: { name: 'ann', password: 'another-password' } });
    assert.equal(answer.status, 409);
    assert.equal(answer.code, 'ACCOUNT_EXISTS');
    assert.equal((await signIn(api.credentials('ann'))).status, 200);
  });

  it('who is no admin cannot create accounts, nor learn which names are taken', async () => {
    const before = rows();
    const texts = [];
    for (const name of ['ann', 'newcomer', '../x']) {
      const body = { name, password: 'some-password', isAdmin: true };
      const answer = await api.ask('POST', collection, { as: 'ann', body });
      assert.equal(answer.status, 403);
      texts.push(answer.text);
    }
    assert.equal(new Set(texts).size, 1);
    assert.equal(rows(), before);
  });

  for (const [why, body, field] of [
    ['a column of the database', { is_admin: true }, 'is_admin'],
    ['a role', { role: 'admin' }, 'role'],
    ['a password hash', { password_hash: 'x' }, 'password_hash'],
    ['a time of creation', { created_at: 1 }, 'created_at'],
    ['an upper-case name', { name: 'Jack' }, 'name'],
    ['a name that leaves its directory', { name: '../x' }, 'name'],
    ['a name with a slash', { name: 'a/b' }, 'name'],
    ['a name with markup', { name: '<b>' }, 'name'],
    ['a name with a zero-width space', { name: 'ja\u200bck' }, 'name'],
    ['a name in two normal forms', { name: 'jose\u0301' }, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name of 129 letters', { name: 'j'.repeat(129) }, 'name'],
    ['a name that is a number', { name: 7 }, 'name'],
    ['a password of 7 bytes', { password: '1234567' }, 'password'],
    ['a password of 1025 bytes', { password: 'p'.repeat(1025) }, 'password'],
    ['a password of 600 characters in 1200 bytes', { password: 'é'.repeat(600) }, 'password'],
    ['a password that is a list', { password: ['12345678'] }, 'password'],
    ['a true that is text', { isAdmin: 'true' }, 'isAdmin'],
  ] as const) {
    it(`${why} is refused with 400 naming the field (A05)`, async () => {
      const before = rows();
      const answer = await api.ask('POST', collection, {
        body: { name: 'jack', password: 'jack-password', ...body },
      });
      assert.equal(answer.status, 400, answer.text);
      assert.equal(answer.code, 'INVALID_PARAMETERS');
      assert.equal(answer.body.errors[0].detail.field, field);
      assert.equal(rows(), before);
    });
  }

  it('a user needs a password', async () => {
    const answer = await api.ask('POST', collection, { body: { name: 'jack' } });
    assert.equal(answer.status, 400);
    assert.equal(answer.body.errors[0].detail.field, 'password');
  });
});

it('the id and the LDAP flag that old scripts send are taken, and count for nothing (A05)', async () => {
  const id = '00000000-0000-4000-8000-000000000000';
  const body = { name: 'scripted', password: 'some-password', id, searchLDAP: true };
  const answer = await api.ask('POST', '/api/v0/accounts', { body });
  assert.equal(answer.status, 201);
  assert.notEqual(answer.body.id, id);
});

const fieldOf = (answer: Answer) => answer.body?.errors?.[0]?.detail?.field;
const trailOf = (name: string) =>
  api.look(
    `select group_concat(actor_name || ' ' || type || ' ' || coalesce(content, '') || ' ' || door, '; ')
     from (select * from events where object_name = ? and type <> 'LOGIN' order by id)`,
    name,
  );

describe('one account', () => {
  it('anybody who is signed in reads it, and nothing secret is in it (B16)', async () => {
    const answer = await api.ask('GET', `${collection}/bob`, { as: 'ann' });
    assert.equal(answer.status, 200);
    const { id, ...rest } = answer.body;
    assert.match(id, /^[0-9a-f-]{36}$/);
    const members = { isOrg: false, isAdmin: false, isActive: true, isImported: false };
    assert.deepEqual(rest, { name: 'bob', fullName: '', isServiceAccount: false, ...members });
  });

  it('how many are in an organization is for its members and for admins', async () => {
    await api.add('counted', { isOrg: true });
    await api.ask('PUT', `${collection}/counted/members/ann`);
    await api.ask('POST', `${collection}/counted/teams`, { body: { name: 'web' } });
    const counts = async (as: string) => {
      const { body } = await api.ask('GET', `${collection}/counted`, { as });
      return [body.membersCount, body.teamsCount];
    };
    assert.deepEqual(await counts('ann'), [1, 1]);
    assert.deepEqual(await counts('admin'), [1, 1]);
    assert.deepEqual(await counts('bob'), [undefined, undefined]);
  });

  it('one that does not exist is 404 NO_SUCH_ACCOUNT', async () => {
    for (const name of ['ghost', 'ANN', '%00', "x'%20OR%201=1--"]) {
      for (const [method, body] of [['GET'], ['PATCH', { fullName: 'x' }]] as const) {
        const answer = await api.ask(method, `${collection}/${name}`, { body });
        assert.deepEqual([answer.status, answer.code], [404, 'NO_SUCH_ACCOUNT'], name);
      }
    }
  });

  it('a user changes their full name, and the trail tells of it', async () => {
    await api.add('renamed');
    const body = { fullName: 'Re Named', isAdmin: null, isActive: null };
    const answer = await api.ask('PATCH', `${collection}/renamed`, { as: 'renamed', body });
    assert.deepEqual([answer.status, answer.body.fullName], [200, 'Re Named']);
    const again = await api.ask('PATCH', `${collection}/renamed`, { as: 'renamed', body: {} });
    assert.equal(again.body.fullName, 'Re Named');
    assert.match(
      String(trailOf('renamed')),
      /^admin CREATE .*; renamed UPDATE \{"fullName":"Re Named"\} api$/,
    );
  });

  it('who is no admin cannot make themselves one (A05)', async () => {
    for (const body of [
      { isAdmin: true },
      { isAdmin: false },
      { isActive: true },
      { isAdmin: null, isActive: false },
    ]) {
      const answer = await api.ask('PATCH', `${collection}/ann`, { as: 'ann', body });
      assert.deepEqual([answer.status, answer.code], [403, 'NOT_AUTHORIZED'], JSON.stringify(body));
    }
    for (const field of [
      'name',
      'id',
      'isOrg',
      'password',
      'password_hash',
      'isServiceAccount',
      'created_at',
    ]) {
      for (const as of ['ann', 'admin']) {
        const answer = await api.ask('PATCH', `${collection}/ann`, { as, body: { [field]: 'x' } });
        assert.deepEqual([answer.status, fieldOf(answer)], [400, field]);
      }
    }
    assert.equal(api.look("select is_admin from accounts where name = 'ann'"), 0);
  });

  it('an admin makes an admin, and of two the other is the last (LAST_ADMIN)', async () => {
    await api.add('deputy');
    const promoted = await api.ask('PATCH', `${collection}/deputy`, { body: { isAdmin: true } });
    assert.equal(promoted.body.isAdmin, true);
    const demoted = await api.ask('PATCH', `${collection}/deputy`, {
      as: 'deputy',
      body: { isAdmin: false },
    });
    assert.deepEqual([demoted.status, demoted.body.isAdmin], [200, false]);
    api.tamper("update accounts set is_admin = 0 where name = 'second-admin'");
    for (const [method, body] of [
      ['PATCH', { isAdmin: false }],
      ['PATCH', { isActive: false }],
      ['DELETE', undefined],
    ] as const) {
      const refused = await api.ask(method, `${collection}/admin`, { body });
      assert.deepEqual([refused.status, refused.code], [409, 'LAST_ADMIN']);
    }
  });

  it('who is deactivated is out at once, and back in when they are active again (B07)', async () => {
    await api.add('leaver');
    const read = () => api.ask('GET', `${collection}/leaver`, { as: 'leaver' });
    assert.equal((await read()).status, 200);
    await api.ask('PATCH', `${collection}/leaver`, { body: { isActive: false } });
    assert.equal((await read()).status, 401);
    await api.ask('PATCH', `${collection}/leaver`, { body: { isActive: true } });
    assert.equal((await read()).status, 200);
  });

  it('updates that would be lost are refused with 412', async () => {
    await api.add('edited');
    const path = `${collection}/edited`;
    const etag = String((await api.ask('GET', path)).headers.etag);
    const change = (fullName: string) =>
      api.ask('PATCH', path, { body: { fullName }, headers: { 'If-Match': etag } });
    const first = await change('first');
    assert.equal(first.status, 200);
    assert.deepEqual(first.headers.etag, (await api.ask('GET', path)).headers.etag);
    for (const answer of [
      await change('second'),
      await api.ask('DELETE', path, { headers: { 'If-Match': etag } }),
    ]) {
      assert.deepEqual([answer.status, answer.code], [412, 'PRECONDITION_FAILED']);
    }
    assert.equal(api.look("select full_name from accounts where name = 'edited'"), 'first');
  });

  it('one that is deleted is gone with its repositories; deleting it again finds none', async () => {
    await api.add('gone');
    const token = await api.origin.token('gone', 'gone-password', 'repository:gone/app:push,pull');
    const upload = await api.origin.registry('POST', '/v2/gone/app/blobs/uploads/', { token });
    assert.equal(upload.status, 202);
    assert.equal(api.look("select count(*) from repositories where name = 'gone/app'"), 1);
    assert.equal((await api.ask('DELETE', `${collection}/gone`)).status, 204);
    const again = await api.ask('DELETE', `${collection}/gone`);
    assert.deepEqual([again.status, again.code], [404, 'NO_SUCH_ACCOUNT']);
    assert.equal(api.look("select count(*) from repositories where name = 'gone/app'"), 0);
    assert.equal((await api.ask('GET', `${collection}/gone`)).status, 404);
    assert.equal((await api.ask('GET', collection, { as: 'gone' })).status, 401);
    await api.add('gone');
  });
});

describe('lists of accounts', () => {
  it('come in pages, with how many there are if that is asked', async () => {
    const names: string[] = [];
    let start: string | undefined = '';
    const total = Number(api.look("select count(*) from accounts where name like 'a%'"));
    while (start !== undefined) {
      const path = `${collection}?query=a&pageSize=2&count=true&pageStart=${start}`;
      const { status, body, headers }: Answer = await api.ask('GET', path, { as: 'bob' });
      assert.equal(status, 200);
      assert.equal(headers['x-resource-count'], String(total));
      names.push(...body.accounts.map(({ name }: { name: string }) => name));
      start = headers['x-next-page-start'] as string | undefined;
    }
    assert.deepEqual(names, [...names].sort());
    assert.equal(names.length, total);
    const uncounted = await api.ask('GET', collection);
    assert.equal(uncounted.headers['x-resource-count'], undefined);
    assert.equal(uncounted.body.accounts.length, 10);
  });

  it('a filter chooses', async () => {
    const of = async (filter: string) => {
      const { body } = await api.ask('GET', `${collection}?filter=${filter}&pageSize=1000`);
      return body.accounts.map(({ name }: { name: string }) => name);
    };
    assert.deepEqual(await of('inactive-users'), ['idle']);
    assert.deepEqual(await of('admins'), ['admin']);
    assert.ok((await of('orgs')).includes('acme'));
    assert.ok(!(await of('users')).includes('acme'));
    const refused = await api.ask('GET', `${collection}?filter=robots`);
    assert.deepEqual([refused.status, fieldOf(refused)], [400, 'filter']);
  });

  it('no page is larger than 1000 records, and a size that is none is refused (A11)', async () => {
    for (const size of ['0', '-1', '1e30', '1e3', 'NaN', '0x10', '1.5', '9223372036854775808', '']) {
      const answer = await api.ask('GET', `${collection}?pageSize=${size}`);
      assert.deepEqual(
        [answer.status, answer.code, fieldOf(answer)],
        [400, 'INVALID_PARAMETERS', 'pageSize'],
        size,
      );
    }
    assert.equal((await api.ask('GET', `${collection}?pageSize=2147483647`)).status, 200);
  });

  it('nobody’s hash can be asked for (B16)', async () => {
    for (const query of ['fields=password_hash', 'sort=password_hash', 'q=$argon2', 'query[]=a']) {
      assert.equal((await api.ask('GET', `${collection}?${query}`)).status, 400, query);
    }
  });
});

describe('service accounts', () => {
  it('have no password, and nobody signs in as one', async () => {
    await api.add('machine', { isServiceAccount: true });
    assert.equal((await api.ask('GET', `${collection}/machine`)).body.isServiceAccount, true);
    for (const password of ['', 'machine-password', 'null']) {
      assert.equal((await signInAs(`machine:${password}`)).status, 401);
    }
    const session = { username: 'machine', password: 'machine-password' };
    assert.equal((await api.ask('POST', '/api/v0/session', { as: 'nobody', body: session })).status, 401);
    const body = { newPassword: 'a new password' };
    const refused = await api.ask('POST', `${collection}/machine/changePassword`, { body });
    assert.deepEqual([refused.status, fieldOf(refused)], [400, 'newPassword']);
  });

  const signInAs = (credentials: string) =>
    api.ask('GET', '/api/v0/content_caches', {
      as: 'nobody',
      headers: { Authorization: basic(credentials) },
    });
});

describe('passwords', () => {
  const change = (name: string, as: string, body: object, headers: Record<string, string> = {}) =>
    api.ask('POST', `${collection}/${name}/changePassword`, { as, body, headers });

  it('one’s own is changed with the one before; sessions of it end', async () => {
    await api.add('changer');
    const session = await api.ask('POST', '/api/v0/session', {
      as: 'nobody',
      body: { username: 'changer', password: 'changer-password' },
    });
    const cookie = String(session.headers['set-cookie']).split(';')[0] as string;
    const withSession = () => api.ask('GET', collection, { as: 'nobody', headers: { Cookie: cookie } });
    assert.equal((await withSession()).status, 200);

    const newPassword = 'canary-new-password';
    const wrong = await change('changer', 'changer', { oldPassword: 'wrong-password', newPassword });
    assert.deepEqual([wrong.status, fieldOf(wrong)], [400, 'oldPassword']);
    const without = await change('changer', 'changer', { newPassword });
    assert.deepEqual([without.status, fieldOf(without)], [400, 'oldPassword']);
    assert.equal((await withSession()).status, 200);

    const changed = await change('changer', 'changer', { oldPassword: 'changer-password', newPassword });
    assert.deepEqual([changed.status, changed.body.name], [200, 'changer']);
    assert.equal((await withSession()).status, 401);
    assert.equal((await api.ask('GET', collection, { as: 'changer' })).status, 401);
    const headers = { Authorization: basic(`changer:${newPassword}`) };
    assert.equal((await api.ask('GET', collection, { as: 'nobody', headers })).status, 200);
    assert.doesNotMatch(JSON.stringify(api.origin.logs), /canary-new-password/);
    assert.match(String(trailOf('changer')), /changer CHANGE_PASSWORD {2}api$/);
  });

  it('an admin sets that of another without knowing it, and not their own', async () => {
    await api.add('forgetful');
    assert.equal((await change('forgetful', 'admin', { newPassword: 'remember me' })).status, 200);
    const own = await change('admin', 'admin', { newPassword: 'another password' });
    assert.deepEqual([own.status, fieldOf(own)], [400, 'oldPassword']);
    const ghost = await change('ghost', 'admin', { newPassword: 'another password' });
    assert.deepEqual([ghost.status, ghost.code], [404, 'NO_SUCH_USER']);
    const short = await change('forgetful', 'admin', { newPassword: 'short' });
    assert.deepEqual([short.status, fieldOf(short)], [400, 'newPassword']);
  });
});

it('the organizations of a user come by name, for them and for admins', async () => {
  await api.add('joiner');
  for (const [name, isAdmin] of [
    ['org-b', true],
    ['org-a', false],
  ] as const) {
    await api.add(name, { isOrg: true });
    await api.ask('PUT', `${collection}/${name}/members/joiner`, { body: { isAdmin } });
  }
  for (const as of ['joiner', 'admin']) {
    const { body, headers } = await api.ask('GET', `${collection}/joiner/organizations?count=true`, { as });
    assert.deepEqual(
      body.memberOrgs.map(({ org, isAdmin }: { org: { name: string }; isAdmin: boolean }) => [
        org.name,
        isAdmin,
      ]),
      [
        ['org-a', false],
        ['org-b', true],
      ],
    );
    assert.equal(headers['x-resource-count'], '2');
  }
  const refused = await api.ask('GET', `${collection}/org-a/organizations`);
  assert.deepEqual([refused.status, refused.code], [404, 'NO_SUCH_USER']);
});
