/** Lists of what is in repositories, and of who may do what in them: by indexes, in order, however long they are (I04). */
import { after, it } from 'node:test';
import {
  countAccess,
  countNamespaceAccess,
  listNamespaceAccess,
  listRepositoryAccess,
  listTeamAccess,
  listUserAccess,
} from '../../../src/origin/access/grants.ts';
import { findRepositoryLevel } from '../../../src/origin/access/rights.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { findImageSizes, findIndexSizes } from '../../../src/origin/images/image-sizes.ts';
import {
  countManifests,
  countReferrers,
  listAnnotatedReferrers,
  listManifests,
} from '../../../src/origin/images/manifest-details.ts';
import {
  findRepositoryDetails,
  listRepositorySummaries,
} from '../../../src/origin/images/repository-details.ts';
import { countTags, listTagDetails, listTags, listTagsOf } from '../../../src/origin/images/tags.ts';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import type { RepositoryName } from '../../../src/shared/distribution/repository-name.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
const page = { start: 'm', size: 10 };
const digest = digestOf(Buffer.from('image'));
const id = 'an id';
const account = { id, name: 'acme' } as never;
const repository = { id, name: 'acme/web' };
const team = { id } as never;

const facts = { id, namespaceId: 'other', visibility: 'private' } as const;

const lists: [what: string, work: () => Promise<unknown>][] = [
  ['tags', () => listTagDetails(queries, id, '1.', page)],
  ['tags at the registry', () => listTags(queries, id, { last: '1', count: 10 })],
  ['how many tags', () => countTags(queries, id, '1.')],
  ['tags of an image', () => listTagsOf(queries, id, digest, 10)],
  ['manifests', () => listManifests(queries, id, page)],
  ['how many manifests', () => countManifests(queries, id)],
  ['referrers', () => listAnnotatedReferrers(queries, id, digest, page)],
  ['how many referrers', () => countReferrers(queries, id, digest)],
  ['one repository', () => findRepositoryDetails(queries, repository.name as RepositoryName)],
  ['repositories by their ids', () => listRepositorySummaries(queries, [id, 'other'])],
  ['users with access to a repository', () => listUserAccess(queries, repository, page)],
  ['repositories of a team', () => listRepositoryAccess(queries, team, page)],
  ['how much access', () => countAccess(queries, 'users', id)],
  ['how much access of a team', () => countAccess(queries, 'repositories', id)],
  ['teams with access to a namespace', () => listNamespaceAccess(queries, account, account, page)],
  ['how many of them', () => countNamespaceAccess(queries, account)],
  ['what somebody may do in a repository', () => findRepositoryLevel(queries, account, facts)],
];
for (const [what, work] of lists) it(what, () => assertIndexed(queries, work));

const sorted: [what: string, work: () => Promise<unknown>][] = [
  // At most the teams of one organization.
  ['teams with access to a repository', () => listTeamAccess(queries, account, repository, account, page)],
  // At most the images of one page.
  ['sizes of images', () => findImageSizes(queries, id, [digest])],
  ['sizes of indexes', () => findIndexSizes(queries, id, [digest])],
];
for (const [what, work] of sorted) it(what, () => assertIndexed(queries, work, { sorts: true }));
