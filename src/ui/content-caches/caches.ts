/** The registered content caches. */
import { queryOptions } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';

export type ContentCache = Schemas['ContentCache'];

/** All of them: to choose from. */
export const cachesQuery = queryOptions({
  queryKey: ['content-caches'],
  queryFn: () => dataOf(api.GET('/api/v0/content_caches')),
});
