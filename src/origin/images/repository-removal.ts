/**
 * Deleting repositories, however many and however much is in them: in transactions of some milliseconds, with as much time in
 * between, so that others are served. Until the last of them a repository is there, with fewer and fewer images; a deletion that was
 * interrupted is finished by deleting again. Blobs that nothing needs any more are left to garbage collection.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../shared/clock.ts';
import type { Database, Transaction } from '../database.ts';
import { type EventContext, recordEvent } from '../events/events.ts';
import type { Repository } from './repositories.ts';

/** Of one transaction. */
const maximumRepositories = 20;
/**
 * What is in a repository, in the order in which it is deleted, and how much of it in one transaction: tags by name, which lie
 * beside each other; a manifest goes with what it refers to. What is left goes with the repository.
 */
const contents = [
  { table: 'tags', key: 'name', limit: 100 },
  { table: 'manifests', key: 'digest', limit: 10 },
  { table: 'repository_blobs', key: 'digest', limit: 100 },
  { table: 'user_repository_access', key: 'user_id', limit: 100 },
  { table: 'team_repository_access', key: 'team_id', limit: 100 },
] as const;

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
   * Deletes all repositories of an account, those that come into being meanwhile, too, for as long as `isWanted` says so in
   * each transaction.
   * @throws the reason of `signal`, which ends it between two transactions
   */
  async deleteAllOf(
    context: EventContext,
    namespaceId: string,
    options: { isWanted?: (tx: Transaction) => Promise<boolean>; signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const { isWanted = async () => true, signal } = options;
    await this.#repeat(async (tx) => {
      if (!(await isWanted(tx))) return true;
      const repositories: Named[] = await tx('repositories')
        .where('repositories.namespace_id', namespaceId)
        .limit(maximumRepositories)
        .select('repositories.id', 'repositories.name');
      if (repositories.length === 0) return true;
      await this.#removePortion(tx, context, repositories);
      return false;
    }, signal);
  }

  /** One transaction after another, until `work` says that it was the last. */
  async #repeat(work: (tx: Transaction) => Promise<boolean>, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const startedAt = performance.now();
      if (await this.#database.transaction(work)) return;
      // A request asks several questions, and each would wait for a transaction that came in between.
      await delay(performance.now() - startedAt, undefined, signal && { signal });
    }
  }

  /** True when that was the last of them. */
  async #removePortion(
    tx: Transaction,
    context: EventContext,
    repositories: readonly Named[],
  ): Promise<boolean> {
    const ids = repositories.map(({ id }) => id);
    for (const part of contents) if ((await removeSome(tx, part, ids)) === part.limit) return false;
    await tx('repositories').whereIn('repositories.id', ids).delete();
    for (const { id, name } of repositories) {
      const object = { type: 'repository', id, name };
      await recordEvent(tx, context, { type: 'DELETE', object }, this.#clock());
    }
    return true;
  }
}

/** How many they were. */
async function removeSome(
  tx: Transaction,
  { table, key, limit }: (typeof contents)[number],
  repositoryIds: readonly string[],
): Promise<number> {
  const columns = ['repository_id', key].map((column) => `${table}.${column}`);
  const rows = await tx(table).whereIn(`${table}.repository_id`, repositoryIds).limit(limit).select(columns);
  const keys = rows.map((row) => [row.repository_id, row[key]]);
  if (keys.length > 0) await tx(table).whereIn(['repository_id', key], keys).delete();
  return keys.length;
}
