/** The servers that are measured, each pinned to core 0, over plain HTTP on loopback, logging to /dev/null. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Target } from './load.ts';

const core = '0';
const distribution = 'github.com/distribution/distribution/v3/cmd/registry@v3.1.2';
export const repository = 'admin/bench';

export interface Server {
  readonly target: Target;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Ours: an origin and a cache, the admin's pulls redirected or not. */
export interface OurServers extends Server {
  /** The origin's data directory. */
  readonly data: string;
  readonly cacheUrl: string;
  readonly cachePid: number;
  redirect(on: boolean): Promise<void>;
  /** `<path>?token=…` of a blob at the cache, as the origin gives it. */
  signedPath(digest: string): Promise<string>;
  /** Starts one more cache on the directory, and stops it; the milliseconds from its start until it gave the path. */
  startAnother(directory: string, path: string): Promise<number>;
  /** A token lives five minutes: a new one for each figure. */
  authorize(): Promise<Target>;
}

/** `upstreamOf`: where the cache reaches the origin, if not at its own address. `flags`: more for the origin. */
export async function startOurs(
  scratch: string,
  options: { upstreamOf?: (origin: string) => Promise<string>; flags?: readonly string[] } = {},
): Promise<OurServers> {
  const { upstreamOf = async (origin) => origin, flags = [] } = options;
  const [originPort, cachePort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${originPort}`;
  const data = join(scratch, 'ours');
  const source = join(import.meta.dirname, '../src');
  // With the flags that this program was started with itself: those of scripts/run.mjs.
  const origin = start(process.execPath, [
    ...process.execArgv,
    ...[join(source, 'dtr.ts'), 'serve', '--data', data, '--listen', `127.0.0.1:${originPort}`],
    ...['--external-url', url, '--no-tls', '--log-level', 'warn'],
    ...flags,
  ]);
  await untilAnswers(`${url}/_ping`, origin);
  const upstream = await upstreamOf(url);
  const startCache = async (directory: string, port: number): Promise<ChildProcess> => {
    const config = `${directory}.yml`;
    await writeFile(
      config,
      `version: 0.1
log: { level: warn }
storage: { delete: { enabled: true }, filesystem: { rootdirectory: ${directory} } }
http: { addr: "127.0.0.1:${port}" }
middleware: { registry: [{ name: downstream, options: { blobttl: 24h, upstreams: [{ originhost: "${upstream}" }] } }] }
`,
    );
    return start(process.execPath, [...process.execArgv, join(source, 'dtr-content-cache.ts'), config]);
  };
  const cache = await startCache(join(scratch, 'cache'), cachePort);
  const cacheUrl = `http://127.0.0.1:${cachePort}`;
  await untilAnswers(`${cacheUrl}/_ping`, cache);
  const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
  const basic = { Authorization: `Basic ${btoa(`admin:${password}`)}` };
  const api = async (method: string, path: string, body: object) => {
    const response = await fetch(`${url}/api/v0${path}`, {
      method,
      headers: { ...basic, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { id: string };
  };
  // On a directory that is kept, earlier ones are there.
  const cacheName = `bench ${cachePort}`;
  const { id } = await api('POST', '/content_caches', { name: cacheName, host: cacheUrl });
  const authorize = async () => {
    const query = `service=127.0.0.1:${originPort}&scope=repository:${repository}:pull,push`;
    const response = await fetch(`${url}/auth/token?${query}`, { headers: basic });
    const { token } = (await response.json()) as { token: string };
    return { url, headers: { Authorization: `Bearer ${token}` } };
  };
  return {
    target: await authorize(),
    pid: origin.pid as number,
    cachePid: cache.pid as number,
    data,
    cacheUrl,
    authorize,
    redirect: async (on) => {
      await api('PATCH', '/accounts/admin/settings', { contentCacheUUID: on ? id : '' });
    },
    signedPath: async (digest) => {
      const { headers } = await authorize();
      const response = await fetch(`${url}/v2/${repository}/blobs/${digest}`, {
        headers,
        redirect: 'manual',
      });
      const { pathname, search } = new URL(response.headers.get('location') as string);
      return pathname + search;
    },
    startAnother: async (directory, path) => {
      const port = await freePort();
      const startedAt = performance.now();
      const another = await startCache(directory, port);
      try {
        await untilAnswers(`http://127.0.0.1:${port}${path}`, another);
        return performance.now() - startedAt;
      } finally {
        await stop(another);
      }
    },
    stop: async () => {
      await stop(cache);
      await stop(origin);
    },
  };
}

/** A peer, or `undefined` with a loud line when it is not there to be measured. */
export type StartPeer = (scratch: string) => Promise<Server | undefined>;

/** Debian's package `docker-registry` (2.8). */
export const startDockerRegistry: StartPeer = async (scratch) => {
  const command = findCommand('docker-registry');
  return command === undefined ? undefined : startRegistry(command, join(scratch, 'docker-registry'));
};

/** distribution 3.1, installed by Go into the scratch directory. */
export const startDistribution: StartPeer = async (scratch) => {
  if (findCommand('go') === undefined) return undefined;
  await promisify(execFile)('go', ['install', distribution], { env: { ...process.env, GOBIN: scratch } });
  return startRegistry(join(scratch, 'registry'), join(scratch, 'distribution'));
};

/** olareg, where its binary is on the PATH. */
export const startOlareg: StartPeer = async (scratch) => {
  const command = findCommand('olareg');
  if (command === undefined) return undefined;
  const port = await freePort();
  const directory = join(scratch, 'olareg');
  await mkdir(directory, { recursive: true });
  const child = start(command, ['serve', '--addr', '127.0.0.1', '--port', String(port), '--dir', directory]);
  return peer(child, port);
};

/** The same as a pull-through cache of another one. */
export async function startRegistryProxy(scratch: string, upstream: Target): Promise<Server | undefined> {
  const command = findCommand('docker-registry');
  if (command === undefined) return undefined;
  return startRegistry(command, join(scratch, 'proxy'), `proxy: { remoteurl: "${upstream.url}" }`);
}

/** nginx serving the scratch directory's files. */
export const startNginx: StartPeer = async (scratch) => {
  const command = findCommand('nginx');
  if (command === undefined) return undefined;
  const port = await freePort();
  const config = join(scratch, 'nginx.conf');
  await writeFile(
    config,
    `worker_processes 1; daemon off; user root; pid ${join(scratch, 'nginx.pid')}; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  server { listen 127.0.0.1:${port}; root ${scratch}; } }
`,
  );
  const child = start(command, ['-c', config]);
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/small`, child);
  return { target: { url, headers: {} }, pid: child.pid as number, stop: () => stop(child) };
};

/** Nothing but Node's HTTP server: see bare-redirects.ts. */
export async function startBareRedirects(): Promise<Server> {
  const port = await freePort();
  const program = join(import.meta.dirname, 'bare-redirects.ts');
  return peer(start(process.execPath, [...process.execArgv, program, String(port)]), port);
}

async function startRegistry(command: string, directory: string, more = ''): Promise<Server> {
  const port = await freePort();
  await mkdir(directory, { recursive: true });
  const config = join(directory, 'config.yml');
  await writeFile(
    config,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${join(directory, 'data')} }, cache: { blobdescriptor: inmemory } }
http: { addr: "127.0.0.1:${port}" }
${more}
`,
  );
  return peer(start(command, ['serve', config]), port);
}

async function peer(child: ChildProcess, port: number): Promise<Server> {
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/v2/`, child);
  return { target: { url, headers: {} }, pid: child.pid as number, stop: () => stop(child) };
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

function start(command: string, args: string[]): ChildProcess {
  const child = spawn('taskset', ['-c', core, command, ...args], {
    stdio: 'ignore',
    // One core for everybody, Go's scheduler included.
    env: { ...process.env, GOMAXPROCS: '1', OTEL_TRACES_EXPORTER: 'none' },
  });
  running.add(child);
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(late);
}

async function untilAnswers(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline && child.exitCode === null) {
    try {
      const response = await fetch(url);
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${url} does not answer`);
}

function findCommand(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
