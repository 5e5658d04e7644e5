/** How many events there are: counted by day, actor, type and outcome as they are written, and one by one only within a day. */
import type { Queryable, Transaction } from '../database.ts';
import { actorIdOf, type EventFilter, selectEvents, selectWhatOthersDid } from './event-selection.ts';

/** Of UTC. */
const dayMs = 86_400_000;
/** Whoever it was, nobody in particular among them. */
const everybody = '';

export interface CountedEvent {
  readonly actorId: string | undefined;
  /** ms since the epoch. */
  readonly publishedAt: number;
  readonly type: string;
  readonly refused: boolean;
}

export async function countEvents(queries: Queryable, filter: EventFilter): Promise<number> {
  const { actor, objectName, concerning } = filter;
  // Of one object there are fewer, and an index has them.
  if (objectName !== undefined || (actor !== undefined && concerning !== undefined))
    return countOneByOne(queries, filter);
  if (concerning === undefined) {
    const isByName = actor !== undefined && actorIdOf(actor) === undefined;
    return isByName ? countOneByOne(queries, filter) : countKept(queries, filter);
  }
  const own = await countKept(queries, { ...filter, concerning: undefined, actor: concerning.id });
  return own + (await countAll(selectWhatOthersDid(queries, filter, concerning)));
}

/** By whole days, and what is left of those in which the time begins and ends. */
async function countKept(queries: Queryable, filter: EventFilter): Promise<number> {
  const first = filter.after === undefined ? undefined : Math.ceil(filter.after / dayMs);
  const end = filter.before === undefined ? undefined : dayOf(filter.before);
  if (first !== undefined && end !== undefined && first >= end) return countOneByOne(queries, filter);
  let total = await countDays(queries, filter, first, end);
  if (first !== undefined) total += await countOneByOne(queries, { ...filter, before: first * dayMs });
  if (end !== undefined) total += await countOneByOne(queries, { ...filter, after: end * dayMs });
  return total;
}

async function countDays(
  queries: Queryable,
  { actor = everybody, type, refused }: EventFilter,
  first: number | undefined,
  end: number | undefined,
): Promise<number> {
  const query = queries('event_counts')
    .where('event_counts.actor_id', actor)
    .sum({ total: 'event_counts.events' });
  if (first !== undefined) query.where('event_counts.day', '>=', first);
  if (end !== undefined) query.where('event_counts.day', '<', end);
  if (type !== undefined) query.where('event_counts.type', type);
  if (refused !== undefined) query.where('event_counts.refused', refused);
  const [row] = await query;
  return Number(row?.total ?? 0);
}

function countOneByOne(queries: Queryable, filter: EventFilter): Promise<number> {
  return countAll(selectEvents(queries, filter));
}

async function countAll(selections: ReturnType<typeof selectEvents>): Promise<number> {
  let total = 0;
  for (const query of selections) {
    const [row] = await query.count({ total: '*' });
    total += Number(row?.total ?? 0);
  }
  return total;
}

/** In the transaction that writes it. */
export async function countOn(tx: Transaction, event: CountedEvent): Promise<void> {
  for (const key of keysOf(event)) await add(tx, key, 1);
}

/** In the transaction that forgets them. */
export async function countOff(tx: Transaction, events: readonly CountedEvent[]): Promise<void> {
  if (events.length === 0) return;
  const counts = new Map<string, { readonly key: CountKey; events: number }>();
  for (const key of events.flatMap(keysOf)) {
    const name = JSON.stringify(key);
    const count = counts.get(name) ?? { key, events: 0 };
    count.events += 1;
    counts.set(name, count);
  }
  const keys: CountKey[] = [];
  for (const { key, events: fewer } of counts.values()) {
    await add(tx, key, -fewer);
    keys.push(key);
  }
  await tx('event_counts')
    .whereIn('event_counts.actor_id', [...new Set(keys.map((key) => key.actor_id))])
    .where('event_counts.day', '<=', Math.max(...keys.map(({ day }) => day)))
    .where('event_counts.events', 0)
    .delete();
}

interface CountKey {
  readonly actor_id: string;
  readonly day: number;
  readonly type: string;
  readonly refused: boolean;
}

function keysOf({ actorId, publishedAt, type, refused }: CountedEvent): CountKey[] {
  const actors = actorId === undefined ? [everybody] : [everybody, actorId];
  return actors.map((actor) => ({ actor_id: actor, day: dayOf(publishedAt), type, refused }));
}

/** One statement, so that two who count at the same time both count. */
async function add(tx: Transaction, key: CountKey, events: number): Promise<void> {
  await tx('event_counts')
    .insert({ ...key, events })
    .onConflict(['actor_id', 'day', 'type', 'refused'])
    .merge({ events: tx.raw('?? + ?', ['event_counts.events', events]) });
}

function dayOf(time: number): number {
  return Math.floor(time / dayMs);
}
