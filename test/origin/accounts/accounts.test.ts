import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createAccount, findAccount, getUser, isAnyAccount } from '../../../src/origin/accounts/accounts.ts';
import { chooseContentCache, getSettings } from '../../../src/origin/accounts/settings.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { parseRepositoryName } from '../../../src/shared/distribution/repository-name.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
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

describe('settings', () => {
  it('a cache that does not exist is refused, and the setting stays', async () => {
    const { id } = await create('chooser');
    await queries('content_caches').insert({ id: 'c1', name: 'c1', host: 'http://c1', created_at: 0 });
    const change = (contentCacheId: string | undefined) =>
      database.transaction((tx) => chooseContentCache(tx, id, contentCacheId));
    await change('c1');
    await assert.rejects(change('c2'), { code: 'setting-invalid' });
    assert.equal((await getSettings(queries, id)).contentCacheId, 'c1');
    await change(undefined);
    assert.equal((await getSettings(queries, id)).contentCacheId, undefined);
  });
});
