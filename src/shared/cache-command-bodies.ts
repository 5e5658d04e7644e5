/**
 * What is sent with commands (cache-command.ts) and answered to them, as JSON. Whoever reads one parses it by its shape: a
 * request strictly, since what a cache does not understand it must not half do; an answer ignoring what is new in it.
 */
import { z } from 'zod';
import { cacheCommandPaths } from './cache-command.ts';
import { type Digest, isDigest } from './distribution/digest.ts';
import { isRepositoryName, type RepositoryName } from './distribution/repository-name.ts';

const count = z.int().nonnegative();
const digest = z.custom<Digest>(isDigest, 'a digest expected');
const repository = z.custom<RepositoryName>(isRepositoryName, 'a repository name expected');
const requestId = z.string().regex(/^[\w-]{1,32}$/, 'an id of a request expected');
const text = z.string().max(2_000);

/** So many ids in one question. */
const maximumDeliveries = 100;

/**
 * What a cache did in one minute for one user of one repository, redirected to the same cache. It never changes. Several may
 * be of the same minute: they add up. When nobody collects them the oldest are merged, minutes first: then `user`, and after
 * that `repository`, is `*`.
 */
export const usageRecord = z.object({
  /** Numbered from 1 by each `processId`; grows, with gaps. */
  sequence: count,
  /** When the minute began, in ms since the epoch. */
  minute: count,
  repository: z.string().max(255),
  /** The account's name; empty for anonymous pulls and for prefetches. */
  user: z.string().max(255),
  /** The id of the registered cache that the origin chose: another one than that which is asked, in a chain. */
  cache: z.string().max(255),
  /** Answered GETs of blobs, ranges and 304 included. HEAD counts as neither. */
  hits: count,
  misses: count,
  /** Of bodies, handed to clients and to caches below: what the log lines of the cache say. */
  bytesServed: count,
  /** From upstreams, for what this user was the first to ask for. */
  bytesFetched: count,
  /** Answers of 5xx, and those cut short though the client had not left. */
  errors: count,
});
export type UsageRecord = z.infer<typeof usageRecord>;

export const cacheStatus = z.object({
  /** As in the header `dtr-protocol`. */
  protocol: text,
  version: text,
  /** Whose numbers the usage records have. A cache that was stopped in good order goes on with its own. */
  processId: z.string().regex(/^[\w-]{1,64}$/),
  /** The cache's clock, in ms since the epoch. */
  now: count,
  /** The origins that it serves: as they call themselves, or by address while their keys have not come. */
  origins: z.array(text).max(1_000),
  /** `reasons` are words for an admin; empty when it is healthy. */
  health: z.object({ healthy: z.boolean(), reasons: z.array(text).max(100) }),
  disk: z.object({ sizeBytes: count, freeBytes: count }),
  stored: z.object({ blobs: count, bytes: count }),
  usage: z.object({
    records: z.array(usageRecord),
    /** The last sequence of this answer: what to ask after when the records are kept. */
    next: count,
    /** There are more already: ask again at once. */
    more: z.boolean(),
  }),
});
export type CacheStatus = z.infer<typeof cacheStatus>;

/**
 * Where to ask for the status. `after`: the process and the last sequence whose records are kept, which the cache may forget.
 * Without, or when it has another process id by now, it begins with its oldest record.
 */
export function cacheStatusTarget(after?: { processId: string; sequence: number }): string {
  if (after === undefined) return cacheCommandPaths.status;
  return `${cacheCommandPaths.status}?after=${after.sequence}&process=${after.processId}`;
}

export const deliveriesRequest = z.strictObject({ requests: z.array(requestId).max(maximumDeliveries) });
export type DeliveriesRequest = z.infer<typeof deliveriesRequest>;

/**
 * What became of the requests with an id: `completed`, all bytes of an answer handed to the socket; `running`; `aborted`,
 * the client left before, or was answered with an error; `unknown`, none came, or it was too long ago.
 */
export const deliveriesAnswer = z.object({
  deliveries: z.record(requestId, z.enum(['completed', 'running', 'aborted', 'unknown'])),
  /** For how long every request that came is known: what is `unknown` and was to come before may have come. */
  rememberedMs: count,
});
export type DeliveriesAnswer = z.infer<typeof deliveriesAnswer>;

export const purgeRequest = z.union([
  z.strictObject({ digests: z.array(digest) }),
  z.strictObject({ everything: z.literal(true) }),
]);
export type PurgeRequest = z.infer<typeof purgeRequest>;

/** What was removed. `more`: it is not done, so that nobody waits too long for an answer: ask the same again. */
export const purgeAnswer = z.object({ blobs: count, bytes: count, more: z.boolean() });
export type PurgeAnswer = z.infer<typeof purgeAnswer>;

/** `after`: the last digest of the page before; left out for the first one. */
export const storedRequest = z.strictObject({ after: digest.optional() });

/** What is stored, by digest, page after page. */
export const storedAnswer = z.object({ digests: z.array(digest), more: z.boolean() });
export type StoredAnswer = z.infer<typeof storedAnswer>;

export const prefetchRequest = z.strictObject({
  /** `token`: of a signed URL for the blob. A later one may be sent when the same is asked again. */
  blobs: z.array(z.strictObject({ repository, digest, size: count, token: z.string().max(8_192) })),
});
export type PrefetchRequest = z.infer<typeof prefetchRequest>;

/**
 * Where each blob stands, in the order of the request. One that failed is tried again when it is asked for half a minute
 * later.
 */
export const prefetchAnswer = z.object({
  blobs: z.array(
    z.discriminatedUnion('state', [
      z.object({ digest, state: z.literal('stored') }),
      z.object({ digest, state: z.literal('filling'), bytes: count }),
      z.object({ digest, state: z.literal('waiting') }),
      z.object({ digest, state: z.literal('failed'), reason: text }),
    ]),
  ),
});
export type PrefetchAnswer = z.infer<typeof prefetchAnswer>;
