import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Passwords } from '../../../src/origin/accounts/passwords.ts';

describe('passwords', () => {
  const passwords = new Passwords();

  it('are kept as argon2id with the settings of OWASP, each with a salt of its own', async () => {
    const [first, second] = await Promise.all([
      passwords.hash('one-password'),
      passwords.hash('one-password'),
    ]);
    assert.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]+\$[^$]+$/);
    assert.notEqual(first, second);
    assert.equal(await passwords.verify('one-password', first), true);
    assert.equal(await passwords.verify('one-password', second), true);
    assert.equal(await passwords.verify('one-Password', first), false);
  });

  it('without a stored hash nothing matches, not even the decoy', async () => {
    assert.equal(await passwords.verify('decoy-password', undefined), false);
    assert.equal(await passwords.verify('', undefined), false);
  });

  for (const [what, password] of [
    ['7 bytes', '1234567'],
    ['1025 bytes', 'p'.repeat(1025)],
    ['1026 bytes in 513 characters', 'é'.repeat(513)],
  ] as const) {
    it(`${what} are refused`, async () => {
      await assert.rejects(passwords.hash(password), {
        code: 'input-invalid',
        detail: { field: 'password' },
      });
    });
  }

  for (const password of ['12345678', 'éééé', 'p'.repeat(1024), 'null\u0000byte', '🐳🐳']) {
    it(`${JSON.stringify(password).slice(0, 20)} is allowed and compared to its last byte`, async () => {
      const stored = await passwords.hash(password);
      assert.equal(await passwords.verify(password, stored), true);
      assert.equal(await passwords.verify(password.slice(0, -1), stored), false);
    });
  }

  it('what is too long is refused before any work is done (B04)', async () => {
    // Whoever looked at this hash would fail: it cannot be read.
    assert.equal(await passwords.verify('p'.repeat(1025), 'no-hash'), false);
    await assert.rejects(passwords.verify('p'.repeat(1024), 'no-hash'));
  });

  it('many at once are all answered, in turn', async () => {
    const stored = await passwords.hash('some-password');
    const guesses = Array.from({ length: 24 }, (_, index) =>
      index % 3 === 0 ? 'some-password' : `wrong-${index}`,
    );
    const answers = await Promise.all(guesses.map((guess) => passwords.verify(guess, stored)));
    assert.deepEqual(
      answers,
      guesses.map((guess) => guess === 'some-password'),
    );
  });

  it('a hash that cannot be read is an error for one caller and blocks no other', async () => {
    const failures = Array.from({ length: 8 }, () => passwords.verify('some-password', 'no-hash'));
    const results = await Promise.allSettled(failures);
    assert.ok(results.every(({ status }) => status === 'rejected'));
    assert.equal(await passwords.verify('some-password', await passwords.hash('some-password')), true);
  });
});
