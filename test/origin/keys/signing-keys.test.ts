/** Keys are replaced without anybody being turned away: announced first, and good for as long as what they signed (C16). */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { openDatabase } from '../../../src/origin/database.ts';
import { addSigningKey, SigningKeys } from '../../../src/origin/keys/signing-keys.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const minute = 60_000;
const start = Date.UTC(2026, 10, 25);
let now = start;
const clock = () => now;
const published = (keys: SigningKeys) =>
  keys.publicKeySet('https://dtr.example.com').keys.map(({ kid }) => kid);

const pemOf = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

describe('signing keys', () => {
  it('the first one signs at once, and the same one after a restart', async () => {
    const keys = await SigningKeys.load(database, clock);
    const again = await SigningKeys.load(database, clock);
    assert.equal(again.current().keyId, keys.current().keyId);
    assert.equal(published(keys).length, 1);
  });

  it('a new one is published at once, signs two minutes later, and the one before verifies for an hour more', async () => {
    const keys = await SigningKeys.load(database, clock);
    const first = keys.current().keyId;
    now += 10 * minute;
    const second = await database.transaction((tx) => addSigningKey(tx, now));
    assert.equal(keys.find(second), undefined, 'nobody has looked yet');
    await keys.refresh();
    assert.deepEqual(published(keys), [second, first]);
    assert.equal(keys.current().keyId, first);

    now += 2 * minute;
    assert.equal(keys.current().keyId, second);
    assert.ok(keys.find(first));

    now += 59 * minute;
    assert.ok(keys.find(first));
    now += minute;
    assert.equal(keys.find(first), undefined);
    assert.deepEqual(published(keys), [second]);
  });

  for (const [what, pem] of [
    ['nothing', ''],
    ['one character', 'x'],
    ['RSA of 1024 bits', pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }))],
    ['another curve', pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))],
  ] as const) {
    it(`${what} in place of a key stops the start (C19)`, async () => {
      const other = await openDatabase(await tempDirectory());
      try {
        await other.queries('signing_keys').insert({ id: 'weak', private_key: pem, created_at: 0 });
        await assert.rejects(
          SigningKeys.load(other, clock),
          /signing key weak in the database is not a P-256 key/,
        );
      } finally {
        await other.close();
      }
    });
  }

  it('every origin on the database signs with the same one at the same time', async () => {
    const one = await SigningKeys.load(database, clock);
    const other = await SigningKeys.load(database, clock);
    const third = await database.transaction((tx) => addSigningKey(tx, now));
    await Promise.all([one.refresh(), other.refresh()]);
    now += 2 * minute;
    assert.equal(one.current().keyId, third);
    assert.equal(other.current().keyId, third);
  });
});
