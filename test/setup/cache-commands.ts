/** Commands to a real cache, as an origin gives them. */
import { type CacheCommand, cacheCommandPaths, signCacheCommand } from '../../src/shared/cache-command.ts';
import {
  type CacheStatus,
  cacheStatus,
  cacheStatusTarget,
  deliveriesAnswer,
  type PrefetchAnswer,
  type PrefetchRequest,
  type PurgeAnswer,
  type PurgeRequest,
  prefetchAnswer,
  purgeAnswer,
  type StoredAnswer,
  storedAnswer,
} from '../../src/shared/cache-command-bodies.ts';
import type { Digest } from '../../src/shared/distribution/digest.ts';
import type { FakeOrigin } from './fake-origin.ts';

export interface Commander {
  /** `after`: what of the usage is kept already. */
  status(after?: { processId: string; sequence: number }): Promise<CacheStatus>;
  deliveries(requests: string[]): Promise<Record<string, string>>;
  purge(request: PurgeRequest): Promise<PurgeAnswer>;
  prefetch(blobs: PrefetchRequest['blobs']): Promise<PrefetchAnswer['blobs']>;
  stored(after?: Digest): Promise<StoredAnswer>;
}

/** The token of a command with this body; `now` in ms. */
export function commandToken(
  origin: FakeOrigin,
  command: CacheCommand,
  body?: string,
  options: { now?: number; host?: string } = {},
): string {
  const { now = Date.now(), host = 'https://cache.example' } = options;
  return signCacheCommand(
    origin.signingKey,
    { issuer: origin.issuer, cache: 'cache-1', host, command, ...(body === undefined ? {} : { body }) },
    { now },
  );
}

/** Who gives them, in the name of the origin. Anything but success is thrown. `clock`: the origin's. */
export function commanderOf(
  cacheUrl: string,
  origin: FakeOrigin,
  clock: () => number = () => Date.now(),
): Commander {
  const ask = async (command: CacheCommand, target: string, body?: unknown): Promise<unknown> => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await fetch(`${cacheUrl}${target}`, {
      method: text === undefined ? 'GET' : 'POST',
      headers: { Authorization: `Bearer ${commandToken(origin, command, text, { now: clock() })}` },
      ...(text === undefined ? {} : { body: text }),
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return response.json();
  };
  const post = (command: CacheCommand, body: unknown) => ask(command, cacheCommandPaths[command], body);
  return {
    status: async (after) => cacheStatus.parse(await ask('status', cacheStatusTarget(after))),
    deliveries: async (requests) => deliveriesAnswer.parse(await post('deliveries', { requests })).deliveries,
    purge: async (request) => purgeAnswer.parse(await post('purge', request)),
    stored: async (after) => storedAnswer.parse(await post('stored', { after })),
    prefetch: async (blobs) => prefetchAnswer.parse(await post('prefetch', { blobs })).blobs,
  };
}
