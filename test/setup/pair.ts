/** An origin with TLS and its content cache, as processes of their own, configured as the page for admins has it. */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, fetch, type RequestInit, type Response } from 'undici';
import { freePort } from './free-port.ts';
import type { LogLine } from './logger.ts';
import { basic } from './origin.ts';
import { eventually, type RunningProgram, startProgram } from './processes.ts';

export interface Pair {
  /** `127.0.0.1:<port>` of the origin, as clients name it. */
  readonly host: string;
  readonly originUrl: string;
  readonly cacheUrl: string;
  readonly cacheId: string;
  /** PEM of the origin's CA. */
  readonly caFile: string;
  readonly adminPassword: string;
  readonly originLogs: LogLine[];
  readonly cacheLogs: LogLine[];
  /** A request that trusts the origin's CA. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** A request to the API as the admin. */
  api(method: string, path: string, body?: unknown): Promise<Response>;
  /** Resolves once the logs hold a line for each request that was answered before the call. */
  logsSettled(): Promise<void>;
  stop(): Promise<void>;
}

/** The cache is registered as `region-us`. */
export async function startPair(directory: string): Promise<Pair> {
  const [originPort, cachePort] = [await freePort(), await freePort()];
  const host = `127.0.0.1:${originPort}`;
  const originUrl = `https://${host}`;
  const cacheUrl = `http://127.0.0.1:${cachePort}`;
  const data = join(directory, 'data');
  const origin = await startProgram('dtr', [
    'serve',
    '--data',
    data,
    '--listen',
    host,
    '--external-url',
    originUrl,
  ]);
  const running: RunningProgram[] = [origin];
  const stopAll = async () => {
    await Promise.all(running.map((program) => program.stop()));
  };
  try {
    const dispatcher = new Agent({ connect: { ca: await readFile(join(data, 'ca.pem'), 'utf8') } });
    const adminPassword = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
    const config = join(directory, 'config.yml');
    await writeFile(
      config,
      `version: 0.1
storage:
  delete:
    enabled: true
  filesystem:
    rootdirectory: ${join(directory, 'registry')}
http:
  addr: 127.0.0.1:${cachePort}
middleware:
  registry:
      - name: downstream
        options:
          blobttl: 24h
          upstreams:
            - originhost: ${originUrl}
          cas:
            - ${join(data, 'ca.pem')}
`,
    );
    const cache = await startProgram('dtr-content-cache', [config]);
    running.push(cache);
    const pair = {
      host,
      originUrl,
      cacheUrl,
      caFile: join(data, 'ca.pem'),
      adminPassword,
      originLogs: origin.logs,
      cacheLogs: cache.logs,
      fetch: (url: string, init: RequestInit = {}) => fetch(url, { dispatcher, ...init }),
      api: (method: string, path: string, body?: unknown) =>
        fetch(`${originUrl}/api/v0${path}`, {
          dispatcher,
          method,
          headers: { Authorization: basic(`admin:${adminPassword}`), 'Content-Type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      logsSettled: async () => {
        // Lines come through a pipe, later than the answers but in their order: a request of ours marks the place.
        const path = `/${randomUUID()}`;
        for (const [url, logs] of [
          [originUrl, origin.logs],
          [cacheUrl, cache.logs],
        ] as const) {
          await (await fetch(`${url}${path}`, { dispatcher })).text();
          await eventually(`${url} logs`, () => logs.some((line) => line.path === path));
        }
      },
      stop: async () => {
        await stopAll();
        await dispatcher.destroy();
      },
    };
    const created = await pair.api('POST', '/content_caches', { name: 'region-us', host: cacheUrl });
    const { id } = (await created.json()) as { id: string };
    return { ...pair, cacheId: id };
  } catch (error) {
    await stopAll();
    throw error;
  }
}
