/** What of the first pull is done, as the API tells: asked again and again, so that each step is noticed by itself. */
import { useQuery } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { type ContentCache, cachesQuery } from '../content-caches/caches.ts';
import { useExplanation } from '../content-caches/explanation.tsx';
import { settingsQuery } from '../profile/account-settings.ts';
import { useAccount } from '../session/session.ts';

export interface Progress {
  readonly caches: readonly ContentCache[];
  /** The cache that the user's pulls go to. */
  readonly chosen: Schemas['ContentCacheReference'] | undefined;
  /** When docker last signed in. */
  readonly signedInAt: string | undefined;
  readonly pushed: Schemas['Repository'] | undefined;
  readonly pulled: Schemas['Repository'] | undefined;
  /** The repository of which the chosen cache gave something, as it told the origin. */
  readonly served: string | undefined;
}

const askAgainMs = 2_500;
/** Who comes back weeks later is not led through it again. */
const servedWithinMs = 60 * 86_400_000;

/** `undefined` until all of it is known. */
export function useProgress(username: string): {
  progress: Progress | undefined;
  error: unknown;
  retry: () => void;
} {
  const caches = useQuery({ ...cachesQuery, refetchInterval: askAgainMs });
  const settings = useQuery({ ...settingsQuery(username), refetchInterval: askAgainMs });
  const explanation = useExplanation(username, { refetchInterval: askAgainMs });
  const signIns = useQuery({
    queryKey: ['events', 'sign-ins', username],
    queryFn: () =>
      dataOf(
        api.GET('/api/v0/events', {
          params: { query: { actorId: username, eventType: 'LOGIN', outcome: 'done', pageSize: 50 } },
        }),
      ),
    refetchInterval: askAgainMs,
  });
  const repositories = useQuery({
    queryKey: ['repositories', 'getting-started'],
    queryFn: () => dataOf(api.GET('/api/v0/repositories', { params: { query: { pageSize: 50 } } })),
    refetchInterval: askAgainMs,
  });
  // Rules and defaults may decide, too; what they say is known once there is something to pull.
  const chosen =
    explanation?.contentCache ?? caches.data?.find(({ id }) => id === settings.data?.contentCacheUUID);
  const served = useServed(chosen?.id);
  const all = [caches, settings, signIns, repositories];
  const error = all.find((query) => query.isError)?.error ?? undefined;
  const retry = () => {
    for (const query of all) query.refetch();
  };
  if (!caches.data || !settings.data || !signIns.data || !repositories.data) {
    return { progress: undefined, error, retry };
  }
  const { repositories: found } = repositories.data;
  const progress = {
    caches: caches.data,
    chosen,
    signedInAt: signIns.data.events.find(({ door }) => door === 'token')?.publishedAt,
    pushed: found.find(({ pushes }) => pushes > 0),
    pulled: found.find(({ pulls, pushes }) => pushes > 0 && pulls > 0),
    served,
  };
  return { progress, error: undefined, retry };
}

/** Caches tell it when the origin looks at them, which may be a minute later. For admins, who alone may know. */
function useServed(cacheId: string | undefined): string | undefined {
  const { isAdmin } = useAccount();
  const usage = useQuery({
    queryKey: ['content-cache-usage', cacheId, 'served'],
    queryFn: () =>
      dataOf(
        api.GET('/api/v0/content_caches/{contentcacheuuid}/usage', {
          params: {
            path: { contentcacheuuid: cacheId ?? '' },
            query: {
              by: 'repository',
              from: earliestServed(new Date()),
              limit: 100,
            },
          },
        }),
      ),
    enabled: isAdmin && cacheId !== undefined,
    refetchInterval: askAgainMs,
  });
  return usage.data?.usage.find(({ hits, misses }) => hits + misses > 0)?.group;
}

function earliestServed(now: Date): string {
  return new Date(now.getTime() - servedWithinMs).toISOString();
}
