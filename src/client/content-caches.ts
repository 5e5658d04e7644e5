/** Content caches, as the commands that name one ask for them. */
import type { components } from '../origin/api/contract.d.ts';
import type { Api } from './api.ts';
import { Failure } from './failure.ts';

type ContentCache = components['schemas']['ContentCache'];

/** By its name, whatever the case, or by its id. @throws Failure when there is none */
export async function findCache(api: Api, nameOrId: string): Promise<ContentCache> {
  const [found] = await findCaches(api, [nameOrId]);
  return found as ContentCache;
}

/** Each of them. @throws Failure naming the first that there is none of */
export async function findCaches(api: Api, namesOrIds: readonly string[]): Promise<ContentCache[]> {
  const { items } = await api.list('GET /api/v0/content_caches');
  return namesOrIds.map((nameOrId) => {
    const wanted = nameOrId.toLowerCase();
    const found =
      items.find(({ name }) => name.toLowerCase() === wanted) ?? items.find(({ id }) => id === wanted);
    if (found !== undefined) return found;
    throw new Failure(
      'notFound',
      `there is no content cache ${nameOrId} at ${api.origin}`,
      'see: dtr cache list',
    );
  });
}

/** What stands for the origin itself where a cache is named; to the API it is an empty id. */
const none = 'none';

/** The id of the cache of that name; empty for `none`. @throws Failure when there is none of that name */
export async function idOrNone(api: Api, name: string): Promise<string> {
  return name === none ? '' : (await findCache(api, name)).id;
}

/** Says the name of the cache with an id, or the id where there is none. */
export async function cacheNames(api: Api): Promise<(id: string) => string> {
  const { items } = await api.list('GET /api/v0/content_caches');
  const names = new Map(items.map(({ id, name }) => [id, name]));
  return (id) => (id === '' ? none : (names.get(id) ?? id));
}
