import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startApi } from './api.ts';

const collection = '/api/v0/content_cache_rules';
const unknownId = '00000000-0000-4000-8000-000000000000';

const api = await startApi();
const body = { name: 'region-us', host: 'http://203.0.113.7:5000' };
const cacheId: string = (await api.ask('POST', '/api/v0/content_caches', { body })).body.id;

async function create(network: string, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await api.ask('POST', collection, { body: { network, contentCacheUUID: cacheId, ...more } });
  assert.equal(answer.status, 201, answer.text);
  return answer.body.id;
}

describe('network rules', () => {
  it('an admin makes one, reads it at its path, and finds its network in its one spelling', async () => {
    const comment = 'The office in Rome';
    const answer = await api.ask('POST', collection, {
      body: { network: '10.20.30.40/16', contentCacheUUID: cacheId, comment },
    });
    assert.equal(answer.status, 201);
    const { id, ...rest } = answer.body;
    assert.deepEqual(rest, { network: '10.20.0.0/16', contentCacheUUID: cacheId, comment });
    assert.equal(answer.headers.location, `${collection}/${id}`);
    assert.deepEqual((await api.ask('GET', `${collection}/${id}`)).body, answer.body);
  });

  it('one may say that the origin itself serves', async () => {
    const answer = await api.ask('POST', collection, {
      body: { network: '10.21.0.0/16', contentCacheUUID: '' },
    });
    assert.equal(answer.body.contentCacheUUID, '');
    assert.equal(answer.body.comment, '');
  });

  it('come in pages by network, each once', async () => {
    for (let n = 0; n < 5; n += 1) await create(`10.30.${n}.0/24`);
    const all: string[] = (await api.ask('GET', collection)).body.map(
      ({ network }: { network: string }) => network,
    );
    assert.deepEqual(all, [...all].sort());
    const found: string[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const page = await api.ask('GET', `${collection}?pageSize=2&pageStart=${next}&count=true`);
      assert.equal(page.headers['x-resource-count'], String(all.length));
      assert.ok(page.body.length <= 2);
      found.push(...page.body.map(({ network }: { network: string }) => network));
      next = page.headers['x-next-page-start'] as string | undefined;
    }
    assert.deepEqual(found, all);
  });

  it('come in pages that begin with a network as it is written', async () => {
    for (const network of ['2001:db8:1::/48', '2001:db8:2::/48']) await create(network);
    const page = await api.ask('GET', `${collection}?pageSize=1&pageStart=2001:db8:1::/48`);
    assert.equal(page.headers['x-next-page-start'], '2001:db8:2::/48');
  });

  it('those that lead to one cache alone are listed for who asks for them', async () => {
    const other = { name: 'region-eu', host: 'http://203.0.113.8:5000' };
    const otherId: string = (await api.ask('POST', '/api/v0/content_caches', { body: other })).body.id;
    for (const n of [1, 2, 3]) await create(`10.35.${n}.0/24`, { contentCacheUUID: otherId });
    const first = await api.ask('GET', `${collection}?contentCacheUUID=${otherId}&pageSize=2&count=true`);
    const networksOf = ({ body }: { body: { network: string }[] }) => body.map(({ network }) => network);
    assert.deepEqual(networksOf(first), ['10.35.1.0/24', '10.35.2.0/24']);
    assert.equal(first.headers['x-resource-count'], '3');
    const next = first.headers['x-next-page-start'];
    const last = await api.ask('GET', `${collection}?contentCacheUUID=${otherId}&pageStart=${next}`);
    assert.deepEqual(networksOf(last), ['10.35.3.0/24']);
    const none = await api.ask('GET', `${collection}?contentCacheUUID=${unknownId}`);
    assert.deepEqual(none.body, []);
  });

  it('changes in what is given', async () => {
    const path = `${collection}/${await create('10.40.0.0/16', { comment: 'before' })}`;
    const changed = await api.ask('PATCH', path, { body: { contentCacheUUID: '' } });
    assert.equal(changed.status, 200);
    assert.deepEqual(
      [changed.body.network, changed.body.contentCacheUUID, changed.body.comment],
      ['10.40.0.0/16', '', 'before'],
    );
    assert.equal(
      (await api.ask('PATCH', path, { body: { network: '10.41.0.0/16' } })).body.network,
      '10.41.0.0/16',
    );
  });

  it('a change that would undo the change of another is refused', async () => {
    const path = `${collection}/${await create('10.42.0.0/16')}`;
    const { etag } = (await api.ask('GET', path)).headers;
    assert.equal((await api.ask('PATCH', path, { body: { comment: 'first' } })).status, 200);
    const headers = { 'If-Match': etag as string };
    const late = await api.ask('PATCH', path, { headers, body: { comment: 'second' } });
    assert.equal(late.status, 412);
    assert.equal((await api.ask('DELETE', path, { headers })).status, 412);
    assert.equal((await api.ask('GET', path)).body.comment, 'first');
  });

  it('one that is deleted is gone; deleting it again is no error', async () => {
    const path = `${collection}/${await create('10.50.0.0/16')}`;
    assert.equal((await api.ask('DELETE', path)).status, 204);
    assert.equal((await api.ask('DELETE', path)).status, 204);
    const answer = await api.ask('GET', path);
    assert.deepEqual([answer.status, answer.code], [404, 'NO_SUCH_CONTENT_CACHE_RULE']);
    assert.equal((await api.ask('PATCH', path, { body: {} })).code, 'NO_SUCH_CONTENT_CACHE_RULE');
  });

  it('go with the cache that they name', async () => {
    const other = { name: 'short-lived', host: 'http://203.0.113.8:5000' };
    const { id } = (await api.ask('POST', '/api/v0/content_caches', { body: other })).body;
    const rule = await create('10.60.0.0/16', { contentCacheUUID: id });
    await api.ask('DELETE', `/api/v0/content_caches/${id}`);
    assert.equal((await api.ask('GET', `${collection}/${rule}`)).status, 404);
  });

  for (const [why, wrong, status, field] of [
    ['what is no network', { network: 'office' }, 400, 'network'],
    ['a prefix that is too long', { network: '10.0.0.0/33' }, 400, 'network'],
    ['no network', { network: undefined }, 400, 'network'],
    ['a cache that does not exist', { contentCacheUUID: unknownId }, 400, 'contentCacheUUID'],
    ['no cache', { contentCacheUUID: undefined }, 400, 'contentCacheUUID'],
    ['a long comment', { comment: 'x'.repeat(256) }, 400, 'comment'],
    ['a member that a rule does not have', { priority: 1 }, 400, 'priority'],
    ['a network that has a rule', { network: '10.99.1.1/16' }, 409, 'network'],
  ] as const) {
    it(`with ${why} is refused, naming the field`, async () => {
      if (status === 409) await create('10.99.0.0/16');
      const body = { network: '10.70.0.0/16', contentCacheUUID: cacheId, ...wrong };
      const answer = await api.ask('POST', collection, { body });
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.code, status === 409 ? 'CONTENT_CACHE_RULE_EXISTS' : 'INVALID_PARAMETERS');
      assert.equal(answer.body.errors[0].detail.field, field);
      assert.equal(api.look("select count(*) from network_rules where network = '10.70.0.0/16'"), 0);
    });
  }

  it('are in the trail, with who did it', async () => {
    const id = await create('10.80.0.0/16');
    await api.ask('PATCH', `${collection}/${id}`, { body: { comment: 'new' } });
    await api.ask('DELETE', `${collection}/${id}`);
    const trail = 'select group_concat(type) from events where object_id = ?';
    assert.equal(api.look(trail, id), 'CREATE,UPDATE,DELETE');
  });
});
