/** The trail: who did what to what, from where, when and through which door. Logins and refusals, too; no secrets. */
import type { Query, Queryable, Transaction } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';

type Door = 'registry' | 'token' | 'api' | 'web' | 'command';

/** Who does something, and which way. */
export interface EventContext {
  /** `undefined`: nobody in particular. */
  readonly actor: { readonly id: string | undefined; readonly name: string } | undefined;
  readonly door: Door;
  /** The address; `undefined` when there is none. */
  readonly client: string | undefined;
}

export interface EventObject {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

export interface NewEvent {
  /** In upper case: LOGIN, CREATE, UPDATE, DELETE, PUSH, GRANT, REVOKE, … */
  readonly type: string;
  readonly object: EventObject;
  /** What it was changed to. Never a secret. */
  readonly content?: Readonly<Record<string, unknown>> | undefined;
  /** What it was done with, such as the team that was given access. */
  readonly target?: EventObject | undefined;
  readonly refused?: boolean;
}

export interface Event {
  readonly id: string;
  /** ms since the epoch. */
  readonly publishedAt: number;
  readonly actorId: string | undefined;
  readonly actorName: string;
  readonly type: string;
  readonly object: EventObject;
  readonly content: string | undefined;
  readonly target: EventObject | undefined;
  readonly door: Door;
  readonly client: string;
  readonly refused: boolean;
}

export interface EventFilter {
  /** An account's id or name. */
  readonly actor?: string | undefined;
  readonly type?: string | undefined;
  readonly objectName?: string | undefined;
  readonly refused?: boolean | undefined;
  /** ms since the epoch, not included. */
  readonly before?: number | undefined;
  /** ms since the epoch, included. */
  readonly after?: number | undefined;
  /** Only what this account did, or what was done to it; failed sign-ins with its name among them. */
  readonly concerning?: { readonly id: string; readonly name: string } | undefined;
}

/** Of UTC: events are counted by day. */
const dayMs = 86_400_000;

/** Names that somebody made up may be of any length, or hold what would disturb a terminal. */
const maximumActorName = 128;

/** In the transaction of what it tells of: either both are there or neither. */
export async function recordEvent(
  tx: Transaction,
  { actor, door, client }: EventContext,
  event: NewEvent,
  now: number,
): Promise<void> {
  const { object, target } = event;
  await tx('events').insert({
    published_at: now,
    actor_id: actor?.id ?? null,
    actor_name: printable(actor?.name ?? '').slice(0, maximumActorName),
    type: event.type,
    object_type: object.type,
    object_id: object.id,
    object_name: printable(object.name).slice(0, 511),
    content: event.content === undefined ? null : JSON.stringify(event.content),
    target_type: target?.type ?? null,
    target_id: target?.id ?? null,
    target_name: target?.name ?? null,
    door,
    client: client ?? '',
    refused: event.refused ?? false,
  });
  const key = { day: dayOf(now), type: event.type, refused: event.refused ?? false };
  await addToCount(tx, key, 1);
}

/** The newest first. `page.start` is the id of the first event of the page. */
export async function listEvents(
  queries: Queryable,
  filter: EventFilter,
  page: Page,
): Promise<PageOf<Event>> {
  const first = page.start === undefined ? undefined : await findPosition(queries, page.start);
  // The oldest are forgotten: after one that was, there are none.
  if (page.start !== undefined && first === undefined) return { records: [], next: undefined };
  const rows: EventRow[] = [];
  for (const query of selections(queries, filter)) {
    if (first !== undefined) {
      const { publishedAt, id } = first;
      query
        .where('events.published_at', '<=', publishedAt)
        .where((following) =>
          following.where('events.published_at', '<', publishedAt).orWhere('events.id', '<=', id),
        );
    }
    const newest = [
      { column: 'events.published_at', order: 'desc' },
      { column: 'events.id', order: 'desc' },
    ];
    rows.push(
      ...(await query
        .orderBy(newest)
        .limit(page.size + 1)
        .select('events.*')),
    );
  }
  const events = rows.map(toEvent).sort(byNewest);
  return cutPage(events, page.size, ({ id }) => id);
}

async function findPosition(
  queries: Queryable,
  id: string,
): Promise<{ publishedAt: number; id: number } | undefined> {
  const row = await queries('events').where('events.id', Number(id)).first('events.published_at');
  return row && { publishedAt: Number(row.published_at), id: Number(id) };
}

function byNewest(one: Event, other: Event): number {
  return other.publishedAt - one.publishedAt || Number(other.id) - Number(one.id);
}

export async function countEvents(queries: Queryable, filter: EventFilter): Promise<number> {
  const { actor, objectName, concerning } = filter;
  // Of one account or object there are fewer, and an index has them.
  if ([actor, objectName, concerning].some((value) => value !== undefined)) return countOne(queries, filter);
  const firstDay = filter.after === undefined ? undefined : Math.ceil(filter.after / dayMs);
  const endDay = filter.before === undefined ? undefined : dayOf(filter.before);
  if (firstDay !== undefined && endDay !== undefined && firstDay >= endDay) return countOne(queries, filter);
  let total = await countDays(queries, filter, firstDay, endDay);
  // What is left of the days in which the time begins and ends.
  if (firstDay !== undefined) total += await countOne(queries, { ...filter, before: firstDay * dayMs });
  if (endDay !== undefined) total += await countOne(queries, { ...filter, after: endDay * dayMs });
  return total;
}

async function countDays(
  queries: Queryable,
  { type, refused }: EventFilter,
  first: number | undefined,
  end: number | undefined,
): Promise<number> {
  const query = queries('event_counts').sum({ total: 'event_counts.events' });
  if (first !== undefined) query.where('event_counts.day', '>=', first);
  if (end !== undefined) query.where('event_counts.day', '<', end);
  if (type !== undefined) query.where('event_counts.type', type);
  if (refused !== undefined) query.where('event_counts.refused', refused);
  const [row] = await query;
  return Number(row?.total ?? 0);
}

/** One by one. */
async function countOne(queries: Queryable, filter: EventFilter): Promise<number> {
  let total = 0;
  for (const query of selections(queries, filter)) {
    const [row] = await query.count({ total: '*' });
    total += Number(row?.total ?? 0);
  }
  return total;
}

interface CountKey {
  readonly day: number;
  readonly type: string;
  readonly refused: boolean;
}

/** One statement, so that two who count at the same time both count. */
async function addToCount(tx: Transaction, key: CountKey, events: number): Promise<void> {
  await tx('event_counts')
    .insert({ ...key, events })
    .onConflict(['day', 'type', 'refused'])
    .merge({ events: tx.raw('?? + ?', ['event_counts.events', events]) });
}

/** Forgets events older than that, at most `limit` at a time. How many they were. */
export async function removeEventsBefore(tx: Transaction, time: number, limit: number): Promise<number> {
  const old: Pick<EventRow, 'id' | 'published_at' | 'type' | 'refused'>[] = await tx('events')
    .where('events.published_at', '<', time)
    .orderBy('events.published_at')
    .limit(limit)
    // Whoever forgets them at the same time shall not count them, too.
    .forUpdate()
    .select('events.id', 'events.published_at', 'events.type', 'events.refused');
  const ids = old.map(({ id }) => id);
  if (ids.length > 0) await tx('events').whereIn('events.id', ids).delete();
  const counts = new Map<string, CountKey & { events: number }>();
  for (const { published_at, type, refused } of old) {
    const key = { day: dayOf(Number(published_at)), type, refused: Boolean(refused) };
    const name = JSON.stringify(key);
    counts.set(name, { ...key, events: (counts.get(name)?.events ?? 0) + 1 });
  }
  for (const { events, ...key } of counts.values()) await addToCount(tx, key, -events);
  return old.length;
}

function dayOf(time: number): number {
  return Math.floor(time / dayMs);
}

/** The last one that was written; 0 when there is none. */
export async function lastEventId(queries: Queryable): Promise<number> {
  const row = await queries('events').max('events.id as id').first();
  return Number(row?.id ?? 0);
}

export interface PushedTag {
  /** The event's id. */
  readonly id: number;
  readonly publishedAt: number;
  readonly repository: string;
  readonly tag: string;
}

/** Tags that were pushed after that event, in their order. */
export async function listPushedTags(
  queries: Queryable,
  page: { after: number; limit: number },
): Promise<PushedTag[]> {
  const rows: EventRow[] = await queries('events')
    .where('events.id', '>', page.after)
    // By an index of one of these, all events of it would be sorted each time.
    .whereRaw('COALESCE(??, NULL) = ?', ['events.type', 'PUSH'])
    .where({ object_type: 'tag' })
    .whereRaw('COALESCE(??, NULL) = ?', ['events.refused', false])
    .orderBy('events.id')
    .limit(page.limit)
    .select('events.*');
  return rows.map(({ id, published_at, object_name }) => {
    const colon = object_name.lastIndexOf(':');
    return {
      id: Number(id),
      publishedAt: Number(published_at),
      repository: object_name.slice(0, colon),
      tag: object_name.slice(colon + 1),
    };
  });
}

/** Queries that have no event in common: one `OR` would be answered by reading all events. */
function selections(queries: Queryable, filter: EventFilter): Query[] {
  const { objectName, actor, concerning, type, refused } = filter;
  const ofObject: Condition[] = objectName === undefined ? [] : [['object_name', objectName]];
  const others: Condition[] = [];
  if (actor !== undefined) others.push([isId(actor) ? 'actor_id' : 'actor_name', actor]);
  if (type !== undefined) others.push(['type', type]);
  if (refused !== undefined) others.push(['refused', refused]);
  if (concerning === undefined) return select(queries, filter, [...ofObject, ...others]);
  const { id, name } = concerning;
  // A sign-in that failed is not known to be theirs by more than the name.
  const byOthers = [id, ''].map((objectId) =>
    within(queries, filter, [['object_name', name], ...ofObject, ...others])
      .where('events.object_id', objectId)
      // As it stands in the index of these.
      .whereRaw("object_type IN ('account', 'organization', 'user')")
      .whereRaw('(actor_id IS NULL OR actor_id <> object_id)'),
  );
  return [...select(queries, filter, [...ofObject, ['actor_id', id], ...others]), ...byOthers];
}

type Condition = readonly [
  column: 'object_name' | 'actor_id' | 'actor_name' | 'type' | 'refused',
  value: string | boolean,
];

/** Events that meet all conditions. Of an actor or a type those that were done and those that were refused are apart. */
function select(queries: Queryable, filter: EventFilter, conditions: readonly Condition[]): Query[] {
  if (!isByOutcome(conditions) || filter.refused !== undefined) return [within(queries, filter, conditions)];
  return [false, true].map((refused) => within(queries, filter, [...conditions, ['refused', refused]]));
}

function isByOutcome([first]: readonly Condition[]): boolean {
  return first?.[0] === 'actor_id' || first?.[0] === 'type';
}

/**
 * The index of the first condition finds the events: of an object there are fewer than of an actor, and of that fewer than of a
 * type. The others are checked on what it gives, within the index; an index of theirs would give more.
 */
function within(queries: Queryable, { before, after }: EventFilter, conditions: readonly Condition[]): Query {
  const query: Query = queries('events');
  const searched = isByOutcome(conditions) ? ['actor_id', 'type', 'refused'] : [conditions[0]?.[0]];
  for (const [column, value] of conditions) {
    if (searched.includes(column)) query.where(`events.${column}`, value);
    else query.whereRaw('COALESCE(??, NULL) = ?', [`events.${column}`, value]);
  }
  if (before !== undefined) query.where('events.published_at', '<', before);
  if (after !== undefined) query.where('events.published_at', '>=', after);
  return query;
}

function isId(actor: string): boolean {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(actor);
}

interface EventRow {
  id: number | string;
  published_at: number | string;
  actor_id: string | null;
  actor_name: string;
  type: string;
  object_type: string;
  object_id: string;
  object_name: string;
  content: string | null;
  target_type: string | null;
  target_id: string | null;
  target_name: string | null;
  door: Door;
  client: string;
  refused: boolean | number;
}

function toEvent(row: EventRow): Event {
  return {
    id: String(row.id),
    publishedAt: Number(row.published_at),
    actorId: row.actor_id ?? undefined,
    actorName: row.actor_name,
    type: row.type,
    object: { type: row.object_type, id: row.object_id, name: row.object_name },
    content: row.content ?? undefined,
    target:
      row.target_type === null
        ? undefined
        : { type: row.target_type, id: row.target_id ?? '', name: row.target_name ?? '' },
    door: row.door,
    client: row.client,
    refused: Boolean(row.refused),
  };
}

function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '\ufffd');
}
