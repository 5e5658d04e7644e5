/**
 * `npm run bench [-- --quick | cold | redirects | lists]`: this origin and this cache against other registries, each alone on core 0, loaded from
 * core 1. Prints medians and ratios. Needs wrk, curl and taskset; what is not installed of the peers is named as not measured.
 * `cold`: only what a cache does without having a blob, and its start with very many. `redirects` and `lists`: only
 * those.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureCold } from './cold.ts';
import { measureLists } from './lists.ts';
import {
  downloadMegabytesPerSecond,
  downloadsMemoryMiB,
  headsPerSecond,
  parallelPushSeconds,
  pushBlob,
  pushManifest,
  requestsPerSecond,
  type Target,
} from './load.ts';
import { quantile } from './quantile.ts';
import { measureRedirectsOf, type RedirectRate } from './redirects.ts';
import {
  repository,
  type Server,
  type StartPeer,
  startDistribution,
  startDockerRegistry,
  startNginx,
  startOlareg,
  startOurs,
  startRegistryProxy,
} from './servers.ts';
import { tagPageMs } from './tags.ts';

const quick = process.argv.includes('--quick');
const rounds = quick ? 1 : 3;
const seconds = quick ? 2 : 4;
const warmUpSeconds = 4;
const largeBytes = 1024 ** 3;
const smallBytes = 4096;
const downloads = { clients: 200, seconds: quick ? 5 : 10 };
const parallelPushes = 64;
const layerBytes = 10 * 1024 * 1024;

const figures = [
  ['manifest', 'manifest GET by tag, requests/s (ours authorised)'],
  ['head', 'blob HEAD, requests/s (ours authorised)'],
  ['small', '4 KiB blob, requests/s (ours: cache hit)'],
  ['smallOrigin', '4 KiB blob, requests/s (ours: from the origin)'],
  ['large', '1 GiB blob, MB/s (ours: cache hit)'],
  ['largeOrigin', '1 GiB blob, MB/s (ours: from the origin)'],
  ['push', '1 GiB push by one PATCH, MB/s'],
  ['memory', 'memory with 200 downloads of 1 GiB at the same time, MiB (ours: the cache)'],
  ['memoryOrigin', 'memory with 200 downloads of 1 GiB at the same time, MiB (ours: the origin)'],
  ['pushes', '64 pushes of 10 MiB at the same time, MB/s'],
] as const;
type Figure = (typeof figures)[number][0];
type Results = Partial<Record<Figure, number>>;

interface Content {
  readonly scratch: string;
  readonly small: { file: string; digest: string };
  readonly large: { file: string; digest: string };
  readonly manifest: string;
}

const scratch = await mkdtemp(join(tmpdir(), 'dtr-bench-'));
try {
  const parts: [name: string | undefined, measure: () => Promise<void>][] = [
    [undefined, compare],
    ['redirects', measureRedirects],
    ['cold', measureWithoutBlobs],
    ['lists', () => measureLists(scratch)],
  ];
  const only = parts.find(([name]) => name !== undefined && process.argv.includes(name))?.[0];
  for (const [name, measure] of parts) if (only === undefined || name === only) await measure();
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function measureWithoutBlobs(): Promise<void> {
  const directory = join(scratch, 'cold');
  await mkdir(directory);
  await measureCold(directory, async (target, bytes) => {
    const file = join(directory, 'blob');
    await writeFile(file, bytes);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await pushBlob(target, repository, file, digest);
    return digest;
  });
}

/** What nobody else does. */
async function measureRedirects(): Promise<void> {
  const directory = join(scratch, 'redirects');
  await mkdir(directory);
  const { small, large, whole } = await measureRedirectsOf(directory, async (ours, bare) => {
    // Until V8 has compiled what is asked again and again: it works beside, on the core that is measured.
    for (const load of [ours, bare]) await load(3 * warmUpSeconds);
    const rates: [ours: RedirectRate, bare: RedirectRate][] = [];
    for (let round = 0; round < 4 * rounds; round += 1) rates.push([await ours(2), await bare(2)]);
    return rates;
  });
  const describe = (rates: RedirectRate[]) => {
    const [rate, best] = [0.5, 1].map((part) =>
      quantile(
        rates.map((one) => one.perSecond),
        part,
      ),
    );
    const worked = quantile(
      rates.map((one) => one.workedMicroseconds),
      0.5,
    );
    return `${number(rate)}/s, at best ${number(best)}/s, ${number(worked)} µs of work each`;
  };
  for (const [what, rates] of [
    ['of pieces, in a small company', small],
    ['of pieces, in one of 100,000 users, 1,000 caches and 10,000 rules', large],
    ['there, of whole blobs, each with a new signature', whole],
  ] as const) {
    const ratio = quantile(
      rates.map(([ours, bare]) => ours.perSecond / bare.perSecond),
      0.5,
    );
    console.log(`redirects ${what}: ${describe(rates.map(([ours]) => ours))}`);
    console.log(
      `  Node's HTTP server with nothing to do: ${describe(rates.map(([, bare]) => bare))}; ratio ${ratio.toFixed(2)}`,
    );
  }
}

/** Ours and its peers, figure by figure. */
async function compare(): Promise<void> {
  const content = await makeContent();
  const results: [name: string, results: Results | undefined][] = [['ours', await measureOurs(content)]];
  const peers: [name: string, start: StartPeer][] = [
    ['docker-registry 2.8', startDockerRegistry],
    ['distribution 3.1', startDistribution],
    ['olareg', startOlareg],
  ];
  for (const [name, start] of peers) results.push([name, await measurePeer(content, name, start)]);
  results.push(['docker-registry, proxy', await measureProxy(content)]);
  results.push(['nginx', await measureNginx(content)]);
  print(results);
}

async function measureOurs(content: Content): Promise<Results> {
  const ours = await startOurs(scratch);
  try {
    const results = await measureRegistry(content, ours, () => ours.authorize());
    const tags = await tagPageMs(ours.data, await ours.authorize());
    console.log(
      `page of 1,000 of 100,000 tags, ms: first ${tags.first.toFixed(1)}, last ${tags.last.toFixed(1)}`,
    );
    await ours.redirect(true);
    const cache: Target = { url: ours.cacheUrl, headers: {} };
    const small = await ours.signedPath(content.small.digest);
    const large = await ours.signedPath(content.large.digest);
    // The first pull fills, the figures are of hits.
    for (const fill of [small, large]) await downloadWhole(cache, fill);
    return {
      ...results,
      smallOrigin: results.small as number,
      largeOrigin: results.large as number,
      memoryOrigin: results.memory as number,
      memory: await downloadsMemoryMiB({ target: cache, pid: ours.cachePid }, large, downloads),
      small: await rate(cache, small),
      large: await median(() => downloadMegabytesPerSecond(cache, large, largeBytes)),
    };
  } finally {
    await ours.stop();
  }
}

async function measurePeer(content: Content, name: string, start: StartPeer): Promise<Results | undefined> {
  const server: Server | undefined = await start(scratch);
  if (server === undefined) {
    console.log(`NOT MEASURED: ${name} is not installed`);
    return undefined;
  }
  try {
    const results = await measureRegistry(content, server, async () => server.target);
    const { small = 0, large = 0, memory = 0 } = results;
    return { ...results, smallOrigin: small, largeOrigin: large, memoryOrigin: memory };
  } finally {
    await server.stop();
  }
}

/** As a cache: what it has pulled through already. */
async function measureProxy(content: Content): Promise<Results | undefined> {
  const upstream = await startDockerRegistry(join(scratch, 'proxied'));
  if (upstream === undefined) return undefined;
  try {
    for (const { file, digest } of [content.small, content.large])
      await pushBlob(upstream.target, repository, file, digest);
    const proxy = (await startRegistryProxy(scratch, upstream.target)) as Server;
    const path = (digest: string) => `/v2/${repository}/blobs/${digest}`;
    return await measureStored(proxy, path(content.small.digest), path(content.large.digest));
  } finally {
    await upstream.stop();
  }
}

async function measureNginx(content: Content): Promise<Results | undefined> {
  const nginx = await startNginx(content.scratch);
  if (nginx !== undefined) return measureStored(nginx, '/small', '/large');
  console.log('NOT MEASURED: nginx is not installed');
  return undefined;
}

async function measureStored(server: Server, small: string, large: string): Promise<Results> {
  const { target } = server;
  try {
    for (const path of [small, large]) await downloadWhole(target, path);
    return {
      small: await rate(target, small),
      large: await median(() => downloadMegabytesPerSecond(target, large, largeBytes)),
    };
  } finally {
    await server.stop();
  }
}

/** What every registry does: `authorize` gives a fresh way in. */
async function measureRegistry(
  content: Content,
  server: Server,
  authorize: () => Promise<Target>,
): Promise<Results> {
  const { small, large } = content;
  const { target } = server;
  await pushBlob(target, repository, small.file, small.digest);
  const pushSeconds = await median(() => pushBlob(target, repository, large.file, large.digest));
  await pushManifest(target, repository, 'latest', content.manifest);
  const pushesSeconds = await median(() =>
    parallelPushSeconds(target, repository, parallelPushes, layerBytes),
  );
  const blob = (digest: string) => `/v2/${repository}/blobs/${digest}`;
  const fresh = await authorize();
  return {
    push: largeBytes / 1e6 / pushSeconds,
    pushes: (parallelPushes * layerBytes) / 1e6 / pushesSeconds,
    manifest: await rate(fresh, `/v2/${repository}/manifests/latest`),
    head: await rate(fresh, blob(small.digest), headsPerSecond),
    small: await rate(fresh, blob(small.digest)),
    large: await median(() => downloadMegabytesPerSecond(fresh, blob(large.digest), largeBytes)),
    memory: await downloadsMemoryMiB({ target: fresh, pid: server.pid }, blob(large.digest), downloads),
  };
}

async function rate(target: Target, path: string, load = requestsPerSecond): Promise<number> {
  // Warms up: caches, connections, and code that is compiled only once it has proved hot.
  await load(target, path, warmUpSeconds);
  return median(() => load(target, path, seconds));
}

async function median(measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) values.push(await measure());
  return quantile(values, 0.5);
}

async function downloadWhole(target: Target, path: string): Promise<void> {
  const response = await fetch(target.url + path, { headers: target.headers });
  for await (const _ of response.body as AsyncIterable<Uint8Array>);
}

async function makeContent(): Promise<Content> {
  const make = async (name: string, sizeBytes: number) => {
    const file = join(scratch, name);
    const chunkBytes = Math.min(sizeBytes, 64 * 1024 * 1024);
    await writeFile(file, '');
    for (let written = 0; written < sizeBytes; written += chunkBytes)
      await appendFile(file, randomBytes(chunkBytes));
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file)) hash.update(chunk);
    return { file, digest: `sha256:${hash.digest('hex')}` };
  };
  const [small, large] = [await make('small', smallBytes), await make('large', largeBytes)];
  const descriptor = (mediaType: string, digest: string, size: number) => ({ mediaType, digest, size });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', small.digest, smallBytes),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', large.digest, largeBytes)],
  });
  return { scratch, small, large, manifest };
}

function print(results: readonly (readonly [name: string, results: Results | undefined])[]): void {
  const [[, ours = {}] = [], ...peers] = results;
  for (const [figure, title] of figures) {
    const own = ours[figure];
    console.log(`\n${title}\n  ours                   ${number(own)}`);
    for (const [name, measured] of peers) {
      const value = measured?.[figure];
      if (value === undefined || own === undefined) continue;
      console.log(`  ${name.padEnd(22)} ${number(value)}   ours is ${(own / value).toFixed(2)} ×`);
    }
  }
}

function number(value: number | undefined): string {
  return (value === undefined ? '-' : Math.round(value).toLocaleString('en-US')).padStart(10);
}
