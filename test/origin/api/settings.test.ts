import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startApi } from './api.ts';

const settingsOf = (user: string) => `/api/v0/accounts/${user}/settings`;

const api = await startApi();
const body = { name: 'region-us', host: 'http://203.0.113.7:5000' };
const cacheId: string = (await api.ask('POST', '/api/v0/content_caches', { body })).body.id;
const organization = { name: 'acme', isOrg: true };
assert.equal((await api.ask('POST', '/api/v0/accounts', { body: organization })).status, 201);

describe("a user's settings", () => {
  const stored = (user: string) =>
    api.look(
      'select content_cache_id from account_settings join accounts on accounts.id = account_id where name = ?',
      user,
    ) ?? null;

  it('a new user has no content cache, in both spellings', async () => {
    const answer = await api.ask('GET', settingsOf('ann'), { as: 'ann' });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, {
      ContentCacheUUID: '',
      contentCacheUUID: '',
      contentCacheChoice: 'automatic',
      createRepositoryOnPush: null,
    });
  });

  for (const as of ['ann', 'admin'] as const) {
    it(`${as} chooses a cache for ann, reads it back, and chooses none`, async () => {
      const chosen = await api.ask('PATCH', settingsOf('ann'), { as, body: { contentCacheUUID: cacheId } });
      assert.equal(chosen.status, 200);
      assert.deepEqual(chosen.body, {
        ContentCacheUUID: cacheId,
        contentCacheUUID: cacheId,
        contentCacheChoice: 'cache',
        createRepositoryOnPush: null,
      });
      assert.deepEqual((await api.ask('GET', settingsOf('ann'), { as })).body, chosen.body);
      assert.equal(stored('ann'), cacheId);

      const none = await api.ask('PATCH', settingsOf('ann'), { as, body: { contentCacheUUID: '' } });
      assert.equal(none.status, 200);
      assert.deepEqual(none.body, {
        ContentCacheUUID: '',
        contentCacheUUID: '',
        contentCacheChoice: 'none',
        createRepositoryOnPush: null,
      });
      assert.equal(stored('ann'), null);
    });
  }

  for (const [body, choice] of [
    [{ contentCacheUUID: cacheId }, 'cache'],
    [{ contentCacheUUID: cacheId, contentCacheChoice: 'cache' }, 'cache'],
    [{ contentCacheUUID: '' }, 'none'],
    [{ contentCacheChoice: 'none' }, 'none'],
    [{ contentCacheUUID: '', contentCacheChoice: 'none' }, 'none'],
    [{ contentCacheChoice: 'automatic' }, 'automatic'],
    [{ contentCacheUUID: '', contentCacheChoice: 'automatic' }, 'automatic'],
  ] as const) {
    it(`${JSON.stringify(body)} is ${choice}`, async () => {
      await api.ask('PATCH', settingsOf('ann'), { body: { contentCacheUUID: cacheId } });
      const answer = await api.ask('PATCH', settingsOf('ann'), { as: 'ann', body });
      assert.equal(answer.body.contentCacheChoice, choice);
      assert.equal(answer.body.contentCacheUUID, choice === 'cache' ? cacheId : '');
      // What was read can be sent back.
      const { contentCacheUUID, contentCacheChoice } = answer.body;
      const back = { body: { contentCacheUUID, contentCacheChoice } };
      assert.deepEqual((await api.ask('PATCH', settingsOf('ann'), back)).body, answer.body);
    });
  }

  it('is automatic again when the cache that was chosen is removed', async () => {
    const other = { name: 'short-lived', host: 'http://203.0.113.8:5000' };
    const { id } = (await api.ask('POST', '/api/v0/content_caches', { body: other })).body;
    await api.ask('PATCH', settingsOf('ann'), { body: { contentCacheUUID: id } });
    assert.equal((await api.ask('DELETE', `/api/v0/content_caches/${id}`)).status, 204);
    const { body } = await api.ask('GET', settingsOf('ann'), { as: 'ann' });
    assert.deepEqual([body.contentCacheChoice, body.contentCacheUUID], ['automatic', '']);
  });

  it('a change that names nothing changes nothing', async () => {
    await api.ask('PATCH', settingsOf('ann'), { body: { contentCacheUUID: cacheId } });
    const answer = await api.ask('PATCH', settingsOf('ann'), { as: 'ann', body: {} });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.contentCacheUUID, cacheId);
  });

  for (const [why, body, field] of [
    ['a cache that does not exist', { contentCacheUUID: '00000000-0000-4000-8000-000000000000' }],
    ['what is no uuid', { contentCacheUUID: 'region-us' }],
    ['a number', { contentCacheUUID: 7 }],
    ['null', { contentCacheUUID: null }],
    ['a list', { contentCacheUUID: [] }],
    ['a choice that there is not', { contentCacheChoice: 'nearest' }, 'contentCacheChoice'],
    ['a cache without its id', { contentCacheChoice: 'cache' }, 'contentCacheChoice'],
    ['a cache of no id', { contentCacheChoice: 'cache', contentCacheUUID: '' }, 'contentCacheChoice'],
    ['no cache with an id', { contentCacheChoice: 'none', contentCacheUUID: cacheId }, 'contentCacheChoice'],
    [
      'automatic with an id',
      { contentCacheChoice: 'automatic', contentCacheUUID: cacheId },
      'contentCacheChoice',
    ],
    ['a field that is not a setting', { isAdmin: true }, 'isAdmin'],
    ["the answer's spelling", { ContentCacheUUID: '' }, 'ContentCacheUUID'],
  ] as [string, object, string?][]) {
    it(`${why} is refused with 400 INVALID_USER_SETTINGS naming the field`, async () => {
      await api.ask('PATCH', settingsOf('bob'), { body: { contentCacheUUID: cacheId } });
      const answer = await api.ask('PATCH', settingsOf('bob'), { as: 'bob', body });
      assert.equal(answer.status, 400, answer.text);
      assert.equal(answer.code, 'INVALID_USER_SETTINGS');
      assert.equal(answer.body.errors[0].detail.field, field ?? 'contentCacheUUID');
      assert.equal(stored('bob'), cacheId);
      assert.equal(api.look("select is_admin from accounts where name = 'bob'"), 0);
    });
  }

  it('for an admin, an account that does not exist is 404 NO_SUCH_USER', async () => {
    for (const user of ['carol', 'ANN', '%00', "x'%20OR%201=1--"]) {
      for (const [method, body] of [['GET'], ['PATCH', { contentCacheUUID: cacheId }]] as const) {
        const answer = await api.ask(method, settingsOf(user), { body });
        assert.equal(answer.status, 404, `${method} ${user}: ${answer.text}`);
        assert.equal(answer.code, 'NO_SUCH_USER');
      }
    }
  });

  describe("another's settings are refused alike, whether that user exists or not (A06)", () => {
    const others = ['bob', 'admin', 'idle', 'acme', 'carol', 'BOB', 'b%6Fb', 'bob%20', '%2e%2e', 'ann%2Fx'];
    for (const user of others) {
      it(`ann asks for ${user}`, async () => {
        const setting = stored('bob');
        const reference = await api.ask('GET', settingsOf('nobody-at-all'), { as: 'ann' });
        assert.equal(reference.status, 403);
        for (const [method, body] of [['GET'], ['PATCH', { contentCacheUUID: cacheId }]] as const) {
          const answer = await api.ask(method, settingsOf(user), { as: 'ann', body });
          assert.equal(answer.status, 403, `${method} ${user}: ${answer.text}`);
          assert.equal(answer.text, reference.text);
        }
        assert.equal(stored('bob'), setting);
      });
    }

    it("ann's own id is not her name", async () => {
      const id = api.look("select id from accounts where name = 'ann'");
      assert.equal((await api.ask('GET', settingsOf(String(id)), { as: 'ann' })).status, 403);
    });
  });
});
