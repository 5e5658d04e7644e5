/** Pages of long lists: by key, never by counting, so that the last page costs as much as the first. */

export interface Page {
  /** The key of the first record; `undefined` for the first page. */
  readonly start: string | undefined;
  readonly size: number;
}

export interface PageOf<T> {
  readonly records: T[];
  /** The key at which the next page begins; `undefined` on the last one. */
  readonly next: string | undefined;
}

/** A page from the rows of a query that was limited to one more than its size. */
export function cutPage<T>(rows: readonly T[], size: number, keyOf: (row: T) => string): PageOf<T> {
  const following = rows[size];
  return {
    records: rows.slice(0, size),
    next: following === undefined ? undefined : keyOf(following),
  };
}
