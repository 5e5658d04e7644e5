/** What of the first pull is done, as the API tells: asked again and again, so that each step is noticed by itself. */
import { useQuery } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { type ContentCache, cachesQuery } from '../content-caches/caches.ts';
import { useExplanation } from '../content-caches/explanation.tsx';
import { settingsQuery } from '../profile/account-settings.ts';

export interface Progress {
  readonly caches: readonly ContentCache[];
  /** The cache that the user's pulls go to. */
  readonly chosen: Schemas['ContentCacheReference'] | undefined;
  /** When docker last signed in. */
  readonly signedInAt: string | undefined;
  readonly pushed: Schemas['Repository'] | undefined;
  readonly pulled: Schemas['Repository'] | undefined;
}

const askAgainMs = 2_500;

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
    // Rules and defaults may decide, too; what they say is known once there is something to pull.
    chosen: explanation?.contentCache ?? caches.data.find(({ id }) => id === settings.data.contentCacheUUID),
    signedInAt: signIns.data.events.find(({ door }) => door === 'token')?.publishedAt,
    pushed: found.find(({ pushes }) => pushes > 0),
    pulled: found.find(({ pulls, pushes }) => pushes > 0 && pulls > 0),
  };
  return { progress, error: undefined, retry };
}
