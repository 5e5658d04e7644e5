/** Lists at the registry door: tags (end-8), referrers (end-12) and the catalog. */
import type { Digest } from '../../shared/distribution/digest.ts';
import { mediaTypes } from '../../shared/distribution/media-types.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import { listVisibleRepositories } from '../access/visible-repositories.ts';
import { findAccount } from '../accounts/accounts.ts';
import type { Database } from '../database.ts';
import { maximumManifestBytes } from '../images/manifest.ts';
import { listReferrers, type Referrer } from '../images/referrers.ts';
import { findRepository, getRepository } from '../images/repositories.ts';
import { listTags } from '../images/tags.ts';
import type { Authorizer } from './authorize.ts';
import {
  answer,
  answerJson,
  assertRead,
  type Exchange,
  nextPageLink,
  pageOf,
  queryValues,
} from './exchange.ts';

export class ListingHandlers {
  readonly #authorizer: Authorizer;
  readonly #database: Database;

  constructor(options: { authorizer: Authorizer; database: Database }) {
    this.#authorizer = options.authorizer;
    this.#database = options.database;
  }

  async tags(exchange: Exchange, repository: RepositoryName): Promise<void> {
    assertRead(exchange);
    await this.#authorizer.authorize(exchange, repository, 'pull');
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
    const repositories = await listPage(page.count, async (count) => {
      if (!reader?.isActive) return [];
      // No name goes on with a space: this is what comes right after the last one.
      const start = page.last === '' ? undefined : `${page.last} `;
      const { records } = await listVisibleRepositories(
        this.#database.queries,
        reader,
        {},
        { start, size: count },
      );
      return records.map(({ name }) => name);
    });
    answerJson(exchange, { repositories: repositories.names }, repositories.link('/v2/_catalog'));
  }

  /**
   * An index of the manifests whose subject is the digest; empty when there are none. A page has at most 4 MiB, the size
   * that clients must be able to read.
   */
  async referrers(exchange: Exchange, repository: RepositoryName, subject: Digest): Promise<void> {
    assertRead(exchange);
    await this.#authorizer.authorize(exchange, repository, 'pull');
    const [artifactType] = queryValues(exchange, 'artifactType');
    const filter = artifactType === undefined ? {} : { artifactType };
    const [last = ''] = queryValues(exchange, 'last');
    const found = await findRepository(this.#database.queries, repository);
    const page =
      found === undefined
        ? { descriptors: [], last: undefined }
        : await fillPage(listReferrers(this.#database.queries, found.id, subject, { last, ...filter }));
    answer(
      exchange,
      200,
      {
        'Content-Type': mediaTypes.ociIndex,
        'Cache-Control': 'no-store',
        ...(artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
        ...(page.last === undefined
          ? {}
          : nextPageLink(`/v2/${repository}/referrers/${subject}`, { ...filter, last: page.last })),
      },
      `${indexHead}${page.descriptors.join(',')}${indexTail}`,
    );
  }
}

const indexHead = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[`;
const indexTail = ']}';
const maximumDescriptorBytes = maximumManifestBytes - indexHead.length - indexTail.length - 1;

/** Descriptors as JSON until the page is full; `last` is set when there are more. */
async function fillPage(
  referrers: AsyncIterable<Referrer>,
): Promise<{ descriptors: string[]; last: string | undefined }> {
  const descriptors: string[] = [];
  let sizeBytes = indexHead.length + indexTail.length;
  let last: string | undefined;
  for await (const referrer of referrers) {
    let descriptor = JSON.stringify(referrer);
    // Too large even for a page of its own: who wants the annotations finds them in the manifest.
    if (Buffer.byteLength(descriptor) > maximumDescriptorBytes)
      descriptor = JSON.stringify({ ...referrer, annotations: undefined });
    sizeBytes += Buffer.byteLength(descriptor) + 1;
    if (sizeBytes > maximumManifestBytes) return { descriptors, last };
    descriptors.push(descriptor);
    last = referrer.digest;
  }
  return { descriptors, last: undefined };
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
    link: (path) => (more ? nextPageLink(path, { n: String(count), last: page.at(-1) as string }) : {}),
  };
}
