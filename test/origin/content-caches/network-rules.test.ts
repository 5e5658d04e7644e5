import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createContentCache, deleteContentCache } from '../../../src/origin/content-caches/content-caches.ts';
import {
  changeNetworkRule,
  countNetworkRules,
  createNetworkRule,
  deleteNetworkRule,
  getNetworkRule,
  listNetworkRules,
  NetworkRuleFinder,
} from '../../../src/origin/content-caches/network-rules.ts';
import { openDatabase, openDatabaseBeside } from '../../../src/origin/database.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const now = 1_700_000_000_000;
const directory = await tempDirectory();
const database = await openDatabase(directory);
const beside = await openDatabaseBeside(directory);
after(async () => {
  await beside.close();
  await database.close();
});
const finder = new NetworkRuleFinder(database);
const cache = await createContentCache(database.queries, { name: 'region-us', host: 'http://c' }, now);

const create = (network: string, contentCacheId: string | 'none' = cache.id, comment = '') =>
  database.transaction((tx) =>
    createNetworkRule(
      tx,
      { network, contentCacheId: contentCacheId === 'none' ? undefined : contentCacheId, comment },
      now,
    ),
  );
const change = (id: string, changes: Parameters<typeof changeNetworkRule>[2]) =>
  database.transaction((tx) => changeNetworkRule(tx, id, changes));
const remove = (id: string) => database.transaction((tx) => deleteNetworkRule(tx, id));
const unknownId = '00000000-0000-4000-8000-000000000000';

describe('a network rule', () => {
  it('is found by its cache by index', async () => {
    const { queries } = database;
    const page = { start: '10.0.0.0/8', size: 10 };
    await assertIndexed(queries, () => listNetworkRules(queries, cache.id, page));
    await assertIndexed(queries, () => listNetworkRules(queries, undefined, page));
    await assertIndexed(queries, () => countNetworkRules(queries, cache.id));
  });

  it('is for a network in its one canonical spelling', async () => {
    const rule = await create('10.1.2.3/16', cache.id, 'the office in Rome');
    assert.deepEqual(await getNetworkRule(database.queries, rule.id), {
      id: rule.id,
      network: '10.1.0.0/16',
      contentCacheId: cache.id,
      comment: 'the office in Rome',
    });
    assert.equal((await create('2001:DB8:0::5/32')).network, '2001:db8::/32');
    assert.equal((await create('192.0.2.7')).network, '192.0.2.7/32');
    assert.equal((await create('::ffff:10.9.0.0/112')).network, '10.9.0.0/16');
  });

  it('may say that the origin itself serves', async () => {
    const { id } = await create('10.2.0.0/16', 'none');
    assert.equal((await getNetworkRule(database.queries, id)).contentCacheId, undefined);
  });

  it('is refused for what is no network, for a cache that is not there, and with a long comment', async () => {
    for (const network of ['', '10.0.0.0/33', '10.0.0', '10.0.0.0/8/8', 'office', '::/129', '10.0.0.0/-1']) {
      await assert.rejects(create(network), {
        code: 'input-invalid',
        detail: { field: 'network', value: network },
      });
    }
    await assert.rejects(create('10.3.0.0/16', unknownId), {
      code: 'input-invalid',
      detail: { field: 'contentCacheUUID', value: unknownId },
    });
    await assert.rejects(create('10.3.0.0/16', cache.id, 'x'.repeat(256)), { code: 'input-invalid' });
  });

  it('is the only one of its network', async () => {
    await create('10.4.0.0/16');
    await assert.rejects(create('10.4.5.6/16'), { code: 'network-rule-taken' });
    const { id } = await create('10.5.0.0/16');
    await assert.rejects(change(id, { network: '10.4.0.0/16' }), { code: 'network-rule-taken' });
  });

  it('changes in what is given, and stays as it is in the rest', async () => {
    const { id } = await create('10.6.0.0/16', cache.id, 'before');
    assert.deepEqual(await change(id, { comment: 'after' }), {
      id,
      network: '10.6.0.0/16',
      contentCacheId: cache.id,
      comment: 'after',
    });
    assert.equal((await change(id, { contentCacheId: undefined })).contentCacheId, undefined);
    assert.equal((await change(id, { network: '10.6.0.0/17' })).network, '10.6.0.0/17');
    await assert.rejects(change(unknownId, { comment: '' }), { code: 'network-rule-unknown' });
  });

  it('is gone when it is deleted; deleting it again is no error', async () => {
    const { id } = await create('10.7.0.0/16');
    await remove(id);
    await remove(id);
    await assert.rejects(getNetworkRule(database.queries, id), { code: 'network-rule-unknown' });
  });
});

describe('the rule for a client', () => {
  it('follows each change at once', async () => {
    const found = async () => (await finder.find('172.16.1.1'))?.network;
    assert.equal(await found(), undefined);
    const wide = await create('172.16.0.0/12');
    assert.equal(await found(), '172.16.0.0/12');
    const narrow = await create('172.16.1.0/24', 'none');
    assert.equal(await found(), '172.16.1.0/24');
    await change(narrow.id, { network: '172.16.2.0/24' });
    assert.equal(await found(), '172.16.0.0/12');
    await remove(wide.id);
    assert.equal(await found(), undefined);
  });

  it('follows what another process changes', async () => {
    assert.equal(await finder.find('172.20.0.1'), undefined);
    await beside.transaction((tx) =>
      createNetworkRule(tx, { network: '172.20.0.0/16', contentCacheId: cache.id, comment: '' }, now),
    );
    // The next turn of the event loop: a request that came before may still see what was then.
    await new Promise(setImmediate);
    assert.equal((await finder.find('172.20.0.1'))?.contentCacheId, cache.id);
  });

  it('is the wider one when the cache of the narrower is deleted', async () => {
    const other = await createContentCache(database.queries, { name: 'other', host: 'http://o' }, now);
    await create('172.30.0.0/16');
    await create('172.30.1.0/24', other.id);
    assert.equal((await finder.find('172.30.1.1'))?.contentCacheId, other.id);
    await deleteContentCache(database.queries, other.id);
    assert.equal((await finder.find('172.30.1.1'))?.contentCacheId, cache.id);
  });

  it('is found by all who ask while the rules are read', async () => {
    const fresh = new NetworkRuleFinder(database);
    const found = await Promise.all(Array.from({ length: 20 }, () => fresh.find('172.30.1.1')));
    assert.ok(found.every((rule) => rule?.network === '172.30.0.0/16'));
  });
});
