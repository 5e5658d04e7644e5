/** `/api/v0/repositories/{namespace}/{reponame}/manifests`: images and what refers to them, by digest. */
import { type Request, Router } from 'express';
import type { Clock } from '../../shared/clock.ts';
import { parseDigest } from '../../shared/distribution/digest.ts';
import { parseReference } from '../../shared/distribution/reference.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, Queryable } from '../database.ts';
import type { ImageFactsReader } from '../images/image-facts.ts';
import {
  countManifests,
  countReferrers,
  findAnnotations,
  findManifestDetails,
  listAnnotatedReferrers,
  listManifests,
  type ManifestDetails,
} from '../images/manifest-details.ts';
import { deleteManifest } from '../images/manifests.ts';
import { findTagDetails, listTagsOf } from '../images/tags.ts';
import type { Page } from '../paging.ts';
import { callerOf, eventContextOf } from './caller.ts';
import { toManifest } from './image.ts';
import { pageOf, sendPageHeaders } from './paging.ts';
import { getRepositoryFor } from './repository.ts';

/** Reading an image takes longer than naming it. */
const maximumImagesOnPage = 100;
const maximumTags = 100;

export function createManifestRoutes(options: {
  database: Database;
  imageFacts: ImageFactsReader;
  clock: Clock;
}): Router {
  const { database, imageFacts, clock } = options;
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });
  const path = '/api/v0/repositories/:namespace/:reponame/manifests';

  routes.get(path, async (request, response) => {
    const { id } = await getRepositoryFor(queries, callerOf(response), 'read-only', request.params);
    const page = await listManifests(queries, id, imagePageOf(request));
    await sendPageHeaders(request, response, page, () => countManifests(queries, id));
    const digests = page.records.map(({ digest }) => digest);
    const facts = await imageFacts.read(queries, id, digests);
    response.json(page.records.map((manifest) => toManifest(manifest, facts.get(manifest.digest))));
  });

  routes.get(`${path}/:reference`, async (request, response) => {
    const { id } = await getRepositoryFor(queries, callerOf(response), 'read-only', request.params);
    const manifest = await getManifest(queries, id, request.params.reference);
    const { digest } = manifest;
    const facts = await imageFacts.read(queries, id, [digest]);
    response.json({
      ...toManifest(manifest, facts.get(digest)),
      annotations: await findAnnotations(queries, id, digest),
      tags: await listTagsOf(queries, id, digest, maximumTags),
      referrersCount: await countReferrers(queries, id, digest),
    });
  });

  routes.get(`${path}/:reference/referrers`, async (request, response) => {
    const { id } = await getRepositoryFor(queries, callerOf(response), 'read-only', request.params);
    const { digest } = await getManifest(queries, id, request.params.reference);
    const page = await listAnnotatedReferrers(queries, id, digest, imagePageOf(request));
    await sendPageHeaders(request, response, page, () => countReferrers(queries, id, digest));
    const facts = await imageFacts.read(
      queries,
      id,
      page.records.map((referrer) => referrer.digest),
    );
    response.json(
      page.records.map(({ annotations, ...referrer }) => ({
        ...toManifest(referrer, facts.get(referrer.digest)),
        annotations,
      })),
    );
  });

  routes.delete(`${path}/:reference`, async (request, response) => {
    await database.transaction(async (tx) => {
      const repository = await getRepositoryFor(tx, callerOf(response), 'read-write', request.params);
      // By digest only: a tag is deleted where tags are.
      const digest = parseDigest(request.params.reference);
      const deleted = await deleteManifest(tx, eventContextOf(response), repository, digest, clock());
      if (!deleted) throw noSuchManifest();
    });
    response.status(204).end();
  });

  return routes;
}

function imagePageOf(request: Request): Page {
  const { start, size } = pageOf(request);
  return { start, size: Math.min(size, maximumImagesOnPage) };
}

/** @throws DomainError `manifest-unknown`, `digest-invalid`, `tag-invalid` */
async function getManifest(
  queries: Queryable,
  repositoryId: string,
  reference: string,
): Promise<ManifestDetails> {
  const parsed = parseReference(reference);
  const manifest =
    'tag' in parsed
      ? (await findTagDetails(queries, repositoryId, parsed.tag))?.manifest
      : await findManifestDetails(queries, repositoryId, parsed.digest);
  if (manifest === undefined) throw noSuchManifest();
  return manifest;
}

function noSuchManifest(): DomainError {
  return new DomainError(
    'manifest-unknown',
    'A manifest with the given reference does not exist for the given repository.',
  );
}
