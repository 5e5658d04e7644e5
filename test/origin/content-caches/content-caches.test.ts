import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createAccount } from '../../../src/origin/accounts/accounts.ts';
import { chooseContentCache, getSettings } from '../../../src/origin/accounts/settings.ts';
import {
  countContentCaches,
  createContentCache,
  deleteContentCache,
  findContentCache,
  listContentCaches,
} from '../../../src/origin/content-caches/content-caches.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const now = 1_700_000_000_000;
const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;

describe('content caches', () => {
  it('are found by id and listed by name, with their canonical host', async () => {
    const second = await createContentCache(queries, { name: 'second', host: 'HTTP://Cache:80/' }, now);
    const first = await createContentCache(queries, { name: 'first', host: 'https://cache' }, now);
    assert.deepEqual(await findContentCache(queries, second.id), {
      id: second.id,
      name: 'second',
      host: 'http://cache',
      isEnabled: true,
      caPem: undefined,
    });
    const page = { start: undefined, size: 10 };
    assert.deepEqual(await listContentCaches(queries, page), { records: [first, second], next: undefined });
  });

  it('are listed, counted and found by indexes', async () => {
    await assertIndexed(queries, () => listContentCaches(queries, { start: 'm', size: 10 }));
    await assertIndexed(queries, () => countContentCaches(queries));
    await assertIndexed(queries, () => findContentCache(queries, 'an id'));
  });

  it('two of one name that are created at once: one is, the other is refused', async () => {
    const input = { name: 'contested', host: 'http://cache' };
    const results = await Promise.allSettled([1, 2, 3].map(() => createContentCache(queries, input, now)));
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
    for (const result of results) {
      if (result.status === 'rejected') assert.equal(result.reason.code, 'content-cache-name-taken');
    }
  });

  it('one that is deleted is nobody’s setting any more, and its name is free', async () => {
    const cache = await createContentCache(queries, { name: 'gone', host: 'http://cache' }, now);
    const user = await createAccount(queries, { name: 'jane', passwordHash: null }, now);
    await database.transaction((tx) =>
      chooseContentCache(tx, user.id, { choice: 'cache', contentCacheId: cache.id }),
    );
    await deleteContentCache(queries, cache.id);
    await deleteContentCache(queries, cache.id);
    assert.deepEqual((await getSettings(queries, user.id)).cache, { choice: 'automatic' });
    assert.equal(await findContentCache(queries, cache.id), undefined);
    await createContentCache(queries, { name: 'gone', host: 'http://cache' }, now);
  });

  for (const name of ['', ' a', 'a ', '-a', 'a\n', 'a\u200bb', 'é', '<b>', 'a/b', 'n'.repeat(129)]) {
    it(`the name ${JSON.stringify(name).slice(0, 20)} is refused`, async () => {
      await assert.rejects(createContentCache(queries, { name, host: 'http://cache' }, now), {
        code: 'input-invalid',
        detail: { field: 'name' },
      });
    });
  }

  for (const name of ['a', '7', 'US West (2)'.replace(/[()]/g, ''), 'a.b_c-d', 'n'.repeat(128)]) {
    it(`the name ${JSON.stringify(name).slice(0, 20)} is allowed`, async () => {
      assert.equal((await createContentCache(queries, { name, host: 'http://cache' }, now)).name, name);
    });
  }
});
