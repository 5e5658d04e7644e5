import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { basic } from '../../setup/origin.ts';
import { startApi } from './api.ts';

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
