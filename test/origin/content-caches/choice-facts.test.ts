import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { createAccount } from '../../../src/origin/accounts/accounts.ts';
import { chooseContentCache } from '../../../src/origin/accounts/settings.ts';
import { ChoiceFactsFinder } from '../../../src/origin/content-caches/choice-facts.ts';
import type { Preference } from '../../../src/origin/content-caches/choose.ts';
import {
  type ContentCache,
  createContentCache,
  deleteContentCache,
} from '../../../src/origin/content-caches/content-caches.ts';
import { createNetworkRule } from '../../../src/origin/content-caches/network-rules.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const now = 1_700_000_000_000;
const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
const finder = new ChoiceFactsFinder(database);

const account = (name: string, isOrg = false) =>
  createAccount(queries, { name, isOrg, passwordHash: null }, now);
const [jane, acme, beta] = [await account('jane'), await account('acme', true), await account('beta', true)];
const cache = await createContentCache(queries, { name: 'region-us', host: 'https://us.example' }, now);

const factsFor = (user = 'jane', client: string | undefined = '192.0.2.1') => finder.find({ user, client });
const choose = (accountId: string, contentCacheId: string | undefined) =>
  database.transaction((tx) =>
    chooseContentCache(
      tx,
      accountId,
      contentCacheId === undefined ? { choice: 'none' } : { choice: 'cache', contentCacheId },
    ),
  );
const names = (preference: Preference | undefined) =>
  typeof preference === 'object' ? preference.name : preference;

beforeEach(async () => {
  for (const table of ['account_settings', 'network_rules', 'organization_members', 'system_settings'])
    await queries(table).delete();
});

describe('what decides about a pull', () => {
  it('is nothing when nobody has decided anything', async () => {
    assert.deepEqual(await factsFor(), {
      setting: 'automatic',
      rule: undefined,
      organizations: [],
      systemDefault: undefined,
    });
  });

  it("is the user's setting: a cache with what must be known of it, or none", async () => {
    await choose(jane.id, cache.id);
    assert.deepEqual((await factsFor()).setting, cache);
    await choose(jane.id, undefined);
    assert.equal((await factsFor()).setting, 'none');
    assert.equal((await factsFor('')).setting, 'automatic');
    assert.equal((await factsFor('nobody-of-this-name')).setting, 'automatic');
  });

  it('is automatic again when the cache that the user chose is deleted', async () => {
    const other = await createContentCache(queries, { name: 'other', host: 'https://o.example' }, now);
    await choose(jane.id, other.id);
    await deleteContentCache(queries, other.id);
    assert.equal((await factsFor()).setting, 'automatic');
  });

  it('says whether an admin switched the cache off', async () => {
    await choose(jane.id, cache.id);
    await queries('content_caches').where({ id: cache.id }).update({ is_enabled: false });
    assert.equal(((await factsFor()).setting as ContentCache).isEnabled, false);
    await queries('content_caches').where({ id: cache.id }).update({ is_enabled: true });
  });

  it('is the network rule, for anonymous pulls too, and none for a client without an address', async () => {
    const rule = { network: '192.0.2.0/24', contentCacheId: cache.id, comment: '' };
    await database.transaction((tx) => createNetworkRule(tx, rule, now));
    for (const user of ['jane', '']) {
      const found = (await factsFor(user)).rule;
      assert.deepEqual([found?.network, names(found?.cache)], ['192.0.2.0/24', 'region-us']);
    }
    assert.equal((await factsFor('jane', '198.51.100.1')).rule, undefined);
    assert.equal((await finder.find({ user: 'jane', client: undefined })).rule, undefined);
  });

  it("are the defaults of the user's organizations by name, of which some say nothing", async () => {
    for (const { id } of [beta, acme]) {
      const member = { organization_id: id, user_id: jane.id, is_admin: false, created_at: now };
      await queries('organization_members').insert(member);
    }
    assert.deepEqual((await factsFor()).organizations, []);
    await choose(beta.id, cache.id);
    await choose(acme.id, undefined);
    const found = (await factsFor()).organizations;
    assert.deepEqual(
      found.map((one) => [one.name, names(one.cache)]),
      [
        ['acme', 'none'],
        ['beta', 'region-us'],
      ],
    );
    assert.deepEqual((await factsFor('')).organizations, []);
  });

  it("is the system's default, unless that cache is deleted", async () => {
    const other = await createContentCache(queries, { name: 'default', host: 'https://d.example' }, now);
    await queries('system_settings').insert({
      key: 'defaultContentCacheId',
      value: JSON.stringify(other.id),
    });
    assert.equal((await factsFor('')).systemDefault?.name, 'default');
    await deleteContentCache(queries, other.id);
    assert.equal((await factsFor('')).systemDefault, undefined);
  });
});
