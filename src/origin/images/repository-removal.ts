/**
 * Deleting repositories, however many and however much is in them: in transactions of bounded work, so that pushes and pulls
 * have their turn in between. Until the last of them a repository is there, with fewer and fewer images; a deletion that was
 * interrupted is finished by deleting again. Blobs that nothing needs any more are left to garbage collection.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../shared/clock.ts';
import type { Database, Transaction } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import type { Repository } from './repositories.ts';

/** Of one transaction. Measured: 5,000 small repositories a minute one by one, 100,000 so. */
const maximumRepositories = 50;
/** A manifest goes with its tags and with what it refers to: some ten rows. */
const maximumManifests = 50;
const maximumLinks = 500;

type Named = Pick<Repository, 'id' | 'name'>;

export class RepositoryRemoval {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(options: { database: Database; clock: Clock }) {
    this.#database = options.database;
    this.#clock = options.clock;
  }

  /** Deletes the one that `find` gives, in the first of the transactions; none when it gives none or throws. */
  async delete(context: EventContext, find: (tx: Transaction) => Promise<Named | undefined>): Promise<void> {
    let repository: Named | undefined;
    await this.#repeat(async (tx) => {
      repository ??= await find(tx);
      return repository === undefined || this.#removePortion(tx, context, [repository]);
    });
  }

  /**
   * Deletes all repositories of an account, those that come into being meanwhile, too.
   * @throws the reason of `signal`, which ends it between two transactions
   */
  async deleteAllOf(context: EventContext, namespaceId: string, signal?: AbortSignal): Promise<void> {
    await this.#repeat(async (tx) => {
      const repositories: Named[] = await tx('repositories')
        .where('repositories.namespace_id', namespaceId)
        .orderBy('repositories.name')
        .limit(maximumRepositories)
        .select('repositories.id', 'repositories.name');
      if (repositories.length === 0) return true;
      await this.#removePortion(tx, context, repositories);
      return false;
    }, signal);
  }

  /** One transaction after another, until `work` says that it was the last. */
  async #repeat(work: (tx: Transaction) => Promise<boolean>, signal?: AbortSignal): Promise<void> {
    // Without the turn, requests would wait for the end: SQLite answers at once, and nothing else lets them in.
    while (!(await this.#database.transaction(work))) await nextTurn(undefined, signal && { signal });
  }

  /** True when that was the last of them. */
  async #removePortion(
    tx: Transaction,
    context: EventContext,
    repositories: readonly Named[],
  ): Promise<boolean> {
    const ids = repositories.map(({ id }) => id);
    const manifests = await removeSome(tx, 'manifests', ids, maximumManifests);
    if (manifests === maximumManifests) return false;
    const links = await removeSome(tx, 'repository_blobs', ids, maximumLinks);
    if (links === maximumLinks) return false;
    await tx('repositories').whereIn('repositories.id', ids).delete();
    for (const { id, name } of repositories) {
      const object = { type: 'repository', id, name };
      await recordEvent(tx, context, { type: 'DELETE', object }, this.#clock());
    }
    return true;
  }
}

/** At most `limit` rows of the repositories. How many they were. */
async function removeSome(
  tx: Transaction,
  table: 'manifests' | 'repository_blobs',
  repositoryIds: readonly string[],
  limit: number,
): Promise<number> {
  const rows = await tx(table)
    .whereIn(`${table}.repository_id`, repositoryIds)
    .limit(limit)
    .select(`${table}.repository_id`, `${table}.digest`);
  const keys = rows.map(({ repository_id, digest }) => [repository_id, digest]);
  if (keys.length > 0) await tx(table).whereIn(['repository_id', 'digest'], keys).delete();
  return keys.length;
}
