/** `dtr cache users`: whose settings name a content cache; and in words, for who is about to remove it, all that leads to it. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import type { Api } from '../api.ts';
import { type Asking, verb } from '../command.ts';
import { findCache } from '../content-caches.ts';
import { type View, yesNo } from '../output.ts';

const chosenBy = 'GET /api/v0/content_caches/{contentcacheuuid}/users';
/** More than these are others. */
const named = 6;

const view: View<components['schemas']['Account']> = {
  id: ({ name }) => name,
  columns: [
    ['Name', ({ name }) => name],
    ['Full name', ({ fullName }) => fullName],
    ['Kind', ({ isOrg }) => (isOrg ? 'organization' : 'user')],
    ['Active', ({ isActive }) => yesNo(isActive)],
  ],
};

export function addCacheUsersCommand(caches: Command, asking: Asking): void {
  verb(caches, 'users <cache>', 'list the users and organizations that chose one').action(
    asking(async ({ api, output }, cache: string) => {
      const { id } = await findCache(api, cache);
      output.list(await api.list(chosenBy, { path: { contentcacheuuid: id } }), view);
    }),
  );
}

/** Predicates of the cache; none: nothing leads to it. */
export async function describeUses(api: Api, id: string): Promise<string[]> {
  const [accounts, rules, prefetchRules, settings] = await Promise.all([
    api.list(chosenBy, { path: { contentcacheuuid: id } }, named + 1),
    api.list('GET /api/v0/content_cache_rules', { query: { contentCacheUUID: id } }, named + 1),
    api.ask('GET /api/v0/content_cache_prefetch_rules'),
    api.ask('GET /api/v0/meta/settings'),
  ]);
  const fetching = prefetchRules.filter(({ contentCaches }) => contentCaches.includes(id));
  return [
    ...(settings.defaultContentCacheUUID === id ? ["is the system's default"] : []),
    ...said(
      'is chosen by',
      accounts.items.map(({ name }) => name),
    ),
    ...said(
      'serves by network rules',
      rules.items.map(({ network }) => network),
    ),
    ...said(
      'is named by prefetch rules for',
      fetching.map(({ repository, tag }) => `${repository}:${tag}`),
    ),
  ];
}

function said(words: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const others = names.length > named ? ' and others' : '';
  return [`${words} ${names.slice(0, named).join(', ')}${others}`];
}
