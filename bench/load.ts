/** Load from core 1: wrk for requests per second, curl for bytes per second. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const core = '1';

/** A registry and how to be let in. */
export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

function headerArguments(target: Target): string[] {
  // As clients send it: some registries give an OCI manifest only to who asks for one.
  const accept = { Accept: 'application/vnd.oci.image.manifest.v1+json, */*' };
  return Object.entries({ ...accept, ...target.headers }).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ]);
}

/** HEAD requests per second over `seconds`, 32 connections. Rejects when an answer is not 200. */
export async function headsPerSecond(target: Target, path: string, seconds: number): Promise<number> {
  const { hostname, port } = new URL(target.url);
  const { stdout } = await run('taskset', [
    ...['-c', core, process.execPath, join(import.meta.dirname, 'head-load.ts')],
    ...[hostname, port, path, String(seconds)],
    ...Object.entries(target.headers).map(([name, value]) => `${name}: ${value}`),
  ]);
  return Number(stdout);
}

/** The most memory (resident, in MiB) that the process takes while so many clients download at once for `seconds`. */
export async function downloadsMemoryMiB(
  server: { target: Target; pid: number },
  path: string,
  options: { clients: number; seconds: number },
): Promise<number> {
  const { url, headers } = server.target;
  const load = run('taskset', [
    ...['-c', core, process.execPath, join(import.meta.dirname, 'download-load.ts')],
    ...[url + path, String(options.clients), String(options.seconds)],
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]);
  let most = 0;
  const sampling = setInterval(async () => {
    const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
    most = Math.max(most, Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
  }, 200);
  await load.finally(() => clearInterval(sampling));
  return most;
}

/** The seconds until so many clients, all starting now, have the whole of it. */
export async function untilDownloaded(url: string, clients: number): Promise<number> {
  const { stdout } = await run('taskset', [
    ...['-c', core, process.execPath, join(import.meta.dirname, 'once-load.ts')],
    ...[url, String(clients)],
  ]);
  return Number(stdout);
}

/** The seconds that many pushes of layers of `sizeBytes` bytes at the same time take. */
export async function parallelPushSeconds(
  target: Target,
  repository: string,
  pushes: number,
  sizeBytes: number,
): Promise<number> {
  const { stdout } = await run('taskset', [
    ...['-c', core, process.execPath, join(import.meta.dirname, 'push-load.ts')],
    ...[target.url, repository, String(pushes), String(sizeBytes)],
    ...Object.entries(target.headers).map(([name, value]) => `${name}: ${value}`),
  ]);
  return Number(stdout);
}

/** GET requests per second over `seconds`, 32 connections. Rejects when an answer is not 2xx or 3xx. */
export async function requestsPerSecond(target: Target, path: string, seconds: number): Promise<number> {
  const { stdout } = await run('taskset', [
    ...['-c', core, 'wrk', '-t1', '-c32', `-d${seconds}s`],
    ...headerArguments(target),
    target.url + path,
  ]);
  return rateOf(stdout, path);
}

/** What wrk measured. @throws when it met an error */
function rateOf(stdout: string, what: string): number {
  const rate = /^Requests\/sec:\s+([\d.]+)$/m.exec(stdout)?.[1];
  // A slow server's answers may be late, which wrk counts as an error; wrong ones, and broken connections, are errors.
  const broken = /Socket errors: (?!connect 0, read 0, write 0)/.test(stdout);
  if (rate === undefined || broken || stdout.includes('Non-2xx or 3xx'))
    throw new Error(`${what}: ${stdout}`);
  return Number(rate);
}

/** The same with the requests of a script for wrk, from `position` on; it also looks at the answers. */
export async function scriptedRequests(
  target: Target,
  script: string,
  position: number,
  seconds: number,
): Promise<{ perSecond: number; requests: number }> {
  const { stdout } = await run('taskset', [
    ...['-c', core, 'wrk', '-t1', '-c32', `-d${seconds}s`, '-s', script],
    ...[target.url, '--', String(position)],
  ]);
  // With those that were under way at the end.
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]) + 64;
  return { perSecond: rateOf(stdout, script), requests };
}

/** Megabytes per second of one whole download. */
export async function downloadMegabytesPerSecond(
  target: Target,
  path: string,
  sizeBytes: number,
): Promise<number> {
  const { stdout } = await run('taskset', [
    ...[
      '-c',
      core,
      'curl',
      '--silent',
      '--fail',
      '--output',
      '/dev/null',
      '--write-out',
      '%{size_download} %{time_total}',
    ],
    ...headerArguments(target),
    target.url + path,
  ]);
  const [downloaded, seconds] = stdout.split(' ').map(Number) as [number, number];
  if (downloaded !== sizeBytes) throw new Error(`${path}: ${downloaded} of ${sizeBytes} bytes came`);
  return sizeBytes / 1e6 / seconds;
}

/** Pushes a file as a blob by one POST, one PATCH and one PUT; the seconds that it took. */
export async function pushBlob(
  target: Target,
  repository: string,
  file: string,
  digest: string,
): Promise<number> {
  const curl = async (...args: string[]) =>
    (
      await run('taskset', [
        '-c',
        core,
        'curl',
        '--silent',
        '--fail',
        '--include',
        ...headerArguments(target),
        ...args,
      ])
    ).stdout;
  const locationOf = (answer: string) =>
    new URL(/^location: (.+?)\r?$/im.exec(answer)?.[1] as string, target.url).href;
  const startedAt = performance.now();
  const session = locationOf(await curl('-X', 'POST', `${target.url}/v2/${repository}/blobs/uploads/`));
  const patched = locationOf(
    await curl('-X', 'PATCH', '-H', 'Content-Type: application/octet-stream', '-T', file, session),
  );
  const mark = patched.includes('?') ? '&' : '?';
  await curl('-X', 'PUT', '-H', 'Content-Length: 0', `${patched}${mark}digest=${digest}`);
  return (performance.now() - startedAt) / 1000;
}

/** Pushes a manifest under a tag. */
export async function pushManifest(
  target: Target,
  repository: string,
  tag: string,
  manifest: string,
): Promise<void> {
  const response = await fetch(`${target.url}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { ...target.headers, 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' },
    body: manifest,
  });
  if (response.status !== 201)
    throw new Error(`manifest not pushed: ${response.status} ${await response.text()}`);
}
