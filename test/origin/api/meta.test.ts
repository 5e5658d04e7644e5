import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import { version } from '../../../src/shared/version.ts';
import { startApi } from './api.ts';

const now = Date.parse('2026-11-25T09:30:00Z');
const api = await startApi({ clock: () => now });
const settings = '/api/v0/meta/settings';

describe('the settings of the system', () => {
  const change = (body: object, as = 'admin') => api.ask('POST', settings, { as, body });

  it('are the defaults at first, and say what was decided at the start', async () => {
    const { status, body } = await api.ask('GET', settings);
    assert.equal(status, 200);
    assert.deepEqual(body, {
      ...{ createRepositoryOnPush: true, anonymousPulls: true, defaultContentCacheUUID: '' },
      ...{ webTLSCA: '', logLevel: 'debug' },
      ...{
        dtrHost: new URL(api.origin.url).host,
        reportAnalytics: false,
        scanningEnabled: false,
        sso: false,
      },
    });
  });

  it('are changed one by one: what is left out stays (202)', async () => {
    const changed = await change({ createRepositoryOnPush: false });
    assert.deepEqual(
      [changed.status, changed.body.createRepositoryOnPush, changed.body.anonymousPulls],
      [202, false, true],
    );
    await change({ anonymousPulls: false });
    const { body } = await api.ask('GET', settings);
    assert.deepEqual([body.createRepositoryOnPush, body.anonymousPulls], [false, false]);
    assert.equal((await change({})).status, 202);
    const trail = api.look(
      `select group_concat(content, ' ') from (select * from events where object_type = 'system')`,
    );
    assert.equal(trail, '{"createRepositoryOnPush":false} {"anonymousPulls":false}');
  });

  it('name the content cache of everybody for whom nobody else decides, until it is removed', async () => {
    const body = { name: 'region-us', host: 'http://203.0.113.7:5000' };
    const { id } = (await api.ask('POST', '/api/v0/content_caches', { body })).body;
    const read = async () => (await api.ask('GET', settings)).body.defaultContentCacheUUID;
    assert.equal((await change({ defaultContentCacheUUID: id })).body.defaultContentCacheUUID, id);
    assert.equal(await read(), id);
    await change({ defaultContentCacheUUID: '' });
    assert.equal(await read(), '');
    await change({ defaultContentCacheUUID: id });
    await api.ask('DELETE', `/api/v0/content_caches/${id}`);
    assert.equal(await read(), '');
  });

  it('that do not exist, or cannot be set here, are 400 INVALID_SETTINGS naming the field', async () => {
    for (const [field, body] of [
      ['readOnlyRegistry', { readOnlyRegistry: true }],
      ['dtrHost', { createRepositoryOnPush: true, dtrHost: 'evil.example' }],
      ['webTLSKey', { webTLSKey: 'x' }],
      ['createRepositoryOnPush', { createRepositoryOnPush: 'true' }],
      ['anonymousPulls', { anonymousPulls: null }],
      ['defaultContentCacheUUID', { defaultContentCacheUUID: 'region-us' }],
    ] as const) {
      const answer = await change(body);
      assert.deepEqual([answer.status, answer.code], [400, 'INVALID_SETTINGS'], answer.text);
      assert.equal(answer.body.errors[0].detail.field, field);
    }
    assert.equal((await api.ask('GET', settings)).body.createRepositoryOnPush, false);
  });

  it('are for admins', async () => {
    for (const [method, path] of [
      ['GET', settings],
      ['POST', settings],
      ['GET', '/api/v0/meta/cluster_status'],
    ] as const) {
      const { status } = await api.ask(method, path, { as: 'ann', body: method === 'POST' ? {} : undefined });
      assert.equal(status, 403);
    }
  });
});

it('anybody who is signed in sees what the system can do, and its version', async () => {
  const { body: features } = await api.ask('GET', '/api/v0/meta/features', { as: 'ann' });
  const migrations = readdirSync(join(import.meta.dirname, '../../../migrations')).length;
  assert.equal(features.db_version, migrations);
  assert.equal(features.onlineGCEnabled, true);
  const answer = await api.ask('GET', '/api/v0/admin/version', { as: 'ann' });
  assert.deepEqual(answer.body, { version });
});

it('an admin sees how the system is: the origin keeps its id, and garbage collection shows', async () => {
  const status = async () => (await api.ask('GET', '/api/v0/meta/cluster_status')).body;
  const { replica_health: health, ...rest } = await status();
  const [id] = Object.keys(health) as [string];
  assert.match(id, /^[0-9a-f]{12}$/);
  assert.deepEqual(health, { [id]: 'OK' });
  assert.deepEqual(rest, {
    gc_lock_holder: '',
    replica_readonly: { [id]: false },
    replica_timestamp: { [id]: '2026-11-25T09:30:00.000Z' },
    rethink_system_tables: {},
  });
  // As another process collects: `dtr gc`.
  const lock = new BetterSqlite3(join(api.origin.dataDirectory, 'garbage-collection.lock'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
    assert.equal((await status()).gc_lock_holder, id);
    lock.exec('COMMIT');
    assert.equal((await status()).gc_lock_holder, '');
  } finally {
    lock.close();
  }
  await api.origin.restart();
  assert.deepEqual(Object.keys((await status()).replica_health), [id]);
});
