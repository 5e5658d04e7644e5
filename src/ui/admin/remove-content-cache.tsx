/** Removing a content cache: who uses it, and what follows. */
import { useQueryClient } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { type ContentCache, cachesQuery } from '../content-caches/caches.ts';
import { say } from '../shell/announcements.ts';
import { UsesOfCache } from './uses-of-cache.tsx';

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
          <UsesOfCache id={cache.id} />
          <li>
            <span>Nobody is sent to it any more, from the next pull on. Running pulls are not cut off.</span>
          </li>
          <li>
            <span>
              Whoever chose it becomes “Automatic”: rules and defaults decide, down to this registry itself.
            </span>
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
