/** Prefetching images to content caches: they fetch the blobs by signed URLs, and tell where each stands when they are asked again. */
import { signBlobUrl } from '../../shared/blob-url.ts';
import { type PrefetchAnswer, prefetchAnswer } from '../../shared/cache-command-bodies.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import { parseReference } from '../../shared/distribution/reference.ts';
import { DomainError } from '../../shared/errors.ts';
import type { CacheAddress, CacheClient } from '../content-caches/cache-client.ts';
import type { Queryable } from '../database.ts';
import { listImageBlobs, parsePlatform } from '../images/image-blobs.ts';
import type { Descriptor } from '../images/manifest.ts';
import { getRepository } from '../images/repositories.ts';
import { findTag, listTaggedDigests } from '../images/tags.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { PrefetchParameters } from './job-parameters.ts';
import { bodyOf, type Step, StepFailed, type TargetWork } from './work.ts';

const answerMs = 15_000;
/** More than a cache fetches at a time, and few enough for an answer that gives a reason for each. */
const blobsAtOnce = 25;
const tokenSeconds = 600;
/** A token is sent again while so much of its life is ahead. */
const renewBeforeMs = 300_000;
/** A cache tries what failed again when it is asked half a minute later. */
const retryMs = 31_000;
const maximumTries = 5;

/**
 * The blobs of the images that are meant.
 * @throws DomainError `repository-unknown`, `manifest-unknown`
 */
export async function listWantedBlobs(
  queries: Queryable,
  { repository: name, reference, platforms = [] }: PrefetchParameters,
): Promise<Descriptor[]> {
  const repository = await getRepository(queries, name);
  const digests =
    reference === undefined
      ? await listTaggedDigests(queries, repository.id)
      : [await digestOfReference(queries, repository.id, reference)];
  return listImageBlobs(
    queries,
    repository.id,
    digests,
    platforms.flatMap((platform) => parsePlatform(platform) ?? []),
  );
}

async function digestOfReference(queries: Queryable, repositoryId: string, text: string): Promise<Digest> {
  const reference = parseReference(text);
  const digest =
    'digest' in reference ? reference.digest : await findTag(queries, repositoryId, reference.tag);
  if (digest !== undefined) return digest;
  throw new DomainError('manifest-unknown', `the repository has no tag ${text}`, { detail: { tag: text } });
}

interface Wanted extends Descriptor {
  token: string;
  signedAt: number;
  tries: number;
  notBefore: number;
}

type Told = PrefetchAnswer['blobs'][number];

export class PrefetchWork implements TargetWork {
  readonly #client: CacheClient;
  readonly #keys: Pick<SigningKeys, 'current'>;
  readonly #clock: Clock;
  readonly #parameters: PrefetchParameters;
  readonly #user: string;
  readonly #total: { readonly blobs: number; readonly bytes: number };
  #done = { blobs: 0, bytes: 0 };
  #open: Wanted[];

  /** `user`: in whose name the blobs are fetched. */
  constructor(options: {
    client: CacheClient;
    keys: Pick<SigningKeys, 'current'>;
    clock: Clock;
    parameters: PrefetchParameters;
    user: string;
    blobs: readonly Descriptor[];
  }) {
    this.#client = options.client;
    this.#keys = options.keys;
    this.#clock = options.clock;
    this.#parameters = options.parameters;
    this.#user = options.user;
    this.#open = options.blobs.map((blob) => ({ ...blob, token: '', signedAt: 0, tries: 0, notBefore: 0 }));
    const bytes = options.blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#total = { blobs: options.blobs.length, bytes };
  }

  async step(cache: CacheAddress, signal: AbortSignal): Promise<Step> {
    const now = this.#clock();
    const asked = this.#open.filter(({ notBefore }) => notBefore <= now).slice(0, blobsAtOnce);
    if (asked.length === 0) return this.#step(0, this.#open.length === 0 ? 'done' : 'wait');
    const told = await this.#ask(cache, asked, signal);
    const settled = new Set<Wanted>();
    let failure: string | undefined;
    let fillingBytes = 0;
    for (const [index, blob] of asked.entries()) {
      const progress = told[index];
      if (progress?.digest !== blob.digest)
        throw new StepFailed('it told of other blobs than asked', { isFinal: false });
      if (progress.state === 'stored') settled.add(blob);
      else if (progress.state === 'filling') fillingBytes += progress.bytes;
      else if (progress.state === 'failed') failure = this.#failed(blob, progress.reason, now);
    }
    for (const { sizeBytes } of settled) {
      this.#done = { blobs: this.#done.blobs + 1, bytes: this.#done.bytes + sizeBytes };
    }
    this.#open = this.#open.filter((blob) => !settled.has(blob));
    if (failure !== undefined) throw new StepFailed(failure, { isFinal: true });
    if (this.#open.length === 0) return this.#step(0, 'done');
    return this.#step(fillingBytes, settled.size === asked.length ? 'again' : 'wait');
  }

  async #ask(cache: CacheAddress, asked: readonly Wanted[], signal: AbortSignal): Promise<Told[]> {
    const { repository } = this.#parameters;
    for (const blob of asked) this.#sign(blob, cache);
    const body = {
      blobs: asked.map(({ digest, sizeBytes, token }) => ({ repository, digest, size: sizeBytes, token })),
    };
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
    return prefetchAnswer.parse(bodyOf(await this.#client.post(cache, 'prefetch', body, deadline))).blobs;
  }

  /** Why the whole is given up, once a blob has failed too often. */
  #failed(blob: Wanted, reason: string, now: number): string | undefined {
    blob.tries += 1;
    blob.notBefore = now + retryMs;
    return blob.tries >= maximumTries ? `it could not fetch ${blob.digest}: ${reason}` : undefined;
  }

  #sign(blob: Wanted, cache: CacheAddress): void {
    const now = this.#clock();
    if (blob.token !== '' && now - blob.signedAt < tokenSeconds * 1000 - renewBeforeMs) return;
    const { issuer } = this.#client;
    const { repository } = this.#parameters;
    blob.token = signBlobUrl(
      this.#keys.current(),
      { issuer, subject: this.#user, repository, digest: blob.digest, cache: cache.id },
      { lifetimeSeconds: tokenSeconds, now },
    );
    blob.signedAt = now;
  }

  #step(fillingBytes: number, next: Step['next']): Step {
    return {
      next,
      progress: {
        doneBlobs: this.#done.blobs,
        totalBlobs: this.#total.blobs,
        doneBytes: this.#done.bytes + fillingBytes,
        totalBytes: this.#total.bytes,
      },
    };
  }
}
