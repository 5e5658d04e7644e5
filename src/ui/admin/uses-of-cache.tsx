/** What leads to a content cache: whose settings name it, which rules, the system; and who pulled through it lately. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, pageOf } from '../api/client.ts';
import { Name } from '../components/dialog.tsx';
import { plural } from '../components/numbers.ts';

/** So many are named, the others counted. */
const named = 6;

const lately = 30 * 86_400_000;

/** Lines of a list. What is not known yet, or cannot be, is said: nobody removes a cache because a list was empty too early. */
export function UsesOfCache({ id }: { id: string }) {
  const uses = useQuery({ queryKey: ['content-cache-uses', id], queryFn: () => readUses(id), staleTime: 0 });
  if (uses.isError) return <Line>Who uses it is not known: {describeError(uses.error)}</Line>;
  if (uses.isPending) return <Line>Looking who uses it…</Line>;
  const { chosenBy, networks, prefetches, isDefault, pulledBy } = uses.data;
  return (
    <>
      {isDefault && <Line>It is the system’s default.</Line>}
      <Line>
        {chosenBy.total === 0 ? (
          'Nobody’s settings name it.'
        ) : (
          <>
            The settings of {plural(chosenBy.total, 'account')} name it: <Names {...chosenBy} />
          </>
        )}
      </Line>
      {networks.total > 0 && (
        <Line>
          {plural(networks.total, 'network rule')} {networks.total === 1 ? 'goes' : 'go'} with it:{' '}
          <Names {...networks} />
        </Line>
      )}
      {prefetches.total > 0 && (
        <Line>
          {plural(prefetches.total, 'prefetch rule')} {prefetches.total === 1 ? 'names' : 'name'} it:{' '}
          <Names {...prefetches} />
        </Line>
      )}
      <Line>
        {pulledBy.total === 0 ? (
          'Nobody pulled through it in the last 30 days.'
        ) : (
          <>
            {plural(pulledBy.total, 'user')} pulled through it in the last 30 days: <Names {...pulledBy} />
          </>
        )}
      </Line>
    </>
  );
}

interface Named {
  readonly names: readonly string[];
  readonly total: number;
}

async function readUses(id: string) {
  const path = { contentcacheuuid: id };
  const page = { pageSize: named, count: true };
  const [accounts, rules, prefetchRules, settings, usage] = await Promise.all([
    pageOf(
      api.GET('/api/v0/content_caches/{contentcacheuuid}/users', {
        params: { path, query: page },
      }),
    ),
    pageOf(api.GET('/api/v0/content_cache_rules', { params: { query: { contentCacheUUID: id, ...page } } })),
    dataOf(api.GET('/api/v0/content_cache_prefetch_rules')),
    dataOf(api.GET('/api/v0/meta/settings')),
    dataOf(
      api.GET('/api/v0/content_caches/{contentcacheuuid}/usage', {
        params: {
          path,
          query: { by: 'user', from: new Date(Date.now() - lately).toISOString(), limit: 100 },
        },
      }),
    ),
  ]);
  const prefetches = prefetchRules
    .filter(({ contentCaches }) => contentCaches.includes(id))
    .map(({ repository, tag }) => `${repository}:${tag}`);
  const pulledBy = usage.usage.map(({ group }) => group).filter((name) => name !== '');
  return {
    isDefault: settings.defaultContentCacheUUID === id,
    chosenBy: { names: accounts.data.accounts.map(({ name }) => name), total: accounts.total ?? 0 },
    networks: { names: rules.data.map(({ network }) => network), total: rules.total ?? 0 },
    prefetches: { names: prefetches, total: prefetches.length },
    pulledBy: { names: pulledBy, total: pulledBy.length },
  };
}

function Names({ names, total }: Named) {
  return (
    <>
      <Name>{names.slice(0, named).join(', ')}</Name>
      {total > named && ` and ${total - named} more`}
    </>
  );
}

function Line({ children }: { children: ReactNode }) {
  return (
    <li>
      <span>{children}</span>
    </li>
  );
}
