/** A large company and a small one: how much each has of what, and how everything is named. */
import { createHash } from 'node:crypto';

export interface Sizes {
  readonly caches: number;
  readonly users: number;
  readonly organizations: number;
  /** Of each organization but the last, which has what is left of all repositories. */
  readonly repositoriesOfOrganization: number;
  readonly repositories: number;
  /** In one repository. */
  readonly tagsOfLargest: number;
  readonly imagesOfLargest: number;
  /** Given to users of one repository, and to one user. */
  readonly grants: number;
  /** Of one user; every other one has two. */
  readonly tokens: number;
  readonly rules: number;
  /** The newest one at every cache. */
  readonly jobs: number;
  readonly prefetchRules: number;
  readonly events: number;
}

/** 1,000,000 tags: nine in each repository, and 100,000 in one. */
export const largeSizes: Sizes = {
  caches: 10_000,
  users: 10_000,
  organizations: 1_000,
  repositoriesOfOrganization: 80,
  repositories: 100_000,
  tagsOfLargest: 100_000,
  imagesOfLargest: 10_000,
  grants: 10_000,
  tokens: 1_000,
  rules: 10_000,
  jobs: 10_000,
  prefetchRules: 1_000,
  events: 1_000_000,
};

export const smallSizes: Sizes = {
  caches: 10,
  users: 100,
  organizations: 10,
  repositoriesOfOrganization: 8,
  repositories: 100,
  tagsOfLargest: 100,
  imagesOfLargest: 10,
  grants: 100,
  tokens: 10,
  rules: 10,
  jobs: 10,
  prefetchRules: 10,
  events: 100,
};

export const teamsOfOrganization = 10;
export const tagsOfRepository = 9;
/** Of the largest organization; it has access to nothing. */
export const teamOfAll = 5;

export const organizationName = (n: number) => `org-${String(n).padStart(4, '0')}`;
export const shortName = (n: number) => `service-${String(n).padStart(6, '0')}`;
export const userName = (n: number) => `user-${String(n).padStart(5, '0')}`;
export const largeOrganizationOf = ({ organizations }: Sizes) => organizationName(organizations - 1);
export const repositoryName = (sizes: Sizes, n: number) =>
  `${organizationName(Math.min(Math.floor(n / sizes.repositoriesOfOrganization), sizes.organizations - 1))}/${shortName(n)}`;
export const largestOf = (sizes: Sizes) => repositoryName(sizes, sizes.repositories - 1);
/** Ids are as random as those that the origin makes. */
export function idOf(text: string): string {
  const hex = hashOf(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
export const teamOf = (organization: string, team: number) => idOf(`${idOf(organization)}-${team}`);
export const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
export const digestOf = (text: string) => `sha256:${hashOf(text)}`;
/** Of which all images are made. */
export const blobsOfAll = 1_000;
export const blobOfLargest = (n: number) => digestOf(`blob ${n}`);
export const imageOfLargest = (n: number) => digestOf(`large ${n}`);
