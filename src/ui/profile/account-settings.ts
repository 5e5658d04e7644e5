import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from '../api/client.ts';

/** The settings of a user or an organization. */
export function settingsQuery(username: string) {
  return queryOptions({
    queryKey: ['account', username, 'settings'],
    queryFn: () =>
      dataOf(api.GET('/api/v0/accounts/{username}/settings', { params: { path: { username } } })),
  });
}
