/** Names that the API knows, for whoever types one. */
import type { Api } from './api.ts';
import type { Expected, ExpectedValue } from './completion.ts';
import { parseRepository } from './repository.ts';

const limit = 100;

interface Typed {
  readonly text: string;
  /** The values before, by the names of what they are. */
  readonly before: ReadonlyMap<string, string>;
}

type Candidates = (api: Api, typed: Typed) => Promise<string[]>;

/** By the name that a declaration gives to a value. */
const candidates: Readonly<Record<string, Candidates>> = {
  account: accounts('all'),
  cache: async (api) => (await api.list('GET /api/v0/content_caches')).items.map(({ name }) => name),
  job: async (api) => {
    const { jobs } = await api.ask('GET /api/v0/jobs', { query: { limit } });
    return jobs.map(({ id }) => id);
  },
  namespace: accounts('all'),
  org: accounts('orgs'),
  repository: async (api, typed) => {
    if (!typed.text.includes('/')) return (await accounts('all')(api, typed)).map((name) => `${name}/`);
    const { items } = await api.list('GET /api/v0/repositories', { query: { query: typed.text } }, limit);
    return items.map(({ namespace, name }) => `${namespace}/${name}`);
  },
  rule: async (api) => {
    const { items } = await api.list('GET /api/v0/content_cache_rules', {}, limit);
    return items.map(({ network }) => network);
  },
  'rule-id': async (api) => (await api.ask('GET /api/v0/content_cache_prefetch_rules')).map(({ id }) => id),
  tag: tags,
  'tag|digest': tags,
  team: async (api, { before }) => {
    const orgname = before.get('org') ?? before.get('repository')?.split('/')[0];
    if (orgname === undefined) return [];
    const { items } = await api.list('GET /api/v0/accounts/{orgname}/teams', { path: { orgname } }, limit);
    return items.map(({ name }) => name);
  },
  token: async (api) => {
    const { items } = await api.list('GET /api/v0/api_tokens', {}, limit);
    return items.map(({ hashedToken }) => hashedToken.slice(0, 12));
  },
  user: accounts('users'),
};

/** @throws whatever the API throws */
export async function findCandidates(
  api: Api,
  { name, before }: ExpectedValue,
  text: string,
): Promise<string[]> {
  return (await candidates[name]?.(api, { text, before })) ?? [];
}

/** Whether the API is worth being asked. */
export function hasCandidates(expected: Expected): expected is ExpectedValue {
  return expected.kind === 'value' && expected.name in candidates;
}

function accounts(filter: 'all' | 'orgs' | 'users'): Candidates {
  return async (api, { text }) => {
    const { items } = await api.list('GET /api/v0/accounts', { query: { filter, query: text } }, limit);
    return items.map(({ name }) => name);
  };
}

async function tags(api: Api, { text, before }: Typed): Promise<string[]> {
  const path = parseRepository(before.get('repository') ?? '');
  const query = { query: text };
  const { items } = await api.list(
    'GET /api/v0/repositories/{namespace}/{reponame}/tags',
    { path, query },
    limit,
  );
  return items.map(({ name }) => name);
}
