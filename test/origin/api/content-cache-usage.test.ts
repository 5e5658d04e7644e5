import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestCache, type TestCache } from '../../setup/cache.ts';
import { pushImage } from '../../setup/origin.ts';
import { startApi } from './api.ts';

const collection = '/api/v0/content_caches';
const minuteMs = 60_000;

/** An origin and two caches, the second before the first, all on one clock that the test moves. */
async function startWorld() {
  const time = { now: Date.now() };
  const clock = () => time.now;
  const api = await startApi({ probeIntervalMs: 3_600_000, clock });
  const { origin } = api;
  const [near, far] = [
    await startTestCache({ origin: origin.url, clock }),
    await startTestCache({ origin: origin.url, clock }),
  ];
  const register = async (name: string, { url }: TestCache): Promise<string> => {
    const { body } = await api.ask('POST', collection, { body: { name, host: url } });
    assert.equal(body.health.state, 'healthy', JSON.stringify(body));
    return body.id;
  };
  const ids = { near: await register('near', near), far: await register('far', far) };
  const choose = (user: string, id: string) =>
    api.ask('PATCH', `/api/v0/accounts/${user}/settings`, { body: { contentCacheUUID: id } });
  await choose('admin', ids.near);
  await choose('ann', ids.far);
  return {
    api,
    time,
    caches: { near, far },
    ids,
    pull: async (user: 'admin' | 'ann', repository: string, digest: string) => {
      const scope = `repository:${repository}:pull`;
      const [name, password] = api.credentials(user).split(':') as [string, string];
      const token = await origin.token(name, password, scope);
      const sent = await origin.registry('GET', `/v2/${repository}/blobs/${digest}`, { token });
      assert.equal(sent.status, 307);
      const got = await fetch(sent.headers.get('location') as string);
      assert.equal(got.status, 200);
      return (await got.arrayBuffer()).byteLength;
    },
    usage: async (id: string, query: string) => {
      const answer = await api.ask('GET', `${collection}/${id}/usage${query}`);
      assert.equal(answer.status, 200, answer.text);
      return answer.body;
    },
  };
}

describe('what a cache did', async () => {
  const { api, time, caches, ids, pull, usage } = await startWorld();
  const layer = (bytes: number, fill: string) => Buffer.alloc(bytes, fill);
  const web = await pushImage(api.origin, 'admin/web', '1', [layer(300_000, 'a'), layer(5_000, 'b')]);
  const open = await pushImage(api.origin, 'admin/open', '1', [layer(70_000, 'c')]);
  await api.ask('PATCH', '/api/v0/repositories/admin/open', { body: { visibility: 'public' } });
  const pulls: ['admin' | 'ann', string, string][] = [
    ['admin', 'admin/web', web.layers[0] as string],
    ['admin', 'admin/web', web.layers[0] as string],
    ['admin', 'admin/web', web.layers[1] as string],
    ['admin', 'admin/open', open.layers[0] as string],
    ['ann', 'admin/open', open.layers[0] as string],
    ['ann', 'admin/open', open.layers[0] as string],
    ['ann', 'admin/open', open.layers[0] as string],
  ];
  for (const one of pulls) {
    await pull(...one);
    time.now += 20_000;
  }
  // The minute of the last pull is over.
  time.now += 2 * minuteMs;
  for (const id of Object.values(ids)) await api.ask('POST', `${collection}/${id}/probe`);
  // Redirects are written down once a minute, and at the end.
  await api.origin.restart();

  it('agrees with its log to the byte', async () => {
    for (const name of ['near', 'far'] as const) {
      const lines = caches[name].logs.filter(({ repository }) => repository !== undefined);
      const { totals } = await usage(ids[name], '');
      const sum = (field: string) => lines.reduce((total, line) => total + Number(line[field] ?? 0), 0);
      assert.equal(totals.lastHour.bytesServed, sum('bytes'), name);
      const of = (cache: string) => lines.filter((line) => line.cache === cache).length;
      assert.deepEqual([totals.lastHour.hits, totals.lastHour.misses], [of('hit'), of('miss')], name);
      assert.equal(totals.lastHour.redirects, lines.length, name);
    }
  });

  it('in numbers: what was saved, and how often it helped', async () => {
    const { totals } = await usage(ids.far, '');
    assert.deepEqual(totals.lastHour, {
      redirects: 3,
      hits: 2,
      misses: 1,
      errors: 0,
      bytesServed: 210_000,
      bytesFetched: 70_000,
      bytesSaved: 140_000,
      hitRatio: 0.6667,
    });
    assert.deepEqual(totals.lastDay, totals.lastHour);
    assert.deepEqual(totals.lastMonth, totals.lastHour);
  });

  it('by repository and by user', async () => {
    const repositories = await usage(ids.near, '?by=repository');
    assert.deepEqual(
      repositories.usage.map((row: { group: string; bytesServed: number }) => [row.group, row.bytesServed]),
      [
        ['admin/web', 605_000],
        ['admin/open', 70_000],
      ],
    );
    const users = await usage(ids.far, '?by=user');
    assert.deepEqual(
      users.usage.map((row: { group: string; redirects: number; hits: number }) => [
        row.group,
        row.redirects,
        row.hits,
      ]),
      [['ann', 3, 2]],
    );
  });

  it('by hour and by day', async () => {
    for (const by of ['hour', 'day']) {
      const { usage: rows } = await usage(ids.near, `?by=${by}`);
      const bytes = rows.map(({ bytesServed }: { bytesServed: number }) => bytesServed);
      assert.equal(
        bytes.reduce((sum: number, some: number) => sum + some, 0),
        675_000,
      );
      for (const { group } of rows) assert.match(group, by === 'hour' ? /:00:00\.000Z$/ : /T00:00:00\.000Z$/);
    }
  });

  it('of another time is nothing', async () => {
    const { usage: rows, totals } = await usage(
      ids.near,
      '?by=user&from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z',
    );
    assert.deepEqual(rows, []);
    assert.equal(totals.lastHour.redirects, 4);
  });

  for (const query of [
    'from=yesterday',
    'to=1',
    'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
    'by=moon',
  ]) {
    it(`is not told for ${query}`, async () => {
      const answer = await api.ask('GET', `${collection}/${ids.near}/usage?${query}`);
      assert.equal(answer.status, 400);
      assert.ok(['from', 'to', 'by'].includes(answer.body.errors[0].detail.field));
    });
  }

  it('is for admins', async () => {
    assert.equal((await api.ask('GET', `${collection}/${ids.near}/usage`, { as: 'ann' })).status, 403);
    assert.equal((await api.ask('GET', `${collection}/nothing/usage`)).status, 404);
  });
});
