/** Content caches, as the commands that name one ask for them. */
import type { components } from '../origin/api/contract.d.ts';
import type { Api } from './api.ts';
import { Failure } from './failure.ts';

/** By its name, whatever the case, or by its id. @throws Failure when there is none */
export async function findCache(api: Api, nameOrId: string): Promise<components['schemas']['ContentCache']> {
  const { items } = await api.list('GET /api/v0/content_caches');
  const wanted = nameOrId.toLowerCase();
  const found =
    items.find(({ name }) => name.toLowerCase() === wanted) ?? items.find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  throw new Failure(
    'notFound',
    `there is no content cache ${nameOrId} at ${api.origin}`,
    'see: dtr cache list',
  );
}
