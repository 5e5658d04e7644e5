/** Purging content caches: of some blobs, of a repository's, of everything, or of what the origin does not hold any more. */
import { purgeAnswer, storedAnswer } from '../../shared/cache-command-bodies.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import type { CacheAddress, CacheClient } from '../content-caches/cache-client.ts';
import type { Database } from '../database.ts';
import { digestsNotHeld, listLinkedDigests } from '../images/blob-links.ts';
import { findRepository } from '../images/repositories.ts';
import type { PurgeParameters } from './job-parameters.ts';
import { bodyOf, nothingDone, type Step, StepFailed, type TargetWork } from './work.ts';

/** Everything takes a cache a few seconds for each part of it. */
const answerMs = 30_000;
const digestsAtOnce = 1_000;

export class PurgeWork implements TargetWork {
  readonly #client: CacheClient;
  readonly #database: Database;
  readonly #parameters: PurgeParameters;
  #progress = nothingDone;
  /** The last digest that was looked at. */
  #after: Digest | undefined;

  constructor(options: { client: CacheClient; database: Database; parameters: PurgeParameters }) {
    this.#client = options.client;
    this.#database = options.database;
    this.#parameters = options.parameters;
  }

  async step(cache: CacheAddress, signal: AbortSignal): Promise<Step> {
    const { digests, repository, everything } = this.#parameters;
    if (everything === true) {
      const more = await this.#purge(cache, { everything }, signal);
      return this.#step(more);
    }
    if (digests !== undefined) {
      await this.#purge(cache, { digests }, signal);
      return this.#step(false);
    }
    return repository === undefined
      ? this.#purgeUnreferenced(cache, signal)
      : this.#purgeRepository(cache, repository, signal);
  }

  async #purgeRepository(
    cache: CacheAddress,
    name: NonNullable<PurgeParameters['repository']>,
    signal: AbortSignal,
  ): Promise<Step> {
    const { queries } = this.#database;
    const repository = await findRepository(queries, name);
    // Deleted since it was asked for: what only it held is gone by `unreferenced`.
    if (repository === undefined) return this.#step(false);
    const page = await listLinkedDigests(queries, repository.id, {
      after: this.#after,
      count: digestsAtOnce,
    });
    if (page.length > 0) await this.#purge(cache, { digests: page }, signal);
    this.#after = page.at(-1);
    return this.#step(page.length === digestsAtOnce);
  }

  async #purgeUnreferenced(cache: CacheAddress, signal: AbortSignal): Promise<Step> {
    const body = this.#after === undefined ? {} : { after: this.#after };
    const answer = await this.#client.post(cache, 'stored', body, within(signal));
    if (answer.status === 403) {
      throw new StepFailed('it does not tell what it stores: it serves other origins, too', {
        isFinal: true,
      });
    }
    const { digests, more } = storedAnswer.parse(bodyOf(answer));
    const gone = await digestsNotHeld(this.#database.queries, digests);
    if (gone.length > 0) await this.#purge(cache, { digests: gone }, signal);
    this.#after = digests.at(-1);
    return this.#step(more);
  }

  /** True when there is more to be done by the same command. */
  async #purge(cache: CacheAddress, body: object, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#client.post(cache, 'purge', body, within(signal));
    const { blobs, bytes, more } = purgeAnswer.parse(bodyOf(answer));
    const { doneBlobs, doneBytes } = this.#progress;
    this.#progress = { ...this.#progress, doneBlobs: doneBlobs + blobs, doneBytes: doneBytes + bytes };
    return more;
  }

  #step(more: boolean): Step {
    return { progress: this.#progress, next: more ? 'again' : 'done' };
  }
}

function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
}
