/** Walking a large table in steps of bounded work, so that requests have their turn in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Query, Queryable } from '../database.ts';

/** The rows whose key is greater than `after` and at most `upTo`; without them, from the first or to the last. */
export interface Window {
  readonly table: string;
  readonly key: readonly string[];
  readonly after: readonly string[] | undefined;
  readonly upTo: readonly string[] | undefined;
}

/** Windows of `rows` rows each, however many of them match what is asked of them. `key` is the table's primary key. */
export async function* windowsOf(
  queries: Queryable,
  table: string,
  key: readonly string[],
  rows = 200,
): AsyncGenerator<Window> {
  let after: readonly string[] | undefined;
  do {
    const last = await inWindow(queries(table), { table, key, after, upTo: undefined })
      .select(columns(table, key))
      .orderBy(columns(table, key))
      .offset(rows - 1)
      .first();
    const upTo = last === undefined ? undefined : key.map((column) => String(last[column]));
    yield { table, key, after, upTo };
    after = upTo;
    await nextTurn();
  } while (after !== undefined);
}

/** Narrows a query of the window's table to its rows. */
export function inWindow(query: Query, { table, key, after, upTo }: Window): Query {
  const names = key.map(() => '??').join(', ');
  const values = key.map(() => '?').join(', ');
  if (after !== undefined) query.whereRaw(`(${names}) > (${values})`, [...columns(table, key), ...after]);
  if (upTo !== undefined) query.whereRaw(`(${names}) <= (${values})`, [...columns(table, key), ...upTo]);
  return query;
}

function columns(table: string, key: readonly string[]): string[] {
  return key.map((column) => `${table}.${column}`);
}
