/** Each migration goes up, down and up again with rows in place, and loses none of them. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import createKnex from 'knex';
import { tempDirectory } from './setup/temp-directory.ts';

const directory = join(import.meta.dirname, '../migrations');
const names = readdirSync(directory).sort();
const migrations = await Promise.all(names.map((name) => import(join(directory, name))));
const position = (part: string) => {
  const index = names.findIndex((name) => name.includes(part));
  assert.ok(index >= 0, `there is a migration ${part}`);
  return index;
};

async function openEmpty() {
  const knex = createKnex({
    client: 'better-sqlite3',
    connection: { filename: join(await tempDirectory(), 'db') },
    useNullAsDefault: true,
  });
  await knex.raw('PRAGMA foreign_keys = ON');
  return knex;
}

it('garbage collection takes the time of creation for the last use, and keeps every row', async () => {
  const knex = await openEmpty();
  try {
    const at = position('garbage-collection');
    for (const { up } of migrations.slice(0, at)) await up(knex);
    await knex('accounts').insert({ ...(await accountRow(knex)), id: 'a', name: 'acme' });
    const repository = { id: 'r', namespace_id: 'a', name: 'acme/web', visibility: 'private', created_at: 5 };
    await knex('repositories').insert(repository);
    await knex('blobs').insert({ digest: 'sha256:b', size_bytes: 3, created_at: 6 });
    await knex('repository_blobs').insert({ repository_id: 'r', digest: 'sha256:b', created_at: 7 });

    for (let round = 0; round < 2; round += 1) {
      await migrations[at].up(knex);
      assert.equal((await knex('blobs').first()).last_used_at, 6);
      assert.equal((await knex('repository_blobs').first()).last_used_at, 7);
      await migrations[at].down(knex);
      assert.deepEqual(await knex('repository_blobs').pluck('digest'), ['sha256:b']);
    }
  } finally {
    await knex.destroy();
  }
});

it('events are counted anew, those of everybody and those of each actor', async () => {
  const knex = await openEmpty();
  try {
    const at = position('event-counts-of-actors');
    for (const { up } of migrations.slice(0, at)) await up(knex);
    const event = {
      actor_name: 'ann',
      object_type: 'tag',
      object_id: 't',
      object_name: 'a/b:c',
      door: 'api',
    };
    for (const [actor_id, published_at] of [
      ['ann', 86_400_000],
      ['ann', 86_400_001],
      [null, 86_400_002],
    ]) {
      await knex('events').insert({
        ...event,
        type: 'PUSH',
        client: '',
        refused: false,
        actor_id,
        published_at,
      });
    }

    const counts = () => knex('event_counts').orderBy('events').select('day', 'type', 'refused', 'events');
    for (let round = 0; round < 2; round += 1) {
      await migrations[at].up(knex);
      assert.deepEqual(await knex('event_counts').orderBy('actor_id').pluck('actor_id'), ['', 'ann']);
      assert.deepEqual(await counts(), [
        { day: 1, type: 'PUSH', refused: 0, events: 2 },
        { day: 1, type: 'PUSH', refused: 0, events: 3 },
      ]);
      await migrations[at].down(knex);
      assert.deepEqual(await counts(), [{ day: 1, type: 'PUSH', refused: 0, events: 3 }]);
    }
  } finally {
    await knex.destroy();
  }
});

it('the choice takes who had a cache for who chose it, and everybody else for automatic', async () => {
  const knex = await openEmpty();
  try {
    const at = position('-choice.');
    for (const { up } of migrations.slice(0, at)) await up(knex);
    await knex('content_caches').insert({ id: 'c', name: 'region-us', host: 'http://c', created_at: 5 });
    for (const name of ['ann', 'bob']) {
      await knex('accounts').insert({ ...(await accountRow(knex)), id: name, name });
      await knex('account_settings').insert({
        account_id: name,
        content_cache_id: name === 'ann' ? 'c' : null,
      });
    }

    for (let round = 0; round < 2; round += 1) {
      await migrations[at].up(knex);
      const rows = await knex('account_settings').orderBy('account_id').pluck('content_cache_choice');
      assert.deepEqual(rows, ['cache', 'automatic']);
      assert.equal((await knex('content_caches').first()).is_enabled, 1);
      await migrations[at].down(knex);
      assert.deepEqual(await knex('account_settings').orderBy('account_id').pluck('content_cache_id'), [
        'c',
        null,
      ]);
    }
  } finally {
    await knex.destroy();
  }
});

it('content caches whose names differ in case alone keep their names, and no third one is added', async () => {
  const knex = await openEmpty();
  try {
    const at = position('content-cache-names');
    for (const { up } of migrations.slice(0, at)) await up(knex);
    const cache = (id: string, name: string) => ({ id, name, host: 'http://cache', created_at: 1 });
    await knex('content_caches').insert([cache('1', 'Twin'), cache('2', 'twin')]);
    await migrations[at].up(knex);
    assert.deepEqual(await knex('content_caches').orderBy('id').pluck('name'), ['Twin', 'twin']);
    await assert.rejects(
      knex('content_caches').insert({ ...cache('3', 'TWIN'), name_key: 'twin' }),
      /UNIQUE/,
    );
  } finally {
    await knex.destroy();
  }
});

it('what is searched in, and what decides which granted repositories are listed, is filled in', async () => {
  const knex = await openEmpty();
  try {
    const at = position('repository-search');
    for (const { up } of migrations.slice(0, at)) await up(knex);
    await knex('accounts').insert({ ...(await accountRow(knex)), id: 'a', name: 'acme' });
    const repository = { id: 'r', namespace_id: 'a', name: 'acme/web', visibility: 'public', created_at: 5 };
    await knex('repositories').insert({ ...repository, short_description: 'FÜR den Verkauf' });
    await knex('teams').insert({ id: 't', organization_id: 'a', name: 't', description: '', created_at: 5 });
    const access = { repository_id: 'r', repository_name: 'acme/web', access_level: 'admin' };
    await knex('team_repository_access').insert({ ...access, team_id: 't' });
    await knex('user_repository_access').insert({ ...access, user_id: 'a', user_name: 'acme' });

    for (let round = 0; round < 2; round += 1) {
      await migrations[at].up(knex);
      const listed = {
        namespace_id: 'a',
        visibility: 'public',
        search_text: 'acme/web\nfür den verkauf',
      };
      for (const table of ['repositories', 'team_repository_access', 'user_repository_access']) {
        assert.deepEqual(await knex(table).select(Object.keys(listed)), [listed], table);
      }
      await migrations[at].down(knex);
      for (const table of ['team_repository_access', 'user_repository_access']) {
        assert.deepEqual(await knex(table).pluck('access_level'), ['admin']);
      }
    }
  } finally {
    await knex.destroy();
  }
});

it('all of them go up, down to nothing, and up again', async () => {
  const knex = await openEmpty();
  const tables = async () =>
    (await knex.raw("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))
      .length;
  try {
    for (let round = 0; round < 2; round += 1) {
      for (const { up } of migrations) await up(knex);
      assert.ok((await tables()) > 10);
      for (const { down } of [...migrations].reverse()) await down(knex);
      assert.equal(await tables(), 0);
    }
  } finally {
    await knex.destroy();
  }
});

/** A value for each column that wants one, whatever columns accounts have. */
async function accountRow(knex: ReturnType<typeof createKnex>): Promise<Record<string, unknown>> {
  const columns: { name: string; type: string; notnull: number }[] = await knex.raw(
    'PRAGMA table_info(accounts)',
  );
  return Object.fromEntries(
    columns
      .filter(({ notnull }) => notnull === 1)
      .map(({ name, type }) => [name, /int/i.test(type) ? 1 : 'x']),
  );
}
