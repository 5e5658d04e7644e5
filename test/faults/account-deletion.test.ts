/** `kill -9` in the middle of deleting an account: the next start finishes it, and asks nobody. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, it } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import { basic } from '../setup/origin.ts';
import { eventually } from '../setup/processes.ts';
import { type ServedOrigin, startServedOrigin } from '../setup/served-origin.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

/** Deleting them takes some seconds. */
const repositories = 10_000;

const ask = ({ host, password }: ServedOrigin, method: string, path: string, body?: object) =>
  fetch(`http://${host}/api/v0${path}`, {
    method,
    headers: { Authorization: basic(`admin:${password}`), 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

it('an account whose deletion was killed is gone soon after the next start', async () => {
  const directory = await tempDirectory();
  const first = await startServedOrigin(directory);
  after(() => first.stop());
  const created = await ask(first, 'POST', '/accounts', { name: 'jane', password: 'a long password' });
  const { id } = (await created.json()) as { id: string };
  const database = new BetterSqlite3(join(directory, 'data', 'dtr.db'));
  const insert = database.prepare(
    "INSERT INTO repositories (id, namespace_id, name, visibility, created_at) VALUES (?, ?, ?, 'private', 0)",
  );
  database.transaction(() => {
    for (let n = 0; n < repositories; n += 1) insert.run(`r${n}`, id, `jane/r${n}`);
  })();
  const count = (): number => database.prepare('SELECT count(*) FROM repositories').pluck().get() as number;

  const deleting = ask(first, 'DELETE', '/accounts/jane').catch(() => 'killed');
  await eventually('some are deleted', () => count() < repositories, 30_000);
  process.kill(first.pid, 'SIGKILL');
  assert.equal(await deleting, 'killed');
  const left = count();
  assert.ok(left > 0, 'the kill came in the middle');
  database.close();

  const second = await startServedOrigin(directory);
  after(() => second.stop());
  const gone = async () => (await ask(second, 'GET', '/accounts/jane')).status === 404;
  await eventually('the account is gone', gone, 60_000);
});
