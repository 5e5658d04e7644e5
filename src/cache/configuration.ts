/**
 * The cache's configuration: a Docker Registry configuration file with the `downstream` middleware, and `REGISTRY_…` variables
 * over it. What means something for a cache is honoured, what means nothing is noted, and the rest is refused with its
 * line (configuration/keys.ts).
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { parseBytes } from '../shared/byte-size.ts';
import { parseDurationMs, parseGoDurationMs } from '../shared/duration.ts';
import { type ListenAddress, parseListenAddress } from '../shared/http/shutdown.ts';
import type { LogFormat, LogLevel } from '../shared/logging.ts';
import { checkKeys } from './configuration/check-keys.ts';
import { opensslNameOf } from './configuration/cipher-suites.ts';
import { applyEnvironment, type Environment } from './configuration/environment.ts';
import { ConfigurationInvalid, type Path, Problems } from './configuration/problems.ts';
import { type ConfigurationFile, configurationFile, type DownstreamOptions } from './configuration/schema.ts';

/** Where blobs and keys of one origin come from. */
export interface Upstream {
  /** The origin's address, the last that is asked; `undefined` in the flat form, where any of `hosts` may be it. */
  readonly originHost: string | undefined;
  /** Next hops, asked in turn. */
  readonly hosts: readonly string[];
}

/** PEM texts, and what of TLS is allowed. */
export interface CacheTls {
  readonly certificate: string;
  readonly key: string;
  /** Clients must show a certificate that one of these signed; empty: none is asked for. */
  readonly clientCas: readonly string[];
  readonly minimum: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's names; `undefined`: Node's own choice. */
  readonly ciphers: string | undefined;
}

export interface CacheConfiguration {
  readonly listen: ListenAddress;
  /** Its own address for clients, `scheme://host[:port]`: commands for another are refused. `undefined`: not said. */
  readonly host: string | undefined;
  /** Requests may come below this path, too: behind a proxy that does not take it away. Ends with a slash. */
  readonly prefix: string;
  readonly tls: CacheTls | undefined;
  readonly log: {
    readonly level: LogLevel;
    readonly format: LogFormat;
    /** Added to every line. */
    readonly fields: Readonly<Record<string, string | number | boolean>>;
    /** Whether answered requests have a line; refused and failed ones always have. */
    readonly access: boolean;
  };
  /** `undefined`: in memory, or what the system has for it; nothing is kept. */
  readonly rootDirectory: string | undefined;
  /** Blobs not pulled for this long are deleted; `undefined`: never. */
  readonly blobTtlMs: number | undefined;
  /** Blobs fetched longer ago than this are deleted; `undefined`: never. */
  readonly maxAgeMs: number | undefined;
  /** Above this, the least recently pulled blobs are deleted; `undefined`: no limit. */
  readonly maxSizeBytes: number | undefined;
  /** Fractions of the disk: filled to the high one, the least recently pulled blobs go until the low one is reached. */
  readonly watermarks: { readonly high: number; readonly low: number } | undefined;
  /** Fills at the same time; others wait. */
  readonly maxFills: number;
  readonly timeouts: {
    /** To connect to an upstream. */
    readonly connectMs: number;
    /** Between two bytes of an upstream, its headers included. */
    readonly idleMs: number;
  };
  readonly upstreams: readonly Upstream[];
  /** PEM texts of CA certificates trusted beside the system's. */
  readonly cas: readonly string[];
  /** Headers added to every answer. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** How long running requests may take to end after SIGTERM. */
  readonly drainMs: number;
  /** Metrics and health for the operator; `undefined`: none. */
  readonly debug: { readonly listen: ListenAddress; readonly metricsPath: string | undefined } | undefined;
  readonly health: {
    readonly storage: HealthCheck | undefined;
    /** While such a file exists the cache calls itself unhealthy: to take it out of service by hand. */
    readonly files: readonly (HealthCheck & { readonly path: string })[];
  };
  /** What was accepted and has no effect here, in words. */
  readonly notes: readonly string[];
}

export interface HealthCheck {
  readonly intervalMs: number;
  /** So many failures in a row mean unhealthy. */
  readonly threshold: number;
}

const defaults = {
  rootDirectory: '/var/lib/registry',
  drainMs: 10_000,
  maxFills: 256,
  connectTimeoutMs: 5_000,
  idleTimeoutMs: 30_000,
  checkIntervalMs: 10_000,
  checkThreshold: 3,
} as const;

const optionsPath = ['middleware', 'registry', 0, 'options'] as const;

/**
 * Reads and checks the file, with the variables over it.
 * @throws ConfigurationInvalid with every problem found, each with its line or variable
 */
export function readConfiguration(path: string, environment: Environment): CacheConfiguration {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigurationInvalid([`${path}: cannot be read: ${(error as Error).message}`]);
  }
  return parseConfiguration(text, path, environment);
}

/** `path` is named in problems. @throws ConfigurationInvalid */
export function parseConfiguration(
  text: string,
  path: string,
  environment: Environment = {},
): CacheConfiguration {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const problems = new Problems(path, document, lines);
  for (const error of document.errors)
    problems.addAt(lines.linePos(error.pos[0]).line, 'YAML', error.message.split('\n')[0] as string);
  problems.throwIfAny();
  const ignored = applyEnvironment(document, environment, problems);
  let json: unknown;
  try {
    json = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    problems.addAt(1, 'YAML', (error as Error).message);
  }
  problems.throwIfAny();
  const notes = [...ignored, ...checkKeys(json, problems)];
  const parsed = configurationFile.safeParse(withoutEmpty(json));
  if (!parsed.success) for (const issue of parsed.error.issues) addIssue(problems, issue, []);
  problems.throwIfAny();
  const configuration = toConfiguration(parsed.data as ConfigurationFile, notes, problems);
  problems.throwIfAny();
  return configuration;
}

/** A key without a value counts as not there, but for `inmemory`, which never has one. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => inner !== null || name === 'inmemory')
      .map(([name, inner]) => [name, withoutEmpty(inner)]),
  );
}

function toConfiguration(
  parsed: ConfigurationFile,
  notes: readonly string[],
  problems: Problems,
): CacheConfiguration {
  const { http = {}, log = {} } = parsed;
  const { options } = parsed.middleware.registry[0] as ConfigurationFile['middleware']['registry'][number];
  const option = (name: string): Path => [...optionsPath, name];
  return {
    listen: listenAddress(http.addr ?? ':5000', ['http', 'addr'], problems),
    host: http.host === undefined ? undefined : ownHost(http.host, problems),
    prefix: http.prefix ?? '/',
    tls: http.tls && toTls(http.tls, problems),
    log: {
      level: log.level ?? parsed.loglevel ?? 'info',
      format: log.formatter ?? 'json',
      fields: log.fields ?? {},
      access: log.accesslog?.disabled !== true,
    },
    rootDirectory: toRootDirectory(parsed.storage, problems),
    blobTtlMs: blobTtl(options.blobttl, parsed.storage.delete?.enabled === true, problems),
    maxAgeMs: duration(options.maxage, option('maxage'), problems),
    maxSizeBytes: size(options.maxsize, option('maxsize'), problems),
    watermarks: toWatermarks(options, problems),
    maxFills: options.maxfills ?? defaults.maxFills,
    timeouts: {
      connectMs:
        duration(options.timeouts?.connect, [...option('timeouts'), 'connect'], problems) ??
        defaults.connectTimeoutMs,
      idleMs:
        duration(options.timeouts?.idle, [...option('timeouts'), 'idle'], problems) ?? defaults.idleTimeoutMs,
    },
    upstreams: toUpstreams(options.upstreams, problems),
    cas: (options.cas ?? []).map((ca, index) => {
      if (!isAbsolute(ca)) problems.add([...option('cas'), index], `expected an absolute path, not ${ca}`);
      return readPem(ca, [...option('cas'), index], problems);
    }),
    headers: http.headers ?? {},
    drainMs: goDuration(http.draintimeout, ['http', 'draintimeout'], problems) ?? defaults.drainMs,
    debug: toDebug(http.debug, problems),
    health: toHealth(parsed.health ?? {}, problems),
    notes,
  };
}

function listenAddress(text: string, path: Path, problems: Problems): ListenAddress {
  const address = parseListenAddress(text);
  if (address === undefined) problems.add(path, `expected [host]:port, not ${text}`);
  return address ?? { host: undefined, port: 0 };
}

function toRootDirectory(storage: ConfigurationFile['storage'], problems: Problems): string | undefined {
  const inMemory = 'inmemory' in storage;
  if (inMemory && storage.filesystem !== undefined) {
    problems.add(['storage', 'inmemory'], 'expected one of filesystem and inmemory, not both');
  }
  if (inMemory) return undefined;
  if (storage.filesystem === undefined) problems.add(['storage'], 'expected filesystem or inmemory');
  const directory = storage.filesystem?.rootdirectory ?? defaults.rootDirectory;
  if (!isAbsolute(directory))
    problems.add(['storage', 'filesystem', 'rootdirectory'], 'expected an absolute path');
  return directory;
}

type TlsOptions = NonNullable<NonNullable<ConfigurationFile['http']>['tls']>;

function toTls(tls: TlsOptions, problems: Problems): CacheTls {
  const path = (...rest: Path): Path => ['http', 'tls', ...rest];
  const suites = tls.ciphersuites?.map((suite, index) => {
    const name = opensslNameOf(suite);
    if (name === undefined) problems.add(path('ciphersuites', index), `${suite} is not supported`);
    return name;
  });
  const minimum = (tls.minimumtls ?? 'tls1.2').replace('tls1.0', 'tls1').replace('tls', 'TLSv');
  return {
    certificate: readPem(tls.certificate, path('certificate'), problems),
    key: readText(tls.key, path('key'), problems),
    clientCas: (tls.clientcas ?? []).map((ca, index) => readPem(ca, path('clientcas', index), problems)),
    minimum: minimum as CacheTls['minimum'],
    ciphers: suites === undefined || suites.length === 0 ? undefined : suites.join(':'),
  };
}

function toDebug(
  debug: NonNullable<ConfigurationFile['http']>['debug'],
  problems: Problems,
): CacheConfiguration['debug'] {
  const { addr, prometheus } = debug ?? {};
  if (addr === undefined) {
    if (prometheus?.enabled) problems.add(['http', 'debug'], 'expected addr beside prometheus');
    return undefined;
  }
  return {
    listen: listenAddress(addr, ['http', 'debug', 'addr'], problems),
    metricsPath: prometheus?.enabled ? (prometheus.path ?? '/metrics') : undefined,
  };
}

function toHealth(
  health: NonNullable<ConfigurationFile['health']>,
  problems: Problems,
): CacheConfiguration['health'] {
  const check = (
    checked: { interval?: string | number | undefined; threshold?: number | undefined },
    path: Path,
  ): HealthCheck => ({
    intervalMs: goDuration(checked.interval, [...path, 'interval'], problems) ?? defaults.checkIntervalMs,
    threshold: checked.threshold ?? defaults.checkThreshold,
  });
  const { storagedriver, file = [] } = health;
  return {
    // As in the registry: on by itself, and off only when the file says so.
    storage:
      storagedriver?.enabled === false ? undefined : check(storagedriver ?? {}, ['health', 'storagedriver']),
    files: file.map((item, index) => ({ path: item.file, ...check(item, ['health', 'file', index]) })),
  };
}

function blobTtl(
  value: string | number | undefined,
  deleteEnabled: boolean,
  problems: Problems,
): number | undefined {
  const path = [...optionsPath, 'blobttl'];
  const ttlMs = duration(value, path, problems);
  if (value !== undefined && !deleteEnabled) {
    problems.add(path, 'If this field is configured, "storage.delete.enabled" must be configured to true.');
  }
  return ttlMs;
}

/** As `blobttl` is written, and the options beside it. */
function duration(value: string | number | undefined, path: Path, problems: Problems): number | undefined {
  if (value === undefined) return undefined;
  const durationMs = parseDurationMs(String(value));
  if (durationMs === undefined) {
    problems.add(
      path,
      `expected a positive integer and an optional unit ns, us, ms, s, m or h, not ${value}`,
    );
  }
  return durationMs;
}

function goDuration(value: string | number | undefined, path: Path, problems: Problems): number | undefined {
  if (value === undefined) return undefined;
  const durationMs = parseGoDurationMs(String(value));
  if (durationMs === undefined) problems.add(path, `expected a duration such as 90s or 1m30s, not ${value}`);
  return durationMs;
}

function size(value: string | number | undefined, path: Path, problems: Problems): number | undefined {
  if (value === undefined) return undefined;
  const bytes = parseBytes(String(value));
  if (bytes === undefined) problems.add(path, `expected a size such as 500GiB, not ${value}`);
  return bytes;
}

function toWatermarks(options: DownstreamOptions, problems: Problems): CacheConfiguration['watermarks'] {
  if (options.highwatermark === undefined && options.lowwatermark === undefined) return undefined;
  const fraction = (name: 'highwatermark' | 'lowwatermark', otherwise: number): number => {
    const value = options[name];
    if (value === undefined) return otherwise;
    const percent = Number(/^(\d{1,2}(?:\.\d+)?)%?$/.exec(String(value))?.[1]);
    if (percent > 0) return percent / 100;
    problems.add([...optionsPath, name], `expected a percentage of the disk such as 90%, not ${value}`);
    return otherwise;
  };
  const high = fraction('highwatermark', 0.9);
  const low = fraction('lowwatermark', high * 0.9);
  if (low >= high) problems.add([...optionsPath, 'lowwatermark'], 'expected less than highwatermark');
  return { high, low };
}

function toUpstreams(entries: DownstreamOptions['upstreams'], problems: Problems): Upstream[] {
  const path = (...rest: Path): Path => [...optionsPath, 'upstreams', ...rest];
  const flat = entries.flatMap((entry, index) =>
    typeof entry === 'string' ? [hostUrl(entry, path(index), problems)] : [],
  );
  const perOrigin = entries.flatMap((entry, index) =>
    typeof entry === 'string'
      ? []
      : [
          {
            originHost: hostUrl(entry.originhost, path(index, 'originhost'), problems),
            hosts: (entry.upstreamhosts ?? []).map((host, at) =>
              hostUrl(host, path(index, 'upstreamhosts', at), problems),
            ),
          },
        ],
  );
  return flat.length === 0 ? perOrigin : [...perOrigin, { originHost: undefined, hosts: flat }];
}

/** As in the registry it may have a path, which means nothing here. */
function ownHost(text: string, problems: Problems): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    problems.add(['http', 'host'], `expected https://<host>[:<port>], not ${text}`);
  }
  return url?.origin ?? text;
}

function hostUrl(text: string, path: Path, problems: Problems): string {
  const url = URL.parse(text);
  const plain =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '';
  if (!plain) problems.add(path, `expected https://<host>[:<port>], not ${text}`);
  return url?.origin ?? text;
}

function readPem(path: string, key: Path, problems: Problems): string {
  const text = readText(path, key, problems);
  if (text === '') return text;
  try {
    new X509Certificate(text);
  } catch {
    problems.add(key, `${path} holds no PEM certificate`);
  }
  return text;
}

function readText(path: string, key: Path, problems: Problems): string {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.trim() === '') problems.add(key, `${path} is empty`);
    return text;
  } catch (error) {
    problems.add(key, `${path} cannot be read: ${(error as Error).message}`);
    return '';
  }
}

function addIssue(problems: Problems, issue: z.core.$ZodIssue, prefix: Path): void {
  const path = [...prefix, ...(issue.path as (string | number)[])];
  // Of a union, what is wrong with the form that was meant: the one whose type fits.
  const branch =
    issue.code === 'invalid_union'
      ? issue.errors.find((issues) => issues.some((one) => one.path.length > 0))
      : undefined;
  if (branch !== undefined) {
    for (const inner of branch) addIssue(problems, inner, path);
    return;
  }
  problems.add(path, issue.message.replace(/^Invalid input: /, ''));
}
