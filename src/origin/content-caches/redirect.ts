/** From a client and a blob to the signed URL at a content cache, or to no redirect. */
import { randomUUID } from 'node:crypto';
import { blobUrl, signBlobUrl } from '../../shared/blob-url.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { namespaceOf } from '../images/repositories.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { ChoiceFactsFinder, Puller } from './choice-facts.ts';
import { type CacheHealth, type Choice, chooseContentCache, type Exclusion } from './choose.ts';
import type { BlobAsk } from './pulls.ts';
import type { Retries } from './retries.ts';

export interface Redirect {
  readonly choice: Choice;
  /** Absolute; `undefined` when the origin serves the blob itself. */
  readonly location: string | undefined;
}

interface RedirectCounter {
  countRedirect(cacheId: string, repository: string, user: string): void;
}

/** Tokens are given again until this share of their lifetime has passed. */
const renewAfterShare = 0.2;
const maximumGiven = 10_000;

export class Redirector {
  readonly #facts: ChoiceFactsFinder;
  readonly #health: CacheHealth;
  readonly #usage: RedirectCounter;
  readonly #retries: Retries;
  readonly #keys: SigningKeys;
  readonly #issuer: string;
  readonly #lifetimeSeconds: number;
  readonly #clock: Clock;
  readonly #given = new Map<string, { token: string; signedAt: number; renewAt: number }>();

  /** `issuer` is the origin's external URL; `lifetimeSeconds` is how long a signed URL opens its blob. */
  constructor(options: {
    facts: ChoiceFactsFinder;
    health: CacheHealth;
    usage: RedirectCounter;
    retries: Retries;
    keys: SigningKeys;
    issuer: string;
    lifetimeSeconds: number;
    clock: Clock;
  }) {
    this.#facts = options.facts;
    this.#health = options.health;
    this.#usage = options.usage;
    this.#retries = options.retries;
    this.#keys = options.keys;
    this.#issuer = options.issuer;
    this.#lifetimeSeconds = options.lifetimeSeconds;
    this.#clock = options.clock;
  }

  /** The caller has checked that who asks may read the blob. `redirects`: whether the repository's blobs may be redirected. */
  async redirect(ask: BlobAsk, redirects: boolean): Promise<Redirect> {
    const { setting, rule, organizations, systemDefault } = await this.#facts.find(ask);
    const repository = { namespace: namespaceOf(ask.repository), redirects };
    const health = this.#health;
    const excluded = new Map<string, Exclusion>();
    const facts = { setting, rule, organizations, systemDefault, repository, health, excluded };
    for (;;) {
      const choice = chooseContentCache(facts);
      const { cache } = choice;
      if (cache === undefined) return { choice, location: undefined };
      const exclusion = await this.#retries.assess(ask, cache);
      if (exclusion === undefined) {
        const id = newRequestId();
        this.#retries.sent(ask, cache, id);
        const { user, repository, digest } = ask;
        this.#usage.countRedirect(cache.id, repository, user);
        const token = this.#tokenFor({ subject: user, repository, digest, cache: cache.id });
        return { choice, location: blobUrl(cache.host, repository, digest, token, id) };
      }
      excluded.set(cache.id, exclusion);
    }
  }

  /** Which cache would serve a new pull from the repository, and why; nobody is sent anywhere. */
  async preview(puller: Puller, repository: { name: RepositoryName; redirects: boolean }): Promise<Choice> {
    return chooseContentCache({
      ...(await this.#facts.find(puller)),
      repository: { namespace: namespaceOf(repository.name), redirects: repository.redirects },
      health: this.#health,
      excluded: this.#retries.missedBy(puller.user, puller.client),
    });
  }

  /**
   * A token is good for any number of requests, so the same one is given again while most of its life is ahead: a client
   * that fetches a blob in many ranges, or many machines of one user, cost one signature.
   */
  #tokenFor(claims: { subject: string; repository: RepositoryName; digest: Digest; cache: string }): string {
    const key = `${claims.subject} ${claims.repository} ${claims.digest} ${claims.cache}`;
    const now = this.#clock();
    const given = this.#given.get(key);
    if (given !== undefined && now >= given.signedAt && now < given.renewAt) return given.token;
    const token = signBlobUrl(
      this.#keys.current(),
      { issuer: this.#issuer, ...claims },
      { lifetimeSeconds: this.#lifetimeSeconds, now },
    );
    if (this.#given.size >= maximumGiven) this.#given.clear();
    const renewAt = now + this.#lifetimeSeconds * renewAfterShare * 1000;
    this.#given.set(key, { token, signedAt: now, renewAt });
    return token;
  }
}

/**
 * At most 32 characters, and not to be guessed: a client shall not be able to speak for others. Node makes these ten times as fast as
 * other random bytes.
 */
function newRequestId(): string {
  return randomUUID().slice(4);
}
