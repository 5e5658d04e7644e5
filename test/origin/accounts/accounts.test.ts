import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  countAccounts,
  createAccount,
  findAccount,
  getAccount,
  getUser,
  isAnyAccount,
  listAccounts,
} from '../../../src/origin/accounts/accounts.ts';
import { type CacheSetting, chooseContentCache, getSettings } from '../../../src/origin/accounts/settings.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { parseRepositoryName } from '../../../src/shared/distribution/repository-name.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;

async function openOther() {
  const other = await openDatabase(await tempDirectory());
  after(() => other.close());
  return other;
}

const create = (name: string, more: object = {}) =>
  createAccount(queries, { name, passwordHash: null, ...more }, 0);

describe('accounts', () => {
  it('there is none at first', async () => {
    assert.equal(await isAnyAccount(queries), false);
    await create('first');
    assert.equal(await isAnyAccount(queries), true);
  });

  it('one is found as it was created', async () => {
    const created = await create('jane', { fullName: 'Jane Doe', isAdmin: true, isActive: false });
    const { id, ...rest } = created;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      name: 'jane',
      fullName: 'Jane Doe',
      isOrg: false,
      isAdmin: true,
      isActive: false,
      isServiceAccount: false,
    });
    assert.deepEqual(await findAccount(queries, 'jane'), created);
    assert.equal(await findAccount(queries, 'Jane'), undefined);
  });

  it('an organization is an account and no user', async () => {
    await create('acme', { isOrg: true });
    assert.equal((await findAccount(queries, 'acme'))?.isOrg, true);
    await assert.rejects(getUser(queries, 'acme'), { code: 'user-unknown' });
    await assert.rejects(getUser(queries, 'nobody'), { code: 'user-unknown' });
    assert.equal((await getAccount(queries, 'acme')).isOrg, true);
    await assert.rejects(getAccount(queries, 'nobody'), { code: 'account-unknown' });
  });

  it('of two with one name created at once, one is', async () => {
    const results = await Promise.allSettled([create('contested'), create('contested', { isOrg: true })]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    assert.equal(refused?.reason.code, 'account-name-taken');
  });

  for (const name of ['a', '7', 'a.b', 'a_b', 'a__b', 'a-b', 'a---b', 'n'.repeat(128)]) {
    it(`${name.slice(0, 20)} is a name, and a namespace of repositories`, async () => {
      assert.equal((await create(name)).name, name);
      assert.equal(parseRepositoryName(`${name}/web`), `${name}/web`);
    });
  }

  for (const name of [
    '',
    'A',
    'a b',
    ' a',
    'a ',
    'a..b',
    'a___b',
    '-a',
    'a-',
    '.',
    '..',
    '../x',
    'a/b',
    'é',
    'a\n',
    'a\u200b',
    '<b>',
    'n'.repeat(129),
  ]) {
    it(`${JSON.stringify(name).slice(0, 20)} is no name`, async () => {
      await assert.rejects(create(name), { code: 'input-invalid', detail: { field: 'name' } });
    });
  }
});

describe('lists of accounts', async () => {
  const { queries } = await openOther();
  const rows: [name: string, more: object][] = [
    ['acme', { isOrg: true }],
    ['ann', {}],
    ['anna', { isAdmin: true }],
    ['bob', { isActive: false }],
    ['machine', { isServiceAccount: true }],
  ];
  for (const [name, more] of rows) await createAccount(queries, { name, passwordHash: null, ...more }, 0);
  const page = { start: undefined, size: 10 };

  for (const [filter, names] of [
    ['all', 'acme ann anna bob machine'],
    ['users', 'ann anna bob machine'],
    ['orgs', 'acme'],
    ['admins', 'anna'],
    ['non-admins', 'ann bob machine'],
    ['active-users', 'ann anna machine'],
    ['inactive-users', 'bob'],
  ] as const) {
    it(`${filter}: ${names}`, async () => {
      const { records, next } = await listAccounts(queries, { filter }, page);
      assert.deepEqual([records.map(({ name }) => name).join(' '), next], [names, undefined]);
      assert.equal(await countAccounts(queries, { filter }), names.split(' ').length);
    });

    it(`${filter} are read by index, from the middle and by a prefix, too`, async () => {
      for (const prefix of [undefined, 'an']) {
        const selection = { filter, prefix };
        await assertIndexed(queries, () => listAccounts(queries, selection, page));
        await assertIndexed(queries, () => listAccounts(queries, selection, { start: 'b', size: 10 }));
        await assertIndexed(queries, () => countAccounts(queries, selection));
      }
    });
  }

  for (const [prefix, names] of [
    ['an', ['ann', 'anna']],
    ['anna', ['anna']],
    ['', ['acme', 'ann', 'anna', 'bob', 'machine']],
    ['%', []],
    ['An', []],
    ['a_n', []],
  ] as const) {
    it(`those whose names begin with ${JSON.stringify(prefix)}`, async () => {
      const { records } = await listAccounts(queries, { filter: 'all', prefix }, page);
      assert.deepEqual(
        records.map(({ name }) => name),
        names,
      );
    });
  }

  it('come in pages, each beginning where the one before said', async () => {
    const names: string[] = [];
    let start: string | undefined;
    do {
      const { records, next } = await listAccounts(queries, { filter: 'all' }, { start, size: 2 });
      assert.ok(records.length <= 2);
      names.push(...records.map(({ name }) => name));
      start = next;
    } while (start !== undefined);
    assert.deepEqual(names, ['acme', 'ann', 'anna', 'bob', 'machine']);
  });
});

describe('settings', () => {
  it('a cache that does not exist is refused, and the setting stays', async () => {
    const { id } = await create('chooser');
    await queries('content_caches').insert({ id: 'c1', name: 'c1', host: 'http://c1', created_at: 0 });
    const change = (setting: CacheSetting) =>
      database.transaction((tx) => chooseContentCache(tx, id, setting));
    const read = async () => (await getSettings(queries, id)).cache;
    assert.deepEqual(await read(), { choice: 'automatic' });
    await change({ choice: 'cache', contentCacheId: 'c1' });
    await assert.rejects(change({ choice: 'cache', contentCacheId: 'c2' }), { code: 'setting-invalid' });
    assert.deepEqual(await read(), { choice: 'cache', contentCacheId: 'c1' });
    await change({ choice: 'none' });
    assert.deepEqual(await read(), { choice: 'none' });
    await change({ choice: 'automatic' });
    assert.deepEqual(await read(), { choice: 'automatic' });
  });
});
