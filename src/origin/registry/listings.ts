/** Lists at the registry door: tags (end-8), referrers (end-12) and the catalog. */
import { parseDigest } from '../../shared/distribution/digest.ts';
import { mediaTypes } from '../../shared/distribution/media-types.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { findAccount } from '../accounts/accounts.ts';
import type { Database } from '../database.ts';
import { annotationsOf } from '../images/manifest.ts';
import { listReferrers } from '../images/manifests.ts';
import { findRepository, getRepository, listRepositoryNames } from '../images/repositories.ts';
import { listTags } from '../images/tags.ts';
import type { Authorizer } from './authorize.ts';
import { answerJson, type Exchange, nextPageLink, pageOf, queryValues, refuseMethod } from './exchange.ts';

export class ListingHandlers {
  readonly #authorizer: Authorizer;
  readonly #database: Database;

  constructor(options: { authorizer: Authorizer; database: Database }) {
    this.#authorizer = options.authorizer;
    this.#database = options.database;
  }

  async tags(exchange: Exchange, repository: RepositoryName): Promise<void> {
    assertRead(exchange);
    this.#authorizer.authorize(exchange, repository, 'pull');
    const page = pageOf(exchange);
    const { id } = await getRepository(this.#database.queries, repository);
    const tags = await listPage(page.count, (count) =>
      listTags(this.#database.queries, id, { last: page.last, count }),
    );
    answerJson(exchange, { name: repository, tags: tags.names }, tags.link(`/v2/${repository}/tags/list`));
  }

  async catalog(exchange: Exchange): Promise<void> {
    assertRead(exchange);
    const { subject } = this.#authorizer.authorizeCatalog(exchange);
    const reader = await findAccount(this.#database.queries, subject);
    const page = pageOf(exchange);
    const repositories = await listPage(page.count, (count) =>
      listRepositoryNames(this.#database.queries, {
        reader: subject,
        everything: reader?.isAdmin === true && reader.isActive,
        last: page.last,
        count,
      }),
    );
    answerJson(exchange, { repositories: repositories.names }, repositories.link('/v2/_catalog'));
  }

  /** An index of the manifests whose subject is the digest; empty when there are none. */
  async referrers(exchange: Exchange, repository: RepositoryName, digest: string): Promise<void> {
    assertRead(exchange);
    this.#authorizer.authorize(exchange, repository, 'pull');
    const [artifactType] = queryValues(exchange, 'artifactType');
    const found = await findRepository(this.#database.queries, repository);
    const referrers =
      found === undefined
        ? []
        : await listReferrers(this.#database.queries, found.id, parseDigest(digest), artifactType);
    const manifests = referrers.map((referrer) => ({
      mediaType: referrer.mediaType,
      digest: referrer.digest,
      size: referrer.bytes.byteLength,
      artifactType: referrer.artifactType,
      annotations: annotationsOf(referrer.bytes),
    }));
    answerJson(
      exchange,
      { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
      {
        'Content-Type': mediaTypes.ociIndex,
        ...(artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
      },
    );
  }
}

function assertRead(exchange: Exchange): void {
  const { method } = exchange.request;
  if (method !== 'GET' && method !== 'HEAD') refuseMethod(exchange, ['GET', 'HEAD']);
}

/** Asks for one name more than the page holds, to know whether another page follows. */
async function listPage(
  count: number,
  list: (count: number) => Promise<string[]>,
): Promise<{ names: string[]; link: (path: string) => Record<string, string> }> {
  const names = count === 0 ? [] : await list(count + 1);
  const more = names.length > count;
  const page = names.slice(0, count);
  return {
    names: page,
    link: (path) => (more ? { Link: nextPageLink(path, count, page.at(-1) as string) } : {}),
  };
}
