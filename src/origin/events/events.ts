/** The trail: who did what to what, from where, when and through which door. Logins and refusals, too; no secrets. */
import type { Queryable, Transaction } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import { countOff, countOn } from './event-counts.ts';
import { type EventFilter, selectEvents } from './event-selection.ts';

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
  await countOn(tx, {
    actorId: actor?.id,
    publishedAt: now,
    type: event.type,
    refused: event.refused ?? false,
  });
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
  for (const query of selectEvents(queries, filter)) {
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

/** Forgets events older than that, at most `limit` at a time. How many they were. */
export async function removeEventsBefore(tx: Transaction, time: number, limit: number): Promise<number> {
  const old: Pick<EventRow, 'id' | 'published_at' | 'actor_id' | 'type' | 'refused'>[] = await tx('events')
    .where('events.published_at', '<', time)
    .orderBy('events.published_at')
    .limit(limit)
    // Whoever forgets them at the same time shall not count them, too.
    .forUpdate()
    .select('events.id', 'events.published_at', 'events.actor_id', 'events.type', 'events.refused');
  const ids = old.map(({ id }) => id);
  if (ids.length > 0) await tx('events').whereIn('events.id', ids).delete();
  const counted = old.map(({ published_at, actor_id, type, refused }) => ({
    actorId: actor_id ?? undefined,
    publishedAt: Number(published_at),
    type,
    refused: Boolean(refused),
  }));
  await countOff(tx, counted);
  return old.length;
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
