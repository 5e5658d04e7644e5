/** Numbers that grow with each change of what processes keep in memory: cheap to ask, so that nothing else is asked. */
import type { Database, Queryable } from '../database.ts';

export type Revised = 'network-rules';

/** To be called with each change, in its transaction. */
export async function revise(queries: Queryable, name: Revised): Promise<void> {
  await queries('revisions').where('revisions.name', name).increment('revision', 1);
}

/** Compiles the question whether something has changed. */
export function prepareFindRevision(database: Database, name: Revised): () => Promise<number> {
  const find = database.prepare<{ revision: number }>((queries) =>
    queries('revisions').where('revisions.name', ':1').select('revisions.revision'),
  );
  return async () => (await find(name))?.revision ?? 0;
}
