/** `/api/v0/repositories/{namespace}/{reponame}/tags`: names of images. */
import { Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { parseTag } from '../../shared/distribution/reference.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database } from '../database.ts';
import type { ImageFactsReader, PlatformFacts } from '../images/image-facts.ts';
import { findManifestDetails } from '../images/manifest-details.ts';
import { countTags, deleteTag, findTagDetails, listTagDetails } from '../images/tags.ts';
import { callerOf, eventContextOf } from './caller.ts';
import { toTag } from './image.ts';
import { pageOf, sendPageHeaders } from './paging.ts';
import { getRepositoryFor } from './repository.ts';

/** Reading an image takes longer than naming it. */
const maximumImagesOnPage = 100;

export function createTagRoutes(options: {
  database: Database;
  imageFacts: ImageFactsReader;
  clock: Clock;
}): Router {
  const { database, imageFacts, clock } = options;
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });

  routes.get('/api/v0/repositories/:namespace/:reponame/tags', async (request, response) => {
    const { id } = await getRepositoryFor(queries, callerOf(response), 'read-only', request.params);
    const { includeManifests, query: prefix = '' } = request.query as unknown as {
      includeManifests: boolean;
      query?: string;
    };
    const wanted = pageOf(request);
    const size = includeManifests ? Math.min(wanted.size, maximumImagesOnPage) : wanted.size;
    const page = await listTagDetails(queries, id, prefix, { ...wanted, size });
    await sendPageHeaders(request, response, page, () => countTags(queries, id, prefix));
    const digests = page.records.map(({ manifest }) => manifest.digest);
    const facts = await imageFacts.read(queries, id, includeManifests ? digests : []);
    response.json(page.records.map((tag) => toTag(tag, tag.manifest, facts.get(tag.manifest.digest))));
  });

  routes.get('/api/v0/repositories/:namespace/:reponame/tags/:tag', async (request, response) => {
    const { id } = await getRepositoryFor(queries, callerOf(response), 'read-only', request.params);
    const platform = request.query as { os?: string; arch?: string };
    const tag = await findTagDetails(queries, id, parseTag(request.params.tag));
    if (tag === undefined) throw noSuchTag(request.params.tag);
    const { digest } = tag.manifest;
    const facts = (await imageFacts.read(queries, id, [digest])).get(digest);
    if (facts?.platforms === undefined || (platform.os ?? platform.arch) === undefined) {
      response.json(isFor(platform, facts) ? [toTag(tag, tag.manifest, facts)] : []);
      return;
    }
    const image = facts.platforms.find((one) => isFor(platform, one));
    const manifest = image && (await findManifestDetails(queries, id, image.digest));
    if (manifest === undefined) {
      response.json([]);
      return;
    }
    const imageOnly = await imageFacts.read(queries, id, [manifest.digest]);
    response.json([toTag(tag, manifest, imageOnly.get(manifest.digest))]);
  });

  routes.delete('/api/v0/repositories/:namespace/:reponame/tags/:tag', async (request, response) => {
    await database.transaction(async (tx) => {
      const repository = await getRepositoryFor(tx, callerOf(response), 'read-write', request.params);
      const tag = parseTag(request.params.tag);
      const deleted = await deleteTag(tx, eventContextOf(response), repository, tag, clock());
      if (!deleted) throw noSuchTag(tag);
    });
    response.status(204).end();
  });

  return routes;
}

/** What is not asked for fits. */
function isFor(
  { os, arch }: { readonly os?: string; readonly arch?: string },
  image: Partial<Pick<PlatformFacts, 'os' | 'architecture'>> = {},
): boolean {
  return (os === undefined || os === image.os) && (arch === undefined || arch === image.architecture);
}

function noSuchTag(tag: string): DomainError {
  return new DomainError(
    'tag-unknown',
    'A tag with the given name does not exist for the given repository.',
    {
      detail: { tag: tag.slice(0, 129) },
    },
  );
}
