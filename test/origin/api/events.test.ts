import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { basic } from '../../setup/origin.ts';
import { type Answer, startApi } from './api.ts';

let now = Date.parse('2026-11-25T09:00:00Z');
const api = await startApi({ clock: () => now });
const collection = '/api/v0/events';
const idOf = async (name: string) => (await api.ask('GET', `/api/v0/accounts/${name}`)).body.id;
const [annId, adminId] = [await idOf('ann'), await idOf('admin')];
const at = (time: string) => {
  now = Date.parse(`2026-11-25T${time}Z`);
};

at('10:00:00');
await api.ask('PATCH', '/api/v0/accounts/ann', { body: { fullName: 'Ann' } });
at('11:00:00');
await api.ask('PATCH', '/api/v0/accounts/ann', { as: 'ann', body: { fullName: 'Ann Other' } });
at('12:00:00');
const wrong = { Authorization: basic('ann:wrong-password') };
assert.equal((await api.ask('GET', collection, { as: 'nobody', headers: wrong })).status, 401);
at('13:00:00');
await api.ask('PATCH', '/api/v0/accounts/bob', { body: { fullName: 'Bob' } });

const list = (query: string, as = 'admin') => api.ask('GET', `${collection}?${query}`, { as });
interface Shown {
  actorName: string;
  type: string;
  object: { name: string };
}
const shown = ({ body }: Answer) =>
  body.events.map(({ actorName, type, object }: Shown) => `${actorName} ${type} ${object.name}`);

describe('the trail', () => {
  it('says who did what to what, from where, when, and through which door', async () => {
    const { body } = await list('eventType=UPDATE&objectName=ann&pageSize=1&actorId=ann');
    const { id, ...event } = body.events[0];
    assert.match(id, /^\d+$/);
    assert.deepEqual(event, {
      publishedAt: '2026-11-25T11:00:00.000Z',
      ...{
        actor: annId,
        actorName: 'ann',
        type: 'UPDATE',
        door: 'api',
        client: '127.0.0.1',
        outcome: 'done',
      },
      object: { type: 'user', id: annId, name: 'ann', content: '{"fullName":"Ann Other"}' },
    });
  });

  it('tells of those who were refused', async () => {
    const { body } = await list('outcome=refused&objectName=ann');
    const [{ type, actor, actorName, outcome, publishedAt }, ...more] = body.events;
    assert.deepEqual([type, actor, actorName, outcome], ['LOGIN', '', 'ann', 'refused']);
    assert.equal(publishedAt, '2026-11-25T12:00:00.000Z');
    assert.deepEqual(more, []);
  });

  it('is complete for admins; users see what they did, and what was done to their account', async () => {
    const all = shown(await list('eventType=UPDATE'));
    assert.deepEqual(all, ['admin UPDATE bob', 'ann UPDATE ann', 'admin UPDATE ann']);
    assert.deepEqual(shown(await list('eventType=UPDATE', 'ann')), ['ann UPDATE ann', 'admin UPDATE ann']);
    assert.deepEqual(shown(await list('eventType=UPDATE', 'bob')), ['admin UPDATE bob']);
    assert.deepEqual(shown(await list('eventType=UPDATE&actorId=ann', 'bob')), []);
    assert.deepEqual(shown(await list('outcome=refused', 'ann')), ['ann LOGIN ann']);
    assert.deepEqual(shown(await list('outcome=refused', 'bob')), []);
    const counted = await list('eventType=UPDATE&count=true', 'ann');
    assert.equal(counted.headers['x-resource-count'], '2');
  });

  it('is filtered by actor and by time', async () => {
    for (const actor of ['admin', adminId]) {
      const events = shown(await list(`eventType=UPDATE&actorId=${actor}`));
      assert.deepEqual(events, ['admin UPDATE bob', 'admin UPDATE ann']);
    }
    const within = 'publishedAfter=2026-11-25T10:00:00Z&publishedBefore=2026-11-25T13:00:00%2B00:00';
    assert.deepEqual(shown(await list(`eventType=UPDATE&${within}`)), ['ann UPDATE ann', 'admin UPDATE ann']);
  });

  it('comes in pages', async () => {
    const first = await list('eventType=UPDATE&pageSize=2&count=true');
    assert.deepEqual(shown(first), ['admin UPDATE bob', 'ann UPDATE ann']);
    assert.equal(first.headers['x-resource-count'], '3');
    const start = first.headers['x-next-page-start'];
    const last = await list(`eventType=UPDATE&pageSize=2&pageStart=${start}`);
    assert.deepEqual([shown(last), last.headers['x-next-page-start']], [['admin UPDATE ann'], undefined]);
  });

  for (const [field, value] of [
    ['publishedBefore', 'yesterday'],
    ['publishedBefore', '1764061200'],
    ['publishedAfter', '2026-11-25'],
    ['publishedAfter', '2026-02-30T00:00:00Z'],
    ['publishedAfter', '2026-11-25T24:00:00Z'],
    ['pageStart', 'x'],
    ['pageStart', '-1'],
    ['pageStart', '1e3'],
    ['outcome', 'unknown'],
    ['count', '7'],
  ] as const) {
    it(`${field}=${value} is 400 INVALID_PARAMETERS naming it`, async () => {
      const answer = await list(`${field}=${value}`);
      assert.deepEqual([answer.status, answer.code], [400, 'INVALID_PARAMETERS'], answer.text);
      assert.equal(answer.body.errors[0].detail.field, field);
    });
  }

  it('is read by who is signed in', async () => {
    assert.equal((await list('', 'nobody')).status, 401);
  });
});
