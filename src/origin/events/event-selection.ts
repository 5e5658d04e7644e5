/** Which events: filters, and the indexes that find what they leave. */
import type { Query, Queryable } from '../database.ts';

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

/** Queries that have no event in common: one `OR` would be answered by reading all events. */
export function selectEvents(queries: Queryable, filter: EventFilter): Query[] {
  const { concerning } = filter;
  const { ofObject, others } = conditionsOf(filter);
  if (concerning === undefined) return select(queries, filter, [...ofObject, ...others]);
  const own = select(queries, filter, [...ofObject, ['actor_id', concerning.id], ...others]);
  return [...own, ...selectWhatOthersDid(queries, filter, concerning)];
}

/** What was done to an account, but not by it: the part of what concerns it that it did not do. */
export function selectWhatOthersDid(
  queries: Queryable,
  filter: EventFilter,
  { id, name }: NonNullable<EventFilter['concerning']>,
): Query[] {
  const { ofObject, others } = conditionsOf(filter);
  // A sign-in that failed is not known to be theirs by more than the name.
  return [id, ''].map((objectId) =>
    within(queries, filter, [['object_name', name], ...ofObject, ...others])
      .where('events.object_id', objectId)
      // As it stands in the index of these.
      .whereRaw("object_type IN ('account', 'organization', 'user')")
      .whereRaw('(actor_id IS NULL OR actor_id <> object_id)'),
  );
}

function conditionsOf({ objectName, actor, type, refused }: EventFilter) {
  const ofObject: Condition[] = objectName === undefined ? [] : [['object_name', objectName]];
  const others: Condition[] = [];
  if (actor !== undefined) others.push([actorIdOf(actor) === undefined ? 'actor_name' : 'actor_id', actor]);
  if (type !== undefined) others.push(['type', type]);
  if (refused !== undefined) others.push(['refused', refused]);
  return { ofObject, others };
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

/** The actor's id, if it is not a name. */
export function actorIdOf(actor: string): string | undefined {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(actor) ? actor : undefined;
}
