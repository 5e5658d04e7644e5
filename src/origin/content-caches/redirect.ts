/** From a user and a blob to the signed URL at the user's content cache, or to no redirect. */
import { blobUrl, signBlobUrl } from '../../shared/blob-url.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Digest } from '../../shared/distribution/digest.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import type { Database, PreparedRow } from '../database.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import { type Choice, chooseContentCache } from './choose.ts';
import type { ContentCache } from './content-caches.ts';

export interface Redirect {
  readonly choice: Choice;
  /** Absolute; `undefined` when the origin serves the blob itself. */
  readonly location: string | undefined;
}

/** Tokens are given again until this share of their lifetime has passed. */
const renewAfterShare = 0.2;
const maximumGiven = 10_000;

export class Redirector {
  readonly #findChosen: PreparedRow<ContentCache>;
  readonly #keys: SigningKeys;
  readonly #issuer: string;
  readonly #lifetimeSeconds: number;
  readonly #clock: Clock;
  readonly #given = new Map<string, { token: string; signedAt: number; renewAt: number }>();

  /** `issuer` is the origin's external URL; `lifetimeSeconds` is how long a signed URL opens its blob. */
  constructor(options: {
    database: Database;
    keys: SigningKeys;
    issuer: string;
    lifetimeSeconds: number;
    clock: Clock;
  }) {
    this.#keys = options.keys;
    this.#issuer = options.issuer;
    this.#lifetimeSeconds = options.lifetimeSeconds;
    this.#clock = options.clock;
    this.#findChosen = options.database.prepare((queries) =>
      queries('accounts')
        .join('account_settings', 'account_settings.account_id', 'accounts.id')
        .join('content_caches', 'content_caches.id', 'account_settings.content_cache_id')
        .where('accounts.name', ':1')
        .select('content_caches.id', 'content_caches.name', 'content_caches.host'),
    );
  }

  /** `user` is the account's name, empty for an anonymous pull. The caller has checked that they may read the blob. */
  async redirect(user: string, repository: RepositoryName, digest: Digest): Promise<Redirect> {
    const anonymous = user === '';
    const choice = chooseContentCache({
      anonymous,
      chosen: anonymous ? undefined : await this.#findChosen(user),
    });
    if (choice.cache === undefined) return { choice, location: undefined };
    const token = this.#tokenFor({ subject: user, repository, digest, cache: choice.cache.id });
    return { choice, location: blobUrl(choice.cache.host, repository, digest, token) };
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
