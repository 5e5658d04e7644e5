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
  /** A token lives five minutes: a new one for each figure. */
  authorize(): Promise<Target>;
}

export async function startOurs(scratch: string): Promise<OurServers> {
  const [originPort, cachePort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${originPort}`;
  const data = join(scratch, 'ours');
  const source = join(import.meta.dirname, '../src');
  const config = join(scratch, 'config.yml');
  await writeFile(
    config,
    `version: 0.1
log: { level: warn }
storage: { delete: { enabled: true }, filesystem: { rootdirectory: ${join(scratch, 'cache')} } }
http: { addr: "127.0.0.1:${cachePort}" }
middleware: { registry: [{ name: downstream, options: { blobttl: 24h, upstreams: [{ originhost: "${url}" }] } }] }
`,
  );
  // With the flags that this program was started with itself: those of scripts/run.mjs.
  const origin = start(process.execPath, [
    ...process.execArgv,
    ...[join(source, 'dtr.ts'), 'serve', '--data', data, '--listen', `127.0.0.1:${originPort}`],
    ...['--external-url', url, '--no-tls', '--log-level', 'warn'],
  ]);
  await untilAnswers(`${url}/_ping`, origin);
  const cache = start(process.execPath, [...process.execArgv, join(source, 'dtr-content-cache.ts'), config]);
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
  const { id } = await api('POST', '/content_caches', { name: 'bench', host: cacheUrl });
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

async function startRegistry(command: string, directory: string): Promise<Server> {
  const port = await freePort();
  await mkdir(directory, { recursive: true });
  const config = join(directory, 'config.yml');
  await writeFile(
    config,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${join(directory, 'data')} }, cache: { blobdescriptor: inmemory } }
http: { addr: "127.0.0.1:${port}" }
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
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
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
