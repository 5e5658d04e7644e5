import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { copyDatabase } from '../../../src/origin/backup/database-copy.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

test('a copy is of one moment, and keeps nobody from writing meanwhile', async () => {
  const directory = await tempDirectory();
  const writer = new BetterSqlite3(join(directory, 'dtr.db'));
  writer.pragma('journal_mode = WAL');
  writer.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, bytes BLOB)');
  const write = writer.prepare('INSERT INTO rows (bytes) VALUES (zeroblob(?))');
  // More than two of the steps in which it is copied.
  writer.transaction(() => {
    for (let count = 0; count < 30; count += 1) write.run(1_000_000);
  })();

  const path = join(directory, 'copy.db');
  let copied = false;
  const copying = copyDatabase(directory, path).then(() => {
    copied = true;
  });
  let written = 0;
  while (!copied) {
    write.run(10);
    written += 1;
    await nextTurn();
  }
  await copying;

  assert.ok(written > 3, `${written} rows were written meanwhile`);
  const copy = new BetterSqlite3(path, { readonly: true });
  assert.equal(copy.prepare('SELECT count(*) FROM rows').pluck().get(), 30);
  copy.close();
  assert.equal(writer.prepare('SELECT count(*) FROM rows').pluck().get(), 30 + written);
  writer.close();
});
