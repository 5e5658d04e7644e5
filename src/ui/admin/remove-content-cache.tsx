/** Removing a content cache: who uses it, and what follows. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { plural } from '../components/numbers.ts';
import { type ContentCache, cachesQuery } from '../content-caches/caches.ts';
import { say } from '../shell/announcements.ts';

export function RemoveContentCache({
  cache,
  open,
  onClose,
  onRemoved,
}: {
  cache: ContentCache;
  open: boolean;
  onClose: () => void;
  onRemoved?: () => void;
}) {
  const queryClient = useQueryClient();
  return (
    <ConfirmByName
      open={open}
      onClose={onClose}
      title={
        <>
          Remove <Name>{cache.name}</Name>
        </>
      }
      name={cache.name}
      action="Remove cache"
      consequences={
        <>
          <Uses cache={cache} />
          <li>
            <span>Nobody is sent to it any more, from the next pull on. Pulls that run are not cut off.</span>
          </li>
          <li>
            <span>Whoever had chosen it is served by what comes next, down to this registry itself.</span>
          </li>
          <li>
            <span>The cache itself goes on running: stop it on its own machine.</span>
          </li>
        </>
      }
      onConfirm={async () => {
        await dataOf(
          api.DELETE('/api/v0/content_caches/{contentcacheuuid}', {
            params: { path: { contentcacheuuid: cache.id } },
          }),
        );
        say(`Removed ${cache.name}`);
        onRemoved?.();
        await queryClient.invalidateQueries({ queryKey: cachesQuery.queryKey });
      }}
    />
  );
}

/** Who pulled through it lately, and which rules name it. Mounted with the dialog. */
function Uses({ cache }: { cache: ContentCache }) {
  const usage = useQuery({
    queryKey: ['content-cache-usage', cache.id, 'month', 'user'],
    queryFn: () =>
      dataOf(
        api.GET('/api/v0/content_caches/{contentcacheuuid}/usage', {
          params: {
            path: { contentcacheuuid: cache.id },
            query: { by: 'user', from: new Date(Date.now() - 30 * 86_400_000).toISOString(), limit: 100 },
          },
        }),
      ),
  });
  const rules = useQuery({
    queryKey: ['network-rules', 'all'],
    queryFn: () => dataOf(api.GET('/api/v0/content_cache_rules', { params: { query: { pageSize: 1000 } } })),
  });
  const users = usage.data?.usage.map(({ group }) => group).filter((name) => name !== '') ?? [];
  const networks = rules.data?.filter((rule) => rule.contentCacheUUID === cache.id) ?? [];
  return (
    <>
      {usage.data && (
        <li>
          <span>
            {users.length === 0 ? (
              'Nobody pulled through it in the last 30 days.'
            ) : (
              <>
                {plural(users.length, 'user')} pulled through it in the last 30 days:{' '}
                <Name>{users.slice(0, 6).join(', ')}</Name>
                {users.length > 6 && ` and ${users.length - 6} more`}.
              </>
            )}
          </span>
        </li>
      )}
      {networks.length > 0 && (
        <li>
          <span>
            {plural(networks.length, 'network rule')} {networks.length === 1 ? 'names' : 'name'} it:{' '}
            <Name>
              {networks
                .slice(0, 6)
                .map(({ network }) => network)
                .join(', ')}
            </Name>
          </span>
        </li>
      )}
    </>
  );
}
