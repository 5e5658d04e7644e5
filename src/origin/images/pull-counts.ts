/**
 * How often repositories are pulled from. A write per pull would cost more than the pull: pulls are counted in memory and
 * written together every few seconds and at the end. A process that is killed loses those of its last seconds.
 */
import type { Logger } from '../../shared/logging.ts';
import type { Database } from '../database.ts';

const writeIntervalMs = 5_000;
/** Repositories written in one transaction. */
const portionSize = 200;

export class PullCounts {
  readonly #database: Database;
  readonly #logger: Logger;
  /** By repository, not written yet. */
  #counts = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: { database: Database; logger: Logger }) {
    this.#database = options.database;
    this.#logger = options.logger;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#writing = this.#writing.then(() => this.#tryToWrite());
    }, writeIntervalMs);
    this.#timer.unref();
  }

  /** One pull. */
  count(repositoryId: string): void {
    this.#counts.set(repositoryId, (this.#counts.get(repositoryId) ?? 0) + 1);
  }

  /** Writes what is left, and nothing any more after that. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.#tryToWrite();
  }

  async #tryToWrite(): Promise<void> {
    try {
      while (this.#counts.size > 0) await this.#writePortion();
    } catch (error) {
      this.#logger.warn({ err: error }, 'pulls are counted on, but could not be written yet');
    }
  }

  async #writePortion(): Promise<void> {
    const portion = [...this.#counts].slice(0, portionSize);
    for (const [id] of portion) this.#counts.delete(id);
    try {
      await this.#database.transaction(async (tx) => {
        for (const [id, pulls] of portion) await tx('repositories').where({ id }).increment({ pulls });
      });
    } catch (error) {
      for (const [id, pulls] of portion) this.#counts.set(id, (this.#counts.get(id) ?? 0) + pulls);
      throw error;
    }
  }
}
