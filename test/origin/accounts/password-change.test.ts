import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { type Account, createAccount } from '../../../src/origin/accounts/accounts.ts';
import { Authenticator } from '../../../src/origin/accounts/authenticate.ts';
import { changePassword } from '../../../src/origin/accounts/password-change.ts';
import { Passwords } from '../../../src/origin/accounts/passwords.ts';
import { SignInLimits } from '../../../src/origin/accounts/sign-in-limits.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
const clock = () => 1_000;
const passwords = new Passwords();
const from = { door: 'api', client: '192.0.2.1' } as const;
const oldPassword = 'the old password';
const newPassword = 'the new password';
const passwordHash = await passwords.hash(oldPassword);

let jane: Account;
let authenticator: Authenticator;

beforeEach(async () => {
  await queries('accounts').delete();
  await queries('events').delete();
  jane = await createAccount(queries, { name: 'jane', passwordHash }, 0);
  const limits = new SignInLimits({ perAddress: 10, perAccount: 2 }, clock);
  authenticator = new Authenticator({ database, passwords, limits, clock });
});

const change = (actor: { id: string; name: string }, wanted: object) =>
  changePassword(
    { database, passwords, authenticator, clock },
    { ...from, actor },
    {
      name: 'jane',
      newPassword,
      ...wanted,
    },
  );
const admin = { id: 'id-of-admin', name: 'admin' };
const isPassword = async (password: string) =>
  (await authenticator.authenticateByPassword('jane', password, from)) !== undefined;

describe('changing a password', () => {
  it('users change their own with the one before, and sign in with the new one alone', async () => {
    assert.deepEqual(await change(jane, { oldPassword }), jane);
    assert.equal(await isPassword(newPassword), true);
    assert.equal(await isPassword(oldPassword), false);
  });

  it('ends every session and refresh token of the user; access tokens stay', async () => {
    const jack = await createAccount(queries, { name: 'jack', passwordHash }, 0);
    for (const { id } of [jane, jack]) {
      const row = { account_id: id, created_at: 0, expires_at: 9e12 };
      await queries('sessions').insert({ ...row, id_hash: id, csrf_token: '', last_used_at: 0 });
      await queries('refresh_tokens').insert({ ...row, token_hash: id, service: '', client_id: '' });
      const token = { account_id: id, label: '', access: 'read-only', is_active: true, created_at: 0 };
      await queries('access_tokens').insert({
        ...{ ...token, token_hash: id, generated_by: '', creator_user_agent: '' },
      });
    }
    await change(jane, { oldPassword });
    assert.deepEqual(await queries('sessions').pluck('account_id'), [jack.id]);
    assert.deepEqual(await queries('refresh_tokens').pluck('account_id'), [jack.id]);
    assert.equal((await queries('access_tokens')).length, 2);
  });

  it('admins need not know the password of others, and the trail says who did it', async () => {
    await change(admin, {});
    assert.equal(await isPassword(newPassword), true);
    const event = await queries('events').where({ type: 'CHANGE_PASSWORD' }).first();
    assert.deepEqual([event.actor_name, event.object_name, event.content], ['admin', 'jane', null]);
  });

  it('a wrong old password, or none, is refused naming the field, and changes nothing', async () => {
    for (const wrong of [{}, { oldPassword: newPassword }]) {
      await assert.rejects(change(jane, wrong), {
        code: 'input-invalid',
        detail: { field: 'oldPassword' },
      });
    }
    assert.equal(await isPassword(oldPassword), true);
  });

  it('wrong old passwords count as failed sign-ins', async () => {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(change(jane, { oldPassword: `guess ${attempt}` }), { code: 'input-invalid' });
    }
    await assert.rejects(change(jane, { oldPassword }), { code: 'too-many-sign-ins' });
  });

  for (const [why, wanted] of [
    ['of 7 bytes', '1234567'],
    ['of 1025 bytes', 'p'.repeat(1025)],
  ] as const) {
    it(`a new password ${why} is refused`, async () => {
      await assert.rejects(change(admin, { newPassword: wanted }), {
        code: 'input-invalid',
        detail: { field: 'newPassword' },
      });
    });
  }

  it('a service account has none to change', async () => {
    await createAccount(queries, { name: 'machine', isServiceAccount: true, passwordHash: null }, 0);
    await assert.rejects(change(admin, { name: 'machine' }), {
      code: 'input-invalid',
      detail: { field: 'newPassword' },
    });
  });

  it('organizations and nobody have none', async () => {
    await createAccount(queries, { name: 'acme', isOrg: true, passwordHash: null }, 0);
    for (const name of ['acme', 'nobody'])
      await assert.rejects(change(admin, { name }), { code: 'user-unknown' });
  });
});
