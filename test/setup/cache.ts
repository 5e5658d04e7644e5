/** A real content cache in this process, for an origin of a test. */
import { after } from 'node:test';
import type { CacheConfiguration } from '../../src/cache/configuration.ts';
import { startContentCache } from '../../src/cache/server.ts';
import { type Clock, systemClock } from '../../src/shared/clock.ts';
import { keepingLogger, type LogLine } from './logger.ts';
import { tempDirectory } from './temp-directory.ts';

export interface TestCache {
  readonly url: string;
  readonly rootDirectory: string;
  readonly logs: LogLine[];
  close(): Promise<void>;
}

/** Plain HTTP unless told otherwise; stopped when the surrounding suite (or file) ends. */
export async function startTestCache(
  options: Partial<CacheConfiguration> & { origin: string; clock?: Clock },
): Promise<TestCache> {
  const { origin, clock = systemClock, ...configuration } = options;
  const { logger, lines } = keepingLogger();
  const rootDirectory = configuration.rootDirectory ?? (await tempDirectory());
  const cache = await startContentCache(
    {
      listen: { host: '127.0.0.1', port: 0 },
      tls: undefined,
      logLevel: 'debug',
      blobTtlMs: undefined,
      upstreams: [{ originHost: origin, hosts: [] }],
      cas: [],
      headers: {},
      drainMs: 1_000,
      notes: [],
      ...configuration,
      rootDirectory,
    },
    { logger, clock },
  );
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    await cache.close();
  };
  after(close);
  return { url: `http://127.0.0.1:${cache.port}`, rootDirectory, logs: lines, close };
}
