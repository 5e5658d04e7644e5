import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createAccount } from '../../../src/origin/accounts/accounts.ts';
import { Authenticator, parseBasicCredentials } from '../../../src/origin/accounts/authenticate.ts';
import { Passwords } from '../../../src/origin/accounts/passwords.ts';
import { SignInLimits } from '../../../src/origin/accounts/sign-in-limits.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { basic } from '../../setup/origin.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;

/** Counts how often a password was really hashed. */
class CountingPasswords extends Passwords {
  verified = 0;
  override verify(...parameters: Parameters<Passwords['verify']>): Promise<boolean> {
    this.verified += 1;
    return super.verify(...parameters);
  }
}

const passwordHash = await new Passwords().hash('right-password');
for (const [name, more] of [
  ['ann', {}],
  ['idle', { isActive: false }],
  ['acme', { isOrg: true }],
  ['keyless', { passwordHash: null }],
] as const) {
  await createAccount(queries, { name, passwordHash, ...more }, 0);
}

const from = { door: 'api', client: '192.0.2.1' } as const;

function start() {
  let now = 1_700_000_000_000;
  const passwords = new CountingPasswords();
  const clock = () => now;
  const limits = new SignInLimits({ perAddress: 1000, perAccount: 1000 }, clock);
  const authenticator = new Authenticator({ database, passwords, limits, clock });
  return { passwords, authenticator, pass: (ms: number) => (now += ms) };
}

describe('authentication', () => {
  it('an active user with the right password is who they say', async () => {
    const { authenticator } = start();
    assert.equal((await authenticator.authenticate('ann', 'right-password', from))?.account.name, 'ann');
  });

  for (const [who, name, password] of [
    ['a wrong password', 'ann', 'wrong-password'],
    ['no password', 'ann', ''],
    ['nobody of that name', 'carol', 'right-password'],
    ['another case of the name', 'Ann', 'right-password'],
    ['a space at the end of the name', 'ann ', 'right-password'],
    ['a deactivated user', 'idle', 'right-password'],
    ['an organization', 'acme', 'right-password'],
    ['a user without a password', 'keyless', 'right-password'],
    ['the hash itself', 'ann', passwordHash],
  ] as const) {
    it(`${who} is refused, and costs as much as any other`, async () => {
      const { authenticator, passwords } = start();
      assert.equal(await authenticator.authenticate(name, password, from), undefined);
      assert.equal(passwords.verified, 1);
    });
  }

  it('a success is remembered for a minute, a failure never', async () => {
    const { authenticator, passwords, pass } = start();
    await authenticator.authenticate('ann', 'right-password', from);
    pass(59_999);
    assert.ok(await authenticator.authenticate('ann', 'right-password', from));
    assert.equal(passwords.verified, 1);
    pass(1);
    assert.ok(await authenticator.authenticate('ann', 'right-password', from));
    assert.equal(passwords.verified, 2);
    await authenticator.authenticate('ann', 'wrong-password', from);
    await authenticator.authenticate('ann', 'wrong-password', from);
    assert.equal(passwords.verified, 4);
  });

  it('what is remembered ends with the password and with the account (B07)', async () => {
    const { authenticator } = start();
    await createAccount(queries, { name: 'leaver', passwordHash }, 0);
    assert.ok(await authenticator.authenticate('leaver', 'right-password', from));
    const another = await new Passwords().hash('another-password');
    await queries('accounts').where('accounts.name', 'leaver').update({ password_hash: another });
    assert.equal(await authenticator.authenticate('leaver', 'right-password', from), undefined);
    assert.ok(await authenticator.authenticate('leaver', 'another-password', from));
    await queries('accounts').where('accounts.name', 'leaver').update({ is_active: false });
    assert.equal(await authenticator.authenticate('leaver', 'another-password', from), undefined);
  });
});

describe('the credentials of a Basic header', () => {
  for (const [header, credentials] of [
    [basic('ann:secret'), { name: 'ann', password: 'secret' }],
    [basic('ann:with:colons'), { name: 'ann', password: 'with:colons' }],
    [basic('ann:'), { name: 'ann', password: '' }],
    [basic('ann:pässwörd'), { name: 'ann', password: 'pässwörd' }],
    [basic('ann:secret').replace('Basic', 'bAsIc'), { name: 'ann', password: 'secret' }],
    [undefined, undefined],
    ['', undefined],
    ['Basic', undefined],
    ['Basic !!!', undefined],
    [`Basic ${btoa('no-colon')}`, undefined],
    [basic(':no-name'), undefined],
    [`${basic('ann:secret')}, ${basic('bob:secret')}`, undefined],
    [`Bearer ${btoa('ann:secret')}`, undefined],
  ] as const) {
    it(`${header} says ${JSON.stringify(credentials) ?? 'nothing'}`, () => {
      assert.deepEqual(parseBasicCredentials(header), credentials);
    });
  }
});
