import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseNetwork } from '../../../src/shared/cidr.ts';
import { pushImage } from '../../setup/origin.ts';
import { startApi } from './api.ts';

const loopback = parseNetwork('127.0.0.0/8');
const api = await startApi({ trustedProxies: loopback === undefined ? [] : [loopback] });
const caches: Record<string, string> = {};
for (const name of ['own', 'rule', 'organization']) {
  const body = { name, host: `http://${name}.example:5000` };
  caches[name] = (await api.ask('POST', '/api/v0/content_caches', { body })).body.id;
}
await api.add('acme', { isOrg: true });
await api.ask('PUT', '/api/v0/accounts/acme/members/ann', { body: {} });
await api.ask('PATCH', '/api/v0/accounts/acme/settings', { body: { contentCacheUUID: caches.organization } });
await api.ask('POST', '/api/v0/content_cache_rules', {
  body: { network: '10.20.0.0/16', contentCacheUUID: caches.rule },
});
await pushImage(api.origin, 'acme/web', '1', [Buffer.from('layer')]);
await pushImage(api.origin, 'ann/app', '1', [Buffer.from('layer')]);
await api.ask('PATCH', '/api/v0/repositories/acme/web', { body: { visibility: 'public' } });

const explain = (query: Record<string, string>, as = 'admin', headers: Record<string, string> = {}) =>
  api.ask('GET', `/api/v0/content_cache_choice?${new URLSearchParams(query)}`, { as, headers });
const choose = (body: object) => api.ask('PATCH', '/api/v0/accounts/ann/settings', { body });

describe('why a pull would go where', () => {
  it('is told with everybody who was asked, what they say, and in words', async () => {
    await choose({ contentCacheUUID: caches.own });
    await api.ask('PATCH', `/api/v0/content_caches/${caches.own}`, { body: { isEnabled: false } });
    const answer = await explain({ username: 'ann', address: '10.20.1.7', repository: 'acme/web' });
    assert.equal(answer.status, 200, answer.text);
    const own = { id: caches.own, name: 'own', host: 'http://own.example:5000' };
    const rule = { id: caches.rule, name: 'rule', host: 'http://rule.example:5000' };
    assert.deepEqual(answer.body, {
      username: 'ann',
      address: '10.20.1.7',
      repository: 'acme/web',
      contentCache: rule,
      because: 'network-rule',
      steps: [
        {
          decider: 'user-setting',
          says: 'cache',
          contentCache: own,
          skipped: 'disabled',
          explanation: "the user's setting says own, which is passed over: an admin switched it off",
        },
        {
          decider: 'network-rule',
          of: '10.20.0.0/16',
          says: 'cache',
          contentCache: rule,
          explanation: 'the rule for 10.20.0.0/16 says rule',
        },
      ],
    });
    await api.ask('PATCH', `/api/v0/content_caches/${caches.own}`, { body: { isEnabled: true } });
  });

  it('goes on to the organization, and to nobody', async () => {
    await choose({ contentCacheChoice: 'automatic' });
    const ann = await explain({ username: 'ann', address: '192.0.2.1', repository: 'acme/web' });
    assert.deepEqual(
      [ann.body.because, ann.body.contentCache.name],
      ['organization-default', 'organization'],
    );
    const bob = await explain({ username: 'bob', address: '192.0.2.1', repository: 'acme/web' });
    assert.equal(bob.body.contentCache, undefined);
    assert.deepEqual(
      bob.body.steps.map(({ explanation }: { explanation: string }) => explanation),
      [
        "the user's setting is automatic: rules and defaults decide",
        'no network rule fits the address',
        'the system has no default',
        'nobody names a cache: the origin serves it',
      ],
    );
  });

  it('of nobody in particular is told for an empty name', async () => {
    const answer = await explain({ username: '', address: '10.20.1.7', repository: 'acme/web' });
    assert.deepEqual([answer.body.username, answer.body.because], ['', 'network-rule']);
  });

  it('is about oneself, from where one asks, when nothing else is said', async () => {
    const answer = await explain({ repository: 'ann/app' }, 'ann', { 'X-Forwarded-For': '10.20.5.5' });
    assert.deepEqual([answer.body.username, answer.body.address], ['ann', '10.20.5.5']);
    assert.equal(answer.body.because, 'network-rule');
  });

  it('is the origin for a repository that is exempt, until it is no more', async () => {
    const repository = '/api/v0/repositories/acme/web';
    assert.equal((await api.ask('PATCH', repository, { body: { redirect: false } })).body.redirect, false);
    const answer = await explain({ username: 'ann', address: '10.20.1.7', repository: 'acme/web' });
    assert.deepEqual([answer.body.because, answer.body.contentCache], ['repository', undefined]);
    assert.equal((await api.ask('PATCH', repository, { body: { redirect: true } })).body.redirect, true);
    const again = await explain({ username: 'ann', address: '10.20.1.7', repository: 'acme/web' });
    assert.equal(again.body.because, 'network-rule');
  });

  it('is nobody else’s business', async () => {
    for (const username of ['ann', 'nobody-of-this-name', '']) {
      const answer = await explain({ username, repository: 'acme/web' }, 'bob');
      assert.deepEqual([answer.status, answer.code], [403, 'NOT_AUTHORIZED']);
    }
    assert.equal((await explain({ username: 'bob', repository: 'acme/web' }, 'bob')).status, 200);
  });

  it('of a repository that the caller may not see is as of one that does not exist', async () => {
    const hidden = await explain({ repository: 'ann/app' }, 'bob');
    const absent = await explain({ repository: 'ann/none' }, 'bob');
    assert.deepEqual([hidden.status, hidden.code], [404, 'NO_SUCH_REPOSITORY']);
    assert.equal(hidden.text, absent.text);
    for (const repository of ['web', '/', 'acme/', 'ACME/web', 'acme/web/more']) {
      assert.equal((await explain({ repository })).code, 'NO_SUCH_REPOSITORY', repository);
    }
  });

  for (const [query, status, code] of [
    [{ username: 'carol', repository: 'acme/web' }, 404, 'NO_SUCH_USER'],
    [{ username: 'acme', repository: 'acme/web' }, 404, 'NO_SUCH_USER'],
    [{ address: 'home', repository: 'acme/web' }, 400, 'INVALID_PARAMETERS'],
    [{ username: 'ann' }, 400, 'INVALID_PARAMETERS'],
  ] as [Record<string, string>, number, string][]) {
    it(`${JSON.stringify(query)}: ${status} ${code}`, async () => {
      const answer = await explain(query);
      assert.deepEqual([answer.status, answer.code], [status, code]);
    });
  }
});
