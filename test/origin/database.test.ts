import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { openDatabase } from '../../src/origin/database.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const directory = await tempDirectory();
const database = await openDatabase(directory);
const find = database.prepare<{ id: string }>((queries) =>
  queries('signing_keys').where('signing_keys.id', ':1').select('signing_keys.id'),
);
const key = (id: string) => ({ id, private_key: 'pem', created_at: 1 });
after(() => database.close());

test('a remembered row is seen to change by what this process writes, at once', async () => {
  assert.equal(await find('a'), undefined);
  await database.queries('signing_keys').insert(key('a'));
  assert.deepEqual({ ...(await find('a')) }, { id: 'a' });

  assert.equal(await find('b'), undefined);
  await database.transaction((tx) => tx('signing_keys').insert(key('b')));
  assert.deepEqual({ ...(await find('b')) }, { id: 'b' });
});

test('what another process commits is seen from the next turn of the event loop on', async () => {
  const other = new BetterSqlite3(join(directory, 'dtr.db'));
  try {
    assert.equal(await find('c'), undefined);
    other.prepare("INSERT INTO signing_keys (id, private_key, created_at) VALUES ('c', 'pem', 1)").run();
    await nextTurn();
    assert.deepEqual({ ...(await find('c')) }, { id: 'c' });
  } finally {
    other.close();
  }
});
