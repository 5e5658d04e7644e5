import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createAccount } from '../../../src/origin/accounts/accounts.ts';
import { chooseContentCache, countWhoChose, listWhoChose } from '../../../src/origin/accounts/settings.ts';
import { createContentCache } from '../../../src/origin/content-caches/content-caches.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
const register = (name: string) => createContentCache(queries, { name, host: 'http://c' }, 0);
const regionUs = await register('region-us');
const regionEu = await register('region-eu');

describe('who chose a content cache', () => {
  it('is listed by name, in pages, and counted; whoever chose another is not', async () => {
    for (const [name, contentCacheId] of [
      ['omar', regionUs.id],
      ['jane', regionUs.id],
      ['sofia', regionEu.id],
    ] as const) {
      const { id } = await createAccount(queries, { name, passwordHash: null }, 0);
      await database.transaction((tx) => chooseContentCache(tx, id, { choice: 'cache', contentCacheId }));
    }
    const first = await listWhoChose(queries, regionUs.id, { start: undefined, size: 1 });
    assert.deepEqual([first.records.map(({ name }) => name), first.next], [['jane'], 'omar']);
    const last = await listWhoChose(queries, regionUs.id, { start: first.next, size: 1 });
    assert.deepEqual([last.records.map(({ name }) => name), last.next], [['omar'], undefined]);
    assert.equal(await countWhoChose(queries, regionUs.id), 2);
  });

  it('reads by index, and sorts no more than those', async () => {
    const page = { start: 'a', size: 10 };
    await assertIndexed(queries, () => listWhoChose(queries, regionUs.id, page));
    await assertIndexed(queries, () => countWhoChose(queries, regionUs.id));
  });
});
