/** What is asked of a large company's origin. */
import { systemClock } from '../src/shared/clock.ts';
import {
  idOf,
  imageOfLargest,
  largeOrganizationOf,
  largestOf,
  organizationName,
  repositoryName,
  type Sizes,
  shortName,
  teamOfAll,
  userName,
} from './lists-company.ts';

/** Who asks: an admin, a user of many teams, of one that has very many repositories, with very many of their own, a robot that does a quarter of everything, and one like most. */
export const callers = {
  admin: 'admin',
  manyTeams: userName(0),
  bigTeam: userName(1),
  manyGrants: userName(2),
  robot: userName(3),
  plain: userName(77),
};
type Caller = keyof typeof callers;

type Random = (below: number) => number;

export interface Question {
  readonly what: string;
  readonly caller: Caller;
  /** Below `/api/v0`, or a path of the registry or the token server. */
  readonly path: (random: Random) => string;
}

const everybody: readonly Caller[] = ['admin', 'manyTeams', 'bigTeam', 'manyGrants', 'plain'];
export function questionsOf(sizes: Sizes): readonly Question[] {
  const [largest, largeOrganization] = [largestOf(sizes), largeOrganizationOf(sizes)];
  const anyRepository = (random: Random) => repositoryName(sizes, random(sizes.repositories - 1));
  const anyOrganization = (random: Random) => organizationName(random(sizes.organizations));
  const tagsOfLargest = `/repositories/${largest}/tags`;
  const imagesOfLargest = `/repositories/${largest}/manifests`;
  const tagAt = (random: Random) => `v${String(random(sizes.tagsOfLargest)).padStart(6, '0')}`;
  return [
    ...everybody.flatMap((caller): Question[] => [
      { what: 'repositories, first page', caller, path: () => '/repositories' },
      {
        what: 'repositories, any page of 100',
        caller,
        path: (random) => `/repositories?pageSize=100&pageStart=${anyRepository(random)}`,
      },
      { what: 'repositories, counted', caller, path: () => '/repositories?count=true' },
      {
        what: 'repositories with something in the name',
        caller,
        path: (random) => `/repositories?query=${random(100_000)}`,
      },
      {
        what: 'repositories with what is in no name',
        caller,
        path: (random) => `/repositories?query=none${random(1000)}`,
      },
      {
        what: 'repositories of an organization',
        caller,
        path: (random) => `/repositories/${anyOrganization(random)}?count=true`,
      },
      { what: 'autocomplete', caller, path: (random) => `/index/autocomplete?query=org-0${random(10)}` },
      { what: 'search', caller, path: (random) => `/index/dockersearch?q=ervice ${random(100_000)}` },
      {
        what: 'search for what is nowhere',
        caller,
        path: (random) => `/index/dockersearch?q=none${random(1000)}`,
      },
      { what: 'catalog, page of 1,000', caller, path: () => '/v2/_catalog' },
    ]),
    { what: 'repositories, page of 1,000', caller: 'admin', path: () => '/repositories?pageSize=1000' },
    {
      what: 'tags, any page',
      caller: 'plain',
      path: (random) => `${tagsOfLargest}?pageStart=${tagAt(random)}`,
    },
    {
      what: 'tags, page of 1,000',
      caller: 'plain',
      path: (random) => `${tagsOfLargest}?pageSize=1000&pageStart=${tagAt(random)}`,
    },
    { what: 'tags, counted', caller: 'plain', path: () => `${tagsOfLargest}?count=true` },
    {
      what: 'tags that begin with something',
      caller: 'plain',
      path: (random) => `${tagsOfLargest}?query=v0${random(100)}&count=true`,
    },
    {
      what: 'tags with their images',
      caller: 'plain',
      path: (random) => `${tagsOfLargest}?includeManifests=true&pageStart=${tagAt(random)}`,
    },
    {
      what: 'tags with their images, page of 100',
      caller: 'plain',
      path: (random) => `${tagsOfLargest}?includeManifests=true&pageSize=100&pageStart=${tagAt(random)}`,
    },
    { what: 'one tag', caller: 'plain', path: (random) => `${tagsOfLargest}/${tagAt(random)}` },
    {
      what: 'tags at the registry, page of 1,000',
      caller: 'plain',
      path: (random) => `/v2/${largest}/tags/list?n=1000&last=${tagAt(random)}`,
    },
    {
      what: 'manifests, any page',
      caller: 'plain',
      path: (random) => `${imagesOfLargest}?pageStart=${imageOfLargest(random(sizes.imagesOfLargest))}`,
    },
    {
      what: 'manifests, page of 100, counted',
      caller: 'plain',
      path: (random) =>
        `${imagesOfLargest}?pageSize=100&count=true&pageStart=${imageOfLargest(random(sizes.imagesOfLargest))}`,
    },
    {
      what: 'one manifest',
      caller: 'plain',
      path: (random) => `${imagesOfLargest}/${imageOfLargest(random(sizes.imagesOfLargest))}`,
    },
    {
      what: 'referrers, any page of 100, counted',
      caller: 'plain',
      path: (random) =>
        `${imagesOfLargest}/${imageOfLargest(0)}/referrers?pageSize=100&count=true&pageStart=${imageOfLargest(random(sizes.imagesOfLargest))}`,
    },
    { what: 'one repository', caller: 'admin', path: (random) => `/repositories/${anyRepository(random)}` },
    {
      what: 'teams with access to a repository',
      caller: 'admin',
      path: (random) => `/repositories/${anyRepository(random)}/teamAccess?count=true`,
    },
    {
      what: 'users with access to a repository',
      caller: 'admin',
      path: (random) =>
        `/repositories/${largest}/userAccess?count=true&pageStart=${userName(random(sizes.users))}`,
    },
    {
      what: 'repositories of a team',
      caller: 'bigTeam',
      path: (random) =>
        `/accounts/${largeOrganization}/teams/team-0/repositoryAccess?count=true&pageStart=${largeOrganization}/${shortName(random(sizes.repositories))}`,
    },
    {
      what: 'teams with access to a namespace',
      caller: 'admin',
      path: (random) => `/repositoryNamespaces/${anyOrganization(random)}/teamAccess?count=true`,
    },
    {
      what: 'access of a user to a repository',
      caller: 'admin',
      path: (random) => `/accounts/${userName(3 + random(sizes.users - 3))}/repositoryAccess/${largest}`,
    },
    {
      what: 'content caches, page of 1,000',
      caller: 'plain',
      path: (random) => `/content_caches?count=true&pageStart=office ${random(sizes.caches)}`,
    },
    {
      what: 'accounts, any page of 100, counted',
      caller: 'plain',
      path: (random) => `/accounts?pageSize=100&count=true&pageStart=${userName(random(sizes.users))}`,
    },
    {
      what: 'members of an organization',
      caller: 'admin',
      path: (random) => `/accounts/${anyOrganization(random)}/members?count=true`,
    },
    {
      what: 'teams of an organization',
      caller: 'admin',
      path: (random) => `/accounts/${anyOrganization(random)}/teams?count=true`,
    },
    // Events: everybody's for an admin, each one's own for others.
    ...(['admin', 'robot', 'plain'] as const).flatMap((caller): Question[] => [
      { what: 'events, first page', caller, path: () => '/events?pageSize=100' },
      {
        what: 'events, any page of 100',
        caller,
        path: (random) => `/events?pageSize=100&pageStart=${1 + random(sizes.events)}`,
      },
      { what: 'events, counted', caller, path: () => '/events?count=true' },
      {
        what: 'events of a time, counted',
        caller,
        path: (random) => `/events?count=true&publishedAfter=${daysAgo(1 + random(89))}`,
      },
      { what: 'events of a type, counted', caller, path: () => '/events?count=true&eventType=PUSH' },
      { what: 'refusals, counted', caller, path: () => '/events?count=true&outcome=refused' },
      { what: 'what was done, counted', caller, path: () => '/events?count=true&outcome=done' },
      {
        what: 'refusals of a type and a time, counted',
        caller,
        path: (random) =>
          `/events?count=true&outcome=refused&eventType=PUSH&publishedBefore=${daysAgo(random(90))}`,
      },
    ]),
    {
      what: 'events of a robot, counted',
      caller: 'admin',
      path: () => `/events?count=true&actorId=${callers.robot}`,
    },
    {
      what: 'events of a robot and a type, counted',
      caller: 'admin',
      path: () => `/events?count=true&eventType=PUSH&outcome=done&actorId=${idOf(callers.robot)}`,
    },
    {
      what: 'events of an object, counted',
      caller: 'admin',
      path: (random) => `/events?count=true&objectName=${anyRepository(random)}:v1`,
    },
    { what: 'access tokens, counted', caller: 'manyTeams', path: () => '/api_tokens?count=true' },
    {
      what: 'access tokens of a user',
      caller: 'admin',
      path: (random) => `/api_tokens?count=true&username=${userName(random(sizes.users))}`,
    },
    {
      what: 'content caches, page of 10',
      caller: 'admin',
      path: (random) => `/content_caches?pageSize=10&pageStart=office ${random(sizes.caches)}`,
    },
    {
      what: 'users of a content cache',
      caller: 'admin',
      path: (random) => `/content_caches/${idOf(`cache ${random(sizes.caches)}`)}/users?count=true`,
    },
    {
      what: 'users of a content cache that a quarter chose, page of 1,000',
      caller: 'admin',
      path: (random) =>
        `/content_caches/${idOf('cache 1')}/users?count=true&pageSize=1000&pageStart=${userName(random(sizes.users))}`,
    },
    {
      what: 'network rules, page of 100',
      caller: 'admin',
      path: (random) =>
        `/content_cache_rules?pageSize=100&count=true&pageStart=10.${random(sizes.rules) >> 8}.0.0/24`,
    },
    {
      what: 'network rules of a cache',
      caller: 'admin',
      path: (random) =>
        `/content_cache_rules?count=true&contentCacheUUID=${idOf(`cache ${random(sizes.caches)}`)}`,
    },
    { what: 'jobs, first page', caller: 'admin', path: () => '/jobs' },
    { what: 'jobs, any page', caller: 'admin', path: (random) => `/jobs?start=${random(sizes.jobs)}` },
    {
      what: 'jobs of an action',
      caller: 'admin',
      path: (random) => `/jobs?action=content-cache-purge&start=${random(sizes.jobs)}`,
    },
    {
      what: 'jobs of an action that none has',
      caller: 'admin',
      path: () => '/jobs?action=content-cache-prefetch',
    },
    { what: 'jobs that run', caller: 'admin', path: () => '/jobs?running=true' },
    { what: 'jobs of an origin', caller: 'admin', path: (random) => `/jobs?worker=${idOf(`${random(9)}`)}` },
    { what: 'a job at every cache', caller: 'admin', path: () => `/jobs/${idOf('job 0')}` },
    { what: 'prefetch rules', caller: 'admin', path: () => '/content_cache_prefetch_rules' },
    {
      what: 'organizations of a user',
      caller: 'admin',
      path: (random) => `/accounts/${userName(random(sizes.users))}/organizations?count=true`,
    },
    {
      what: 'organizations of a user of a hundred',
      caller: 'manyTeams',
      path: () => `/accounts/${callers.manyTeams}/organizations?count=true`,
    },
    {
      what: 'members of a team',
      caller: 'admin',
      path: (random) => `/accounts/${anyOrganization(random)}/teams/team-${random(10)}/members?count=true`,
    },
    {
      what: 'members of a team of 10,000, page of 1,000',
      caller: 'admin',
      path: (random) =>
        `/accounts/${largeOrganization}/teams/team-${teamOfAll}/members?count=true&pageSize=1000&pageStart=${userName(random(sizes.users))}`,
    },
    {
      what: 'members of an organization of 10,000, page of 100',
      caller: 'admin',
      path: (random) =>
        `/accounts/${largeOrganization}/members?count=true&pageSize=100&pageStart=${userName(random(sizes.users))}`,
    },
    {
      what: 'explaining the choice of a cache',
      caller: 'admin',
      path: (random) =>
        `/content_cache_choice?username=${userName(random(sizes.users))}&address=10.0.${random(200)}.1&repository=${largest}`,
    },
    ...(['admin', 'plain', 'manyTeams', 'manyGrants'] as const).map(
      (caller): Question => ({
        what: 'token for a repository',
        caller,
        path: (random) => `/auth/token?scope=repository:${anyRepository(random)}:pull,push`,
      }),
    ),
  ];
}

/** In a company whose events go back a quarter of a year. */
function daysAgo(days: number): string {
  return new Date(systemClock() - days * 86_400_000).toISOString();
}
