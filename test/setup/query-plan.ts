/** How SQLite goes about queries, so that a test can hold it to using an index. */
import assert from 'node:assert/strict';
import type { Queryable } from '../../src/origin/database.ts';

/** The steps of `EXPLAIN QUERY PLAN` for every query that `work` asks. */
export async function plansOf(queries: Queryable, work: () => Promise<unknown>): Promise<string[]> {
  const asked: { sql: string; bindings: readonly unknown[] }[] = [];
  const note = (query: { sql: string; bindings: readonly unknown[] }) => asked.push(query);
  queries.on('query', note);
  try {
    await work();
  } finally {
    queries.removeListener('query', note);
  }
  const steps: string[] = [];
  for (const { sql, bindings } of asked) {
    // Not what changes nothing: it takes the turn to write.
    if (!/^(?:select|with|update|delete)\b/i.test(sql) || sql.includes('0 = 1')) continue;
    const rows: { detail: string }[] = await queries.raw(`EXPLAIN QUERY PLAN ${sql}`, bindings as never);
    steps.push(...rows.map(({ detail }) => detail));
  }
  return steps;
}

/**
 * Fails when a query that `work` asks reads a whole table, or sorts. `sorts` allows the latter, where what is sorted is
 * bounded by something else than the table.
 */
export async function assertIndexed(
  queries: Queryable,
  work: () => Promise<unknown>,
  { sorts = false }: { sorts?: boolean } = {},
): Promise<void> {
  const steps = await plansOf(queries, work);
  assert.ok(steps.length > 0, 'it asks something');
  // What a query inside the query gives is read whole: how that one goes about it stands in steps of its own.
  const inner = steps.flatMap((step) => /^(?:CO-ROUTINE|MATERIALIZE) (\w+)/.exec(step)?.[1] ?? []);
  const slow = steps.filter(
    (step) =>
      (/^SCAN /.test(step) &&
        !/USING (?:COVERING )?INDEX|CONSTANT ROW/.test(step) &&
        !inner.includes(step.slice('SCAN '.length))) ||
      (!sorts && /TEMP B-TREE/.test(step)),
  );
  assert.deepEqual(slow, [], steps.join('\n'));
}
