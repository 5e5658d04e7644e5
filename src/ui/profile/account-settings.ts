/** The settings of a user or an organization. */
import { queryOptions } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';

export function settingsQuery(username: string) {
  return queryOptions({
    queryKey: ['account', username, 'settings'],
    queryFn: () =>
      dataOf(api.GET('/api/v0/accounts/{username}/settings', { params: { path: { username } } })),
  });
}

/** What is chosen, as one value: `automatic`, `none`, or the id of a cache. */
export function cacheChoiceOf({ contentCacheChoice, contentCacheUUID }: Schemas['UserSettings']): string {
  return contentCacheChoice === 'cache' ? contentCacheUUID : contentCacheChoice;
}

export function settingOfChoice(choice: string): Schemas['UpdateUserSettings'] {
  return choice === 'automatic' || choice === 'none'
    ? { contentCacheChoice: choice }
    : { contentCacheChoice: 'cache', contentCacheUUID: choice };
}
