/** A real content cache in this process, for an origin of a test. */
import { after } from 'node:test';
import { type CacheConfiguration, parseConfiguration } from '../../src/cache/configuration.ts';
import { startContentCache } from '../../src/cache/server.ts';
import { type Clock, systemClock } from '../../src/shared/clock.ts';
import { keepingLogger, type LogLine } from './logger.ts';
import { tempDirectory } from './temp-directory.ts';

export interface TestCache {
  readonly url: string;
  /** Where metrics and health are, when the configuration has `debug`. */
  readonly debugUrl: string;
  readonly rootDirectory: string;
  readonly logs: LogLine[];
  close(): Promise<void>;
}

/** Every default, as a file has them that says nothing more than it must. */
const minimal = parseConfiguration(
  `version: 0.1
storage: { inmemory: }
middleware: { registry: [{ name: downstream, options: { upstreams: [https://origin.example] } }] }
`,
  'minimal.yml',
);

/** Plain HTTP unless told otherwise; stopped when the surrounding suite (or file) ends. */
export async function startTestCache(
  options: Partial<CacheConfiguration> & {
    origin: string;
    clock?: Clock;
    /** Who closes it at the end; the surrounding suite (or file) itself by default. */
    closing?: (close: () => Promise<void>) => void;
  },
): Promise<TestCache> {
  const { origin, clock = systemClock, closing = after, ...configuration } = options;
  const { logger, lines } = keepingLogger();
  const rootDirectory = configuration.rootDirectory ?? (await tempDirectory());
  const cache = await startContentCache(
    {
      ...minimal,
      listen: { host: '127.0.0.1', port: 0 },
      upstreams: [{ originHost: origin, hosts: [] }],
      drainMs: 1_000,
      ...configuration,
    },
    { rootDirectory, logger, clock },
  );
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    await cache.close();
  };
  closing(close);
  return {
    url: `http://127.0.0.1:${cache.port}`,
    debugUrl: `http://127.0.0.1:${cache.debugPort}`,
    rootDirectory,
    logs: lines,
    close,
  };
}
