/** Which cache serves a pull, and why. Pure: everything that decides is given. */
import type { ContentCache } from './content-caches.ts';

export type Choice =
  | { readonly cache: ContentCache; readonly because: 'user-setting' }
  | { readonly cache: undefined; readonly because: 'no-user-setting' | 'anonymous' };

/** `chosen` is the cache that the user's setting names, if it names one that exists. */
export function chooseContentCache(facts: { anonymous: boolean; chosen: ContentCache | undefined }): Choice {
  if (facts.anonymous) return { cache: undefined, because: 'anonymous' };
  if (facts.chosen === undefined) return { cache: undefined, because: 'no-user-setting' };
  return { cache: facts.chosen, because: 'user-setting' };
}
