/** What origins and caches tell each other in headers, beside the signed URL: who they are and how they speak. */

/** Raised when a change would not be understood by the version before. */
export const protocolVersion = '1';
export const protocolHeader = 'dtr-protocol';
/** In answers of a cache: the id of its process. */
export const cacheIdHeader = 'dtr-cache-id';
/** In requests of caches: the ids of those that the request came through, the first one first. */
export const viaHeader = 'dtr-via';

const longestChain = 16;

/** The caches that a request came through; a made-up header counts as a chain that is too long. */
export function parseVia(header: string | string[] | undefined): string[] {
  if (header === undefined || header === '') return [];
  return String(header).slice(0, 1000).split(',');
}

/** True when this cache is among them already, or there are more than any real chain has. */
export function goesRound(via: readonly string[], id: string): boolean {
  return via.includes(id) || via.length > longestChain;
}
