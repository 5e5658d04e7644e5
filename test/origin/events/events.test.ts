import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openDatabase } from '../../../src/origin/database.ts';
import { countEvents } from '../../../src/origin/events/event-counts.ts';
import type { EventFilter } from '../../../src/origin/events/event-selection.ts';
import {
  listEvents,
  listPushedTags,
  recordEvent,
  removeEventsBefore,
} from '../../../src/origin/events/events.ts';
import { assertIndexed, plansOf } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;

const idOf = (name: string) =>
  `00000000-0000-4000-8000-${name.padStart(12, '0').replaceAll(/[^0-9a-f]/g, '0')}`;
const [ann, bob] = [
  { id: idOf('a'), name: 'ann' },
  { id: idOf('b'), name: 'bob' },
];

/** Who, what, to what, when; told apart by the type. */
const rows: [type: string, actor: typeof ann | undefined, object: typeof ann, at: number, refused?: true][] =
  [
    ['E1', ann, ann, 100],
    ['E2', bob, ann, 200],
    ['E3', ann, bob, 200],
    // A clock that was set back: what was written later happened before.
    ['E4', bob, bob, 150],
    ['E5', undefined, { id: '', name: 'ann' }, 300, true],
    ['E6', ann, { id: idOf('c'), name: 'acme/web' }, 400, true],
    // Somebody of the same name, long gone.
    ['E7', { id: idOf('d'), name: 'ann' }, { id: idOf('d'), name: 'ann' }, 50],
  ];

before(async () => {
  for (const [type, actor, { id, name }, at, refused] of rows) {
    const context = { actor, door: 'api', client: '192.0.2.1' } as const;
    const event = { type, object: { type: 'user', id, name }, ...(refused && { refused }) };
    await database.transaction((tx) => recordEvent(tx, context, event, at));
  }
});

const list = async (filter: EventFilter, page: { start: string | undefined; size: number } = whole) => {
  const { records, next } = await listEvents(queries, filter, page);
  return { types: records.map(({ type }) => type).join(' '), next };
};
const whole = { start: undefined, size: 100 };

describe('the trail', () => {
  const filters: [what: string, filter: EventFilter, types: string][] = [
    ['everything, the newest first', {}, 'E6 E5 E3 E2 E4 E1 E7'],
    ['of an actor by name', { actor: 'ann' }, 'E6 E3 E1 E7'],
    ['of an actor by id', { actor: ann.id }, 'E6 E3 E1'],
    ['of a type', { type: 'E4' }, 'E4'],
    ['about an object', { objectName: 'ann' }, 'E5 E2 E1 E7'],
    ['what was refused', { refused: true }, 'E6 E5'],
    ['what was done', { refused: false }, 'E3 E2 E4 E1 E7'],
    ['what an actor was refused', { refused: true, actor: 'ann' }, 'E6'],
    ['of a type, refused', { refused: true, type: 'E6' }, 'E6'],
    ['of a type, by an actor, on an object', { type: 'E3', actor: 'ann', objectName: 'bob' }, 'E3'],
    ['before a time', { before: 200 }, 'E4 E1 E7'],
    ['at or after a time', { after: 200 }, 'E6 E5 E3 E2'],
    ['within a time', { after: 100, before: 200 }, 'E4 E1'],
    ['concerning an account: by it, on it, in its name', { concerning: ann }, 'E6 E5 E3 E2 E1'],
    ['concerning an account, by another', { concerning: ann, actor: 'bob' }, 'E2'],
    ['concerning an account, refused', { concerning: ann, refused: true }, 'E6 E5'],
  ];
  for (const [what, filter, types] of filters) {
    it(`${what}: ${types}`, async () => {
      assert.deepEqual(await list(filter), { types, next: undefined });
      assert.equal(await countEvents(queries, filter), types.split(' ').length);
    });

    it(`${what}: page by page the same`, async () => {
      const found: string[] = [];
      let start: string | undefined;
      do {
        const { types, next } = await list(filter, { start, size: 2 });
        found.push(types);
        start = next;
      } while (start !== undefined);
      assert.equal(found.join(' '), types);
    });

    it(`${what}: found by an index`, async () => {
      await assertIndexed(queries, () => listEvents(queries, filter, whole));
      await assertIndexed(queries, () => listEvents(queries, filter, { start: '3', size: 10 }));
    });
  }

  it('after an event that is forgotten comes nothing', async () => {
    assert.deepEqual(await list({}, { start: '999', size: 10 }), { types: '', next: undefined });
  });

  it('forgets the oldest, some at a time', async () => {
    await assertIndexed(queries, () => database.transaction((tx) => removeEventsBefore(tx, 0, 1)));
    assert.equal(await database.transaction((tx) => removeEventsBefore(tx, 150, 1)), 1);
    assert.equal(await database.transaction((tx) => removeEventsBefore(tx, 150, 10)), 1);
    assert.deepEqual((await list({})).types, 'E6 E5 E3 E2 E4');
    assert.equal(await countEvents(queries, {}), 5);
    assert.equal(await countEvents(queries, { type: 'E7' }), 0);
    assert.equal(await countEvents(queries, { actor: idOf('d') }), 0);
    assert.equal(await countEvents(queries, { actor: ann.id }), 2);
    assert.deepEqual(await queries('event_counts').where('events', 0), []);
  });

  it('is counted exactly, whenever the time begins and ends', async () => {
    const day = 86_400_000;
    const times = [day - 1, day, day + 1, 2 * day, 3 * day - 1, 3 * day, 5 * day + 7];
    await database.transaction(async (tx) => {
      for (const [n, at] of times.entries()) {
        const context = { actor: ann, door: 'api', client: '192.0.2.1' } as const;
        await recordEvent(
          tx,
          context,
          { type: 'T', object: { type: 'user', ...bob }, refused: n % 2 === 0 },
          at,
        );
      }
    });
    const edges = [undefined, day - 1, day, day + 1, 2 * day, 3 * day, 5 * day + 7, 9 * day];
    for (const after of edges) {
      for (const before of edges) {
        for (const refused of [undefined, true, false]) {
          for (const who of [{}, { actor: ann.id }, { concerning: ann }, { concerning: bob }]) {
            const filter = { type: 'T', refused, after, before, ...who };
            const { types } = await list(filter);
            const expected = types === '' ? 0 : types.split(' ').length;
            assert.equal(await countEvents(queries, filter), expected, JSON.stringify(filter));
          }
        }
      }
    }
  });

  const oneDay = { after: 7, before: 1e7 };
  const counts: [what: string, filter: EventFilter, indexes: string[]][] = [
    ['an actor', { actor: ann.id, ...oneDay }, ['events_of_actor', 'events_of_actor']],
    ['a refused actor', { actor: ann.id, refused: true, ...oneDay }, ['events_of_actor']],
    [
      'an actor and a type',
      { actor: ann.id, type: 'E1', refused: false, ...oneDay },
      ['events_of_actor_and_type'],
    ],
    ['an actor by name', { actor: 'ann', type: 'E1' }, ['events_of_actor_name']],
    ['an object', { objectName: 'ann', actor: ann.id, type: 'E1', refused: true }, ['events_of_object']],
    ['a type', { type: 'E1', ...oneDay }, ['events_of_type', 'events_of_type']],
    ['a refused type', { type: 'E1', refused: true, ...oneDay }, ['events_of_type']],
  ];
  for (const [what, filter, indexes] of counts) {
    it(`of ${what} is counted within its index alone`, async () => {
      const steps = await plansOf(queries, () => countEvents(queries, filter));
      const used = steps.map((step) => /^SEARCH events USING COVERING INDEX (\w+)/.exec(step)?.[1] ?? step);
      assert.deepEqual(used, indexes);
    });
  }

  it('concerning an account is counted by what is kept of what it did, and by the few that others did to it', async () => {
    const steps = await plansOf(queries, () => countEvents(queries, { concerning: ann, refused: true }));
    const used = steps.map((step) => / INDEX (\w+ \(.*\))/.exec(step)?.[1]);
    const onAccount = 'events_on_accounts (object_id=? AND object_name=?)';
    assert.deepEqual(used, ['sqlite_autoindex_event_counts_1 (actor_id=?)', onAccount, onAccount]);
  });

  it('is counted by what is kept for it by day and actor', async () => {
    for (const actor of [undefined, ann.id])
      await assertIndexed(queries, () => countEvents(queries, { type: 'T', actor, after: 7, before: 1e9 }));
  });

  it('gives the tags that were pushed after an event without sorting', async () => {
    const steps = await plansOf(queries, () => listPushedTags(queries, { after: 3, limit: 10 }));
    assert.deepEqual(steps, ['SEARCH events USING INTEGER PRIMARY KEY (rowid>?)']);
  });
});
