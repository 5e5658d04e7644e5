/** Changes that are shown before the server has answered. */
import type { QueryClient, QueryKey } from '@tanstack/react-query';

/**
 * For a mutation of what a query reads: what it will be is shown at once, and again as it was when it fails. The server has the
 * last word: it is read again once no change of it is on its way.
 */
export function shownAtOnce<Data, Change>(
  queryClient: QueryClient,
  queryKey: QueryKey,
  apply: (data: Data, change: Change) => Data,
) {
  return {
    mutationKey: queryKey,
    onMutate: async (change: Change): Promise<{ before: Data | undefined }> => {
      await queryClient.cancelQueries({ queryKey });
      const before = queryClient.getQueryData<Data>(queryKey);
      if (before !== undefined) queryClient.setQueryData<Data>(queryKey, apply(before, change));
      return { before };
    },
    onError: (_error: unknown, _change: Change, kept: { before: Data | undefined } | undefined) => {
      if (kept?.before !== undefined) queryClient.setQueryData<Data>(queryKey, kept.before);
    },
    onSettled: async () => {
      if (queryClient.isMutating({ mutationKey: queryKey }) > 1) return;
      await queryClient.invalidateQueries({ queryKey });
    },
  };
}
