/** Signing in and out, and who is signed in. */
import { queryOptions, useMutation, useQuery } from '@tanstack/react-query';
import { ApiError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import { type Session, sessionStore } from './session-store.ts';

/** `null` when nobody is signed in. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<Session | null> => {
    try {
      const session = await dataOf(api.GET('/api/v0/session'));
      sessionStore.begin(session);
      return session;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

/** @throws ApiError */
export async function signIn(username: string, password: string): Promise<void> {
  const before = sessionStore.current?.account.id;
  const session = await dataOf(api.POST('/api/v0/session', { body: { username, password } }));
  if (before !== undefined && before !== session.account.id) {
    // Somebody else: nothing of what was read and typed is theirs.
    location.assign('/');
    return;
  }
  sessionStore.begin(session);
  queryClient.setQueryData(sessionQuery.queryKey, session);
}

/** Who is signed in. Only below the shell, which shows nothing before it is known. */
export function useAccount(): Schemas['Account'] {
  const { data } = useQuery(sessionQuery);
  if (data === null || data === undefined) throw new Error('used before anybody signed in');
  return data.account;
}

/** Ends with another document, so that nothing of what was read and typed is left in this one. */
export function useSignOut() {
  return useMutation({
    mutationFn: () => dataOf(api.DELETE('/api/v0/session')),
    onSuccess: () => {
      sessionStorage.clear();
      location.replace('/sign-in');
    },
  });
}
