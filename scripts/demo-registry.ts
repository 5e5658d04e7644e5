/** A company's registry to take pictures of: accounts, repositories with images, caches, and what they did. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { Agent, fetch } from 'undici';
import { parseConfiguration } from '../src/origin/configuration.ts';
import { defaults } from '../src/origin/serve-options.ts';
import { startOrigin } from '../src/origin/server.ts';
import { systemClock } from '../src/shared/clock.ts';
import { digestOf } from '../src/shared/distribution/digest.ts';
import { createLogger } from '../src/shared/logging.ts';

export interface DemoRegistry {
  passwordOf(name: string): string;
  /** The id of a cache. */
  cacheId(name: string): string;
  /** A request to the API as the admin. */
  readonly ask: Client;
  /** As docker does it, as the admin. */
  signIn(): Promise<unknown>;
  /** A small image. */
  push(repository: string, tag: string): Promise<void>;
  pull(repository: string, tag: string): Promise<unknown>;
  close(): Promise<void>;
}

/** `empty`: as a first start leaves it. */
export async function startDemoRegistry(
  directory: string,
  port: number,
  options: { empty?: boolean } = {},
): Promise<DemoRegistry> {
  const configuration = parseConfiguration({
    ...defaults,
    data: directory,
    listen: `127.0.0.1:${port}`,
    externalUrl: 'https://dtr.example.com',
    tls: true,
    probeInterval: '1h',
  });
  await mkdir(directory);
  const start = () =>
    startOrigin(configuration, {
      logger: createLogger({ level: 'error', program: 'dtr' }),
      clock: systemClock,
    });
  let origin = await start();
  const adminPassword = (await readFile(join(directory, 'admin-password'), 'utf8')).trim();
  const database = join(directory, 'dtr.db');
  const ask = await client(directory, port, adminPassword);
  if (!options.empty) {
    await fill(ask);
    // What takes days to come about is written where the origin looks when it starts.
    await origin.close();
    dress(database);
    origin = await start();
  }
  return {
    passwordOf: (name) => (name === 'admin' ? adminPassword : passwordOf(name)),
    cacheId: (name) => find(database, name),
    ask,
    signIn: () => ask('GET', '/auth/token?service=dtr.example.com'),
    push: (repository, tag) => pushSmall(ask, repository, tag),
    pull: (repository, tag) =>
      ask('GET', `/v2/${repository}/manifests/${tag}`, undefined, { Accept: imageType }),
    close: () => origin.close(),
  };
}

function passwordOf(name: string): string {
  return `${name}-${name}-${name}`;
}

type Client = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<string>;

/** Requests as the admin, to the API and to the registry. */
async function client(directory: string, port: number, password: string): Promise<Client> {
  const dispatcher = new Agent({ connect: { ca: await readFile(join(directory, 'ca.pem'), 'utf8') } });
  const url = `https://127.0.0.1:${port}`;
  const basic = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  return async (method, path, body, headers = {}) => {
    const isRegistry = path.startsWith('/v2/');
    const authorization = isRegistry ? `Bearer ${await tokenFor(path)}` : basic;
    const answer = await fetch(url + path, {
      dispatcher,
      method,
      headers: {
        Authorization: authorization,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRegistry ? (body as Buffer) : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  };
  async function tokenFor(path: string): Promise<string> {
    const repository = /^\/v2\/(.+?)\/(?:blobs|manifests)\//.exec(path)?.[1];
    const scope = `repository:${repository}:pull,push`;
    const answer = await fetch(`${url}/auth/token?service=dtr.example.com&scope=${scope}`, {
      dispatcher,
      headers: { Authorization: basic },
    });
    return ((await answer.json()) as { token: string }).token;
  }
}

const imageType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

async function fill(ask: Client): Promise<void> {
  const people = [
    ['jane', 'Jane Doe'],
    ['omar', 'Omar Haddad'],
    ['sofia', 'Sofía Núñez'],
    ['tomasz', 'Tomasz Kowalski'],
    ['li', 'Li Wei'],
  ];
  for (const [name = '', fullName] of people) {
    await ask('POST', '/api/v0/accounts', { name, fullName, password: passwordOf(name) });
  }
  await ask('POST', '/api/v0/accounts', {
    name: 'ci-runner',
    fullName: 'Build machines',
    isServiceAccount: true,
  });
  await ask('PATCH', '/api/v0/accounts/li', { isActive: false });
  for (const [name, fullName] of [
    ['acme', 'Acme Ltd'],
    ['platform', 'Platform Engineering'],
    ['research', 'Research'],
  ]) {
    await ask('POST', '/api/v0/accounts', { name, fullName, isOrg: true });
  }
  for (const member of ['jane', 'omar', 'sofia', 'tomasz', 'admin']) {
    await ask('PUT', `/api/v0/accounts/acme/members/${member}`, { isAdmin: member === 'jane' });
  }
  for (const [name, description, ...members] of [
    ['payments', 'Billing and the ledger', 'omar', 'sofia'],
    ['shop', 'The web shop and its API', 'jane', 'tomasz'],
    ['sre', 'On call, around the clock', 'omar', 'tomasz', 'admin'],
  ]) {
    await ask('POST', '/api/v0/accounts/acme/teams', { name, description });
    for (const member of members) await ask('PUT', `/api/v0/accounts/acme/teams/${name}/members/${member}`);
  }
  for (const [namespace, name, shortDescription, visibility = 'private'] of [
    ['acme', 'api', 'Public HTTP API and its workers'],
    ['acme', 'billing', 'Invoices, dunning and the ledger'],
    ['acme', 'web', 'The web shop'],
    ['acme', 'web-assets', 'Static files of the shop, served by nginx', 'public'],
    ['platform', 'base-images', 'Hardened bases for everybody', 'public'],
    ['platform', 'ci-tools', 'Compilers, linters and scanners for pipelines', 'public'],
    ['platform', 'postgres', 'PostgreSQL with our extensions'],
    ['research', 'notebooks', 'JupyterLab with CUDA'],
    ['research', 'training', 'Distributed training jobs'],
  ]) {
    await ask('POST', `/api/v0/repositories/${namespace}`, { name, shortDescription, visibility });
  }
  await ask('PATCH', '/api/v0/repositories/acme/web', {
    longDescription:
      'The front end of the shop. **Stateless**: it reads its settings from the environment.\n\n- `PORT`: where it listens, 8080 by default\n- `API_URL`: where `acme/api` is',
  });
  await ask('PUT', '/api/v0/repositories/acme/web/teamAccess/shop', { accessLevel: 'read-write' });
  await ask('PUT', '/api/v0/repositories/acme/web/teamAccess/sre', { accessLevel: 'read-only' });
  await ask('PUT', '/api/v0/repositories/acme/web/userAccess/sofia', { accessLevel: 'read-only' });
  for (const [tokenLabel, access, days] of [
    ['laptop', 'read-only', 30],
    ['cluster-eu pull secret', 'read-only', 365],
    ['github-actions', 'read-write', 90],
  ] as const) {
    const expiresAt = new Date(systemClock() + days * 86_400_000).toISOString();
    await ask('POST', '/api/v0/api_tokens', { tokenLabel, access, expiresAt });
  }
  for (const [name, city] of [
    ['ap-south', 'mumbai'],
    ['eu-central', 'frankfurt'],
    ['region-us', 'virginia'],
  ]) {
    await ask('POST', '/api/v0/content_caches', { name, host: `https://cache-${city}.example.com` });
  }
  await pushWeb(ask);
  const caches = JSON.parse(await ask('GET', '/api/v0/content_caches')) as { id: string; name: string }[];
  const idOf = (name: string) => caches.find((cache) => cache.name === name)?.id ?? '';
  for (const [network, name, comment] of [
    ['10.20.0.0/16', 'eu-central', 'The offices in Rome and Kraków'],
    ['10.48.0.0/14', 'ap-south', 'Pune, and the lab beside it'],
    ['198.51.100.0/24', 'region-us', 'Boston'],
    ['2001:db8:40::/48', 'region-us', 'Build machines'],
  ] as const) {
    await ask('POST', '/api/v0/content_cache_rules', { network, contentCacheUUID: idOf(name), comment });
  }
  await ask('PATCH', '/api/v0/accounts/admin/settings', { contentCacheUUID: idOf('eu-central') });
  for (const name of ['omar', 'sofia', 'tomasz']) {
    await ask('PATCH', `/api/v0/accounts/${name}/settings`, { contentCacheUUID: idOf('region-us') });
  }
  for (const rule of [
    { repository: 'acme/*', tag: '1.*', platforms: ['linux/amd64', 'linux/arm64'] },
    { repository: 'platform/base-images', tag: '*', contentCaches: [idOf('eu-central'), idOf('region-us')] },
  ]) {
    await ask('POST', '/api/v0/content_cache_prefetch_rules', rule);
  }
}

async function pushWeb(ask: Client): Promise<void> {
  const repository = 'acme/web';
  const base = await pushBlob(ask, repository, Buffer.alloc(29_400_000, 'base'));
  const runtime = await pushBlob(ask, repository, Buffer.alloc(11_800_000, 'runtime'));
  let newest = '';
  for (const [tag, megabytes, platforms] of [
    ['1.3.9', 3.1, ['amd64', 'arm64']],
    ['1.4.0', 3.4, ['amd64', 'arm64']],
    ['1.4.1', 3.4, ['amd64', 'arm64', 'arm']],
    ['1.4.2', 3.5, ['amd64', 'arm64', 'arm']],
    ['nightly', 3.9, ['amd64']],
  ] as const) {
    const images = [];
    for (const architecture of platforms) {
      const app = await pushBlob(ask, repository, Buffer.alloc(megabytes * 1e6, `${tag} ${architecture}`));
      const config = await pushBlob(
        ask,
        repository,
        Buffer.from(JSON.stringify({ architecture, os: 'linux', tag })),
      );
      const manifest = await pushManifest(ask, repository, undefined, imageType, {
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
        layers: [base, runtime, app].map((blob) => ({
          mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
          ...blob,
        })),
      });
      images.push({ mediaType: imageType, ...manifest, platform: { architecture, os: 'linux' } });
    }
    const index = await pushManifest(ask, repository, tag, indexType, { manifests: images });
    if (tag === '1.4.2') {
      await pushManifest(ask, repository, 'latest', indexType, { manifests: images });
      newest = index.digest;
      for (const artifactType of ['application/vnd.dev.sigstore.bundle.v0.3+json', 'application/spdx+json']) {
        const content = await pushBlob(ask, repository, Buffer.alloc(18_000, artifactType));
        const empty = await pushBlob(ask, repository, Buffer.from('{}'));
        await pushManifest(ask, repository, undefined, imageType, {
          artifactType,
          config: { mediaType: 'application/vnd.oci.empty.v1+json', ...empty },
          layers: [{ mediaType: artifactType, ...content }],
          subject: { mediaType: indexType, digest: newest, size: index.size },
        });
      }
    }
  }
}

async function pushSmall(ask: Client, repository: string, tag: string): Promise<void> {
  const config = await pushBlob(
    ask,
    repository,
    Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux' })),
  );
  const layer = await pushBlob(ask, repository, Buffer.alloc(1_000_000, tag));
  await pushManifest(ask, repository, tag, imageType, {
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }],
  });
}

async function pushBlob(
  ask: Client,
  repository: string,
  bytes: Buffer,
): Promise<{ digest: string; size: number }> {
  const digest = digestOf(bytes);
  await ask('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, bytes, {
    'Content-Type': 'application/octet-stream',
  });
  return { digest, size: bytes.byteLength };
}

/** Under the tag, or by its digest alone. */
async function pushManifest(
  ask: Client,
  repository: string,
  tag: string | undefined,
  mediaType: string,
  members: Record<string, unknown>,
): Promise<{ digest: string; size: number }> {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...members }));
  const digest = digestOf(bytes);
  await ask('PUT', `/v2/${repository}/manifests/${tag ?? digest}`, bytes, { 'Content-Type': mediaType });
  return { digest, size: bytes.byteLength };
}

const hourMs = 3_600_000;

/** Days of use, which no script has the time to wait for. */
function dress(file: string): void {
  const database = new BetterSqlite3(file);
  try {
    const now = systemClock();
    for (const [name, pulls] of [
      ['acme/api', 48_211],
      ['acme/billing', 9_312],
      ['acme/web', 128_934],
      ['acme/web-assets', 20_114],
      ['platform/base-images', 1_204_331],
      ['platform/ci-tools', 88_012],
      ['platform/postgres', 6_120],
      ['research/notebooks', 811],
      ['research/training', 92],
    ] as const) {
      database.prepare('update repositories set pulls = ? where name = ?').run(pulls, name);
    }
    const tags = database.prepare("select name from tags order by name = 'nightly', name").all() as {
      name: string;
    }[];
    for (const [index, { name }] of tags.entries()) {
      database
        .prepare('update tags set updated_at = ? where name = ?')
        .run(now - (tags.length - index) ** 3 * 0.4 * hourMs, name);
    }
    const health = database.prepare(
      `update content_cache_health set state = ?, since = ?, reason = ?, message = ?, troubled_at = ?, probed_at = ?,
         latency_ms = ?, clock_skew_ms = 40, version = '0.1.0', protocol = '1', disk_size_bytes = 2e12, disk_free_bytes = ?,
         stored_blobs = ?, stored_bytes = ?, revision = revision + 1, lease_until = ? where content_cache_id = ?`,
    );
    const later = now + 48 * hourMs;
    const refused = 'it refuses connections: is it running, and is the port right?';
    health.run(
      'down',
      now - 0.2 * hourMs,
      'refused',
      refused,
      now - 4_000,
      now - 4_000,
      null,
      1.7e12,
      9_120,
      1.1e11,
      later,
      find(file, 'ap-south'),
    );
    health.run(
      'healthy',
      now - 71 * hourMs,
      null,
      null,
      null,
      now - 6_000,
      14,
      1.31e12,
      48_122,
      6.9e11,
      later,
      find(file, 'eu-central'),
    );
    health.run(
      'healthy',
      now - 260 * hourMs,
      null,
      null,
      null,
      now - 2_000,
      88,
      1.02e12,
      61_008,
      9.8e11,
      later,
      find(file, 'region-us'),
    );
    use(database, find(file, 'eu-central'), now);
    work(database, now);
  } finally {
    database.close();
  }
}

/** Purges and prefetches of the last days; one of them goes on, at a cache that is away. */
function work(database: BetterSqlite3.Database, now: number): void {
  const caches = database.prepare('select id, name from content_caches order by name').all() as {
    id: string;
    name: string;
  }[];
  const insertJob = database.prepare(
    "insert into jobs values (?, ?, ?, ?, ?, null, ?, ?, ?, '00000000-0000-4000-8000-00000000000a', ?)",
  );
  const insertTarget = database.prepare('insert into job_targets values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const insertLine = database.prepare('insert into job_logs values (?, ?, ?)');
  for (const [index, [action, parameters, status, by, hoursAgo]] of (
    [
      [
        'content-cache-prefetch',
        { repository: 'acme/web', reference: '1.4.2' },
        'running',
        'ci-runner',
        0.02,
      ],
      ['content-cache-prefetch', { repository: 'acme/web', reference: '1.4.1' }, 'done', 'ci-runner', 11],
      ['content-cache-purge', { unreferenced: true }, 'done', 'jane', 30],
      ['content-cache-purge', { repository: 'research/training' }, 'errored', 'admin', 52],
      ['content-cache-prefetch', { repository: 'platform/base-images' }, 'done', 'omar', 75],
    ] as const
  ).entries()) {
    const id = `00000000-0000-4000-8000-00000000010${index}`;
    const at = now - hoursAgo * hourMs;
    const deadline = status === 'running' ? now + hourMs : at + hourMs;
    // Leased for longer than the pictures take: the origin leaves it as it is.
    insertJob.run(id, action, JSON.stringify(parameters), status, by, at, at, deadline, now + 48 * hourMs);
    if (status !== 'running') {
      const [blobs, bytes] = action === 'content-cache-prefetch' ? [12, 5.17e7] : [null, null];
      for (const { id: cacheId, name } of caches) {
        const isDone = status === 'done' || name !== 'ap-south';
        const message = isDone ? '' : 'its certificate has expired';
        const [doneBlobs, doneBytes] = isDone ? [12, 5.17e7] : [0, 0];
        const state = isDone ? 'done' : status;
        insertTarget.run(id, cacheId, name, state, doneBlobs, blobs, doneBytes, bytes, message);
      }
      insertLine.run(id, 1, `${new Date(at).toISOString()} begun at 3 content caches`);
      continue;
    }
    for (const { id: cacheId, name } of caches) {
      const [state, blobs, bytes, message] =
        {
          'eu-central': ['done', 12, 5.17e7, ''] as const,
          'region-us': ['running', 7, 3.34e7, ''] as const,
        }[name] ??
        (['waiting', 0, 0, 'it refuses connections: is it running, and is the port right?'] as const);
      insertTarget.run(id, cacheId, name, state, blobs, 12, bytes, 5.17e7, message);
    }
    const line = (afterMs: number) => new Date(at + afterMs).toISOString();
    insertLine.run(id, 1, `${line(0)} begun at 3 content caches`);
    insertLine.run(
      id,
      2,
      `${line(1_200)} ap-south: it refuses connections: is it running, and is the port right?`,
    );
    insertLine.run(id, 3, `${line(24_000)} eu-central: done`);
  }
}

/** A month of pulls that rise and fall with the day. */
function use(database: BetterSqlite3.Database, cacheId: string, now: number): void {
  const insert = database.prepare('insert into content_cache_usage values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const record = (period: string, startsAt: number, repository: string, account: string, blobs: number) => {
    const misses = Math.round(blobs * 0.07);
    insert.run(
      cacheId,
      period,
      startsAt,
      repository,
      account,
      blobs,
      blobs - misses,
      misses,
      blobs > 4_000 ? 1 : 0,
      blobs * 2.3e6,
      misses * 2.3e6,
    );
  };
  const shares = [
    ['platform/base-images', 'ci-runner', 0.44],
    ['acme/web', 'jane', 0.22],
    ['acme/api', 'omar', 0.16],
    ['platform/ci-tools', 'sofia', 0.11],
    ['research/training', 'tomasz', 0.07],
  ] as const;
  const add = (period: string, startsAt: number, blobs: number) => {
    record(period, startsAt, '', '', Math.round(blobs));
    for (const [repository, account, share] of shares) {
      record(period, startsAt, repository, account, Math.round(blobs * share));
    }
  };
  const thisHour = Math.floor(now / hourMs);
  for (let hour = thisHour - 26; hour <= thisHour; hour += 1) {
    const day = 1 + 0.85 * Math.sin(((hour - thisHour + 26) / 26) * Math.PI * 2 - 1.9);
    add('hour', hour * hourMs, 900 + 2_900 * day + ((hour * 37) % 11) * 60);
  }
  const today = Math.floor(thisHour / 24);
  for (let day = today - 31; day <= today; day += 1) {
    const isWeekend = (day + 4) % 7 === 0 || (day + 4) % 7 === 6;
    add('day', day * 24 * hourMs, (isWeekend ? 21_000 : 74_000) + ((day * 53) % 13) * 1_500);
  }
  for (let minute = 0; minute < 60; minute += 1)
    add('minute', (Math.floor(now / 60_000) - minute) * 60_000, 60);
}

function find(file: string, cache: string): string {
  const database = new BetterSqlite3(file, { readonly: true });
  try {
    const row = database.prepare('select id from content_caches where name = ?').get(cache) as
      | { id: string }
      | undefined;
    return row?.id ?? '';
  } finally {
    database.close();
  }
}
