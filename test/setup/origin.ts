/** A real origin in this process: its own data directory, its own port, its clock the test's if it wants. */
import { readFile } from 'node:fs/promises';
import { after } from 'node:test';
import type { SignInLimitsOptions } from '../../src/origin/accounts/sign-in-limits.ts';
import { adminPasswordFile } from '../../src/origin/first-start.ts';
import { defaultPolicy } from '../../src/origin/images/garbage-collection.ts';
import { startOrigin } from '../../src/origin/server.ts';
import type { Network } from '../../src/shared/cidr.ts';
import { type Clock, systemClock } from '../../src/shared/clock.ts';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { freePort } from './free-port.ts';
import { keepingLogger, type LogLine } from './logger.ts';
import { tempDirectory } from './temp-directory.ts';

export interface TestOrigin {
  readonly url: string;
  /** Where metrics are, if they were asked for. */
  readonly metricsUrl: string;
  readonly dataDirectory: string;
  readonly adminPassword: string;
  readonly logs: LogLine[];
  /** A registry token for the user, with the scopes. */
  token(user: string | undefined, password: string, ...scopes: string[]): Promise<string>;
  /** A request to the registry with a token of the admin that reaches everything in `repository`. */
  registry(method: string, path: string, init?: RequestInit & { token?: string }): Promise<Response>;
  /** A request to the API as the admin, or as whoever `user` says (`name:password`). */
  api(method: string, path: string, body?: unknown, user?: string): Promise<Response>;
  /** Ends it and starts it anew on the same data and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Plain HTTP; looks at content caches only if it is told how often; stopped when the surrounding suite (or file) ends. */
export async function startTestOrigin(
  options: {
    clock?: Clock;
    trustedProxies?: readonly Network[];
    probeIntervalMs?: number;
    metrics?: boolean;
    /** With what a restore brought back, say. */
    dataDirectory?: string;
    /** Generous by default: tests fail to sign in often. */
    signInLimits?: SignInLimitsOptions;
  } = {},
): Promise<TestOrigin> {
  const dataDirectory = options.dataDirectory ?? (await tempDirectory());
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { logger, lines } = keepingLogger();
  const start = () =>
    startOrigin(
      {
        dataDirectory,
        listen: { host: '127.0.0.1', port },
        externalUrl: url,
        tls: { kind: 'off' },
        trustedProxies: options.trustedProxies ?? [],
        logLevel: 'debug',
        probePrivateNetworks: true,
        probeIntervalMs: options.probeIntervalMs,
        metricsListen: options.metrics === true ? { host: '127.0.0.1', port: 0 } : undefined,
        registryTokenSeconds: 300,
        apiTokenSeconds: 300,
        signedUrlSeconds: 600,
        signInLimits: options.signInLimits ?? { perAddress: 10_000, perAccount: 10_000 },
        eventAgeMs: undefined,
        drainMs: 1_000,
        garbageCollection: { ...defaultPolicy, intervalMs: undefined },
      },
      { logger, clock: options.clock ?? systemClock },
    );
  let running = await start();
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    await running.close();
  };
  after(close);
  const adminPassword = (await readFile(adminPasswordFile(dataDirectory), 'utf8')).trim();
  const adminTokens = new Map<string, Promise<string>>();
  /** Asked for once: checking a password takes long, on purpose. Not where the clock is the test's and may pass its end. */
  const adminToken = (scope: string) => {
    const known = adminTokens.get(scope) ?? origin.token('admin', adminPassword, scope);
    if (options.clock === undefined) adminTokens.set(scope, known);
    return known;
  };
  const origin: TestOrigin = {
    url,
    get metricsUrl() {
      return `http://127.0.0.1:${running.metricsPort}/metrics`;
    },
    dataDirectory,
    adminPassword,
    logs: lines,
    token: async (user, password, ...scopes) => {
      const query = new URLSearchParams([
        ['service', new URL(url).host],
        ...scopes.map((scope) => ['scope', scope] as [string, string]),
      ]);
      const headers: Record<string, string> =
        user === undefined ? {} : { Authorization: basic(`${user}:${password}`) };
      const response = await fetch(`${url}/auth/token?${query}`, { headers });
      if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
      return ((await response.json()) as { token: string }).token;
    },
    registry: async (method, path, { token, ...init } = {}) => {
      const repository = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(path)?.[1];
      const scope = repository === undefined ? 'registry:catalog:*' : `repository:${repository}:*`;
      const bearer = token ?? (await adminToken(scope));
      const headers = new Headers(init.headers);
      headers.set('Authorization', `Bearer ${bearer}`);
      return fetch(new URL(path, url), { redirect: 'manual', ...init, method, headers });
    },
    api: (method, path, body, user = `admin:${adminPassword}`) =>
      fetch(`${url}/api/v0${path}`, {
        method,
        headers: {
          Authorization: basic(user),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    restart: async () => {
      await running.close();
      running = await start();
    },
    close,
  };
  return origin;
}

export function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** Pushes a blob in one request and returns its digest. */
export async function pushBlob(origin: TestOrigin, repository: string, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  const response = await origin.registry('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    body: Buffer.from(bytes),
  });
  if (response.status !== 201)
    throw new Error(`blob not pushed: ${response.status} ${await response.text()}`);
  return digest;
}

export const imageMediaType = 'application/vnd.oci.image.manifest.v1+json';

/** Pushes an image of the layers under the tag and returns its digest and its manifest's bytes. */
export async function pushImage(
  origin: TestOrigin,
  repository: string,
  tag: string,
  layers: readonly Uint8Array[],
): Promise<{ digest: Digest; manifest: string; layers: Digest[] }> {
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', tag }));
  const descriptor = async (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: await pushBlob(origin, repository, bytes),
    size: bytes.byteLength,
  });
  const described = [];
  for (const layer of layers)
    described.push(await descriptor('application/vnd.oci.image.layer.v1.tar', layer));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: imageMediaType,
    config: await descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: described,
  });
  const response = await origin.registry('PUT', `/v2/${repository}/manifests/${tag}`, {
    body: manifest,
    headers: { 'Content-Type': imageMediaType },
  });
  if (response.status !== 201)
    throw new Error(`manifest not pushed: ${response.status} ${await response.text()}`);
  return { digest: digestOf(Buffer.from(manifest)), manifest, layers: described.map(({ digest }) => digest) };
}
