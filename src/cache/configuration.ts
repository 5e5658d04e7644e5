/**
 * The cache's configuration: a Docker Registry configuration file with the `downstream` middleware. What means
 * something for a cache is honoured, what means nothing is noted, and the rest is refused with its line.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { parseDurationMs } from '../shared/duration.ts';
import { type ListenAddress, parseListenAddress } from '../shared/http/shutdown.ts';
import type { LogLevel } from '../shared/logging.ts';
import { ConfigurationInvalid, type Path, Problems } from './configuration-problems.ts';

/** Where blobs and keys of one origin come from. */
export interface Upstream {
  /** The origin's address, the last that is asked; `undefined` in the flat form, where any of `hosts` may be it. */
  readonly originHost: string | undefined;
  /** Next hops, asked in turn. */
  readonly hosts: readonly string[];
}

export interface CacheConfiguration {
  readonly listen: ListenAddress;
  /** PEM texts. */
  readonly tls:
    | { readonly certificate: string; readonly key: string; readonly minimum: 'TLSv1.2' | 'TLSv1.3' }
    | undefined;
  readonly logLevel: LogLevel;
  readonly rootDirectory: string;
  /** Blobs not pulled for this long are deleted; `undefined`: never. */
  readonly blobTtlMs: number | undefined;
  readonly upstreams: readonly Upstream[];
  /** PEM texts of CA certificates trusted beside the system's. */
  readonly cas: readonly string[];
  /** Headers added to every answer. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** How long running requests may take to end after SIGTERM. */
  readonly drainMs: number;
  /** What was accepted and has no effect here, in words. */
  readonly notes: readonly string[];
}

const defaultDrainMs = 10_000;
const ignored = z.unknown();

const downstreamOptions = z.strictObject({
  blobttl: z.union([z.string(), z.number()]).optional(),
  upstreams: z
    .array(
      z.union([
        z.string(),
        z.strictObject({ originhost: z.string(), upstreamhosts: z.array(z.string()).optional() }),
      ]),
    )
    .min(1),
  cas: z.array(z.string()).nullish(),
});

const file = z.strictObject({
  version: z.union([z.literal(0.1), z.literal('0.1')], 'expected 0.1'),
  log: z
    .strictObject({
      level: z.enum(['error', 'warn', 'info', 'debug']).optional(),
      formatter: z.enum(['text', 'json', 'logstash']).optional(),
      fields: ignored,
      accesslog: ignored,
    })
    .partial()
    .optional(),
  storage: z.strictObject({
    filesystem: z.strictObject({ rootdirectory: z.string(), maxthreads: ignored.optional() }),
    delete: z.strictObject({ enabled: z.boolean() }).optional(),
    redirect: ignored.optional(),
    cache: ignored.optional(),
    maintenance: ignored.optional(),
  }),
  http: z
    .strictObject({
      addr: z.string().optional(),
      host: ignored.optional(),
      secret: ignored.optional(),
      relativeurls: ignored.optional(),
      draintimeout: z.union([z.string(), z.number()]).optional(),
      headers: z.record(z.string(), z.array(z.string())).optional(),
      http2: ignored.optional(),
      debug: ignored.optional(),
      tls: z
        .strictObject({
          certificate: z.string(),
          key: z.string(),
          minimumtls: z.enum(['tls1.2', 'tls1.3']).optional(),
        })
        .optional(),
    })
    .optional(),
  health: ignored.optional(),
  middleware: z.strictObject({
    registry: z
      .array(z.strictObject({ name: z.literal('downstream'), options: downstreamOptions }))
      .length(1, 'expected one middleware named downstream'),
  }),
});

type ConfigurationFile = z.infer<typeof file>;

/** Keys that are accepted because registries' files have them, and why they do nothing here. */
const notes: readonly (readonly [path: readonly string[], note: string])[] = [
  [['log', 'formatter'], 'log.formatter: this cache always logs JSON'],
  [['log', 'fields'], 'log.fields has no effect'],
  [['log', 'accesslog'], 'log.accesslog has no effect: there is one line per pull'],
  [['storage', 'filesystem', 'maxthreads'], 'storage.filesystem.maxthreads has no effect'],
  [['storage', 'redirect'], 'storage.redirect has no effect: a cache serves blobs itself'],
  [['storage', 'cache'], 'storage.cache has no effect'],
  [['storage', 'maintenance'], 'storage.maintenance has no effect: a cache has no uploads'],
  [['http', 'host'], 'http.host has no effect: the origin decides where clients are sent'],
  [['http', 'secret'], 'http.secret has no effect: a cache holds no secret'],
  [['http', 'relativeurls'], 'http.relativeurls has no effect'],
  [['http', 'http2'], 'http.http2 has no effect: this cache speaks HTTP/1.1'],
  [['http', 'debug'], 'http.debug has no effect: this cache has no debug server'],
  [['health'], 'health has no effect: /health is always there'],
];

/** Reads and checks the file. @throws ConfigurationInvalid with every problem found, each with its line */
export function readConfiguration(path: string): CacheConfiguration {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigurationInvalid([`${path}: cannot be read: ${(error as Error).message}`]);
  }
  return parseConfiguration(text, path);
}

/** `path` is named in problems. @throws ConfigurationInvalid */
export function parseConfiguration(text: string, path: string): CacheConfiguration {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const problems = new Problems(path, document, lines);
  for (const error of document.errors)
    problems.addAt(lines.linePos(error.pos[0]).line, 'YAML', error.message.split('\n')[0] as string);
  problems.throwIfAny();
  const parsed = file.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) {
    for (const issue of parsed.error.issues) addIssue(problems, issue, []);
    problems.throwIfAny();
  }
  const configuration = toConfiguration(parsed.data as ConfigurationFile, problems);
  problems.throwIfAny();
  return configuration;
}

function toConfiguration(parsed: ConfigurationFile, problems: Problems): CacheConfiguration {
  const { http = {}, storage } = parsed;
  const { options } = parsed.middleware.registry[0] as ConfigurationFile['middleware']['registry'][number];
  const optionsPath = ['middleware', 'registry', 0, 'options'] as const;
  const listen = parseListenAddress(http.addr ?? ':5000');
  if (listen === undefined) problems.add(['http', 'addr'], 'expected [host]:port');
  if (!isAbsolute(storage.filesystem.rootdirectory)) {
    problems.add(['storage', 'filesystem', 'rootdirectory'], 'expected an absolute path');
  }
  return {
    listen: listen as ListenAddress,
    tls: http.tls && {
      certificate: readPem(http.tls.certificate, ['http', 'tls', 'certificate'], problems),
      key: readText(http.tls.key, ['http', 'tls', 'key'], problems),
      minimum: http.tls.minimumtls === 'tls1.3' ? 'TLSv1.3' : 'TLSv1.2',
    },
    logLevel: parsed.log?.level ?? 'info',
    rootDirectory: storage.filesystem.rootdirectory,
    blobTtlMs: blobTtl(options.blobttl, storage.delete?.enabled === true, problems),
    upstreams: toUpstreams(options.upstreams, problems),
    cas: (options.cas ?? []).map((ca, index) => {
      if (!isAbsolute(ca))
        problems.add([...optionsPath, 'cas', index], `expected an absolute path, not ${ca}`);
      return readPem(ca, [...optionsPath, 'cas', index], problems);
    }),
    headers: http.headers ?? {},
    drainMs: duration(http.draintimeout, ['http', 'draintimeout'], problems) ?? defaultDrainMs,
    notes: notes.filter(([key]) => problems.has(key)).map(([, note]) => note),
  };
}

function blobTtl(
  value: string | number | undefined,
  deleteEnabled: boolean,
  problems: Problems,
): number | undefined {
  const path = ['middleware', 'registry', 0, 'options', 'blobttl'];
  const ttlMs = duration(value, path, problems);
  if (value !== undefined && !deleteEnabled) {
    problems.add(path, 'If this field is configured, "storage.delete.enabled" must be configured to true.');
  }
  return ttlMs;
}

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

function toUpstreams(
  entries: ConfigurationFile['middleware']['registry'][number]['options']['upstreams'],
  problems: Problems,
): Upstream[] {
  const path = (...rest: (string | number)[]) => [
    'middleware',
    'registry',
    0,
    'options',
    'upstreams',
    ...rest,
  ];
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
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      problems.add([...path, key], 'is not supported by the content cache: remove it');
    }
    return;
  }
  // Of a union, what is wrong with the form that was meant: the one whose type fits.
  const branch =
    issue.code === 'invalid_union'
      ? issue.errors.find((issues) =>
          issues.some((one) => one.path.length > 0 || one.code === 'unrecognized_keys'),
        )
      : undefined;
  if (branch !== undefined) {
    for (const inner of branch) addIssue(problems, inner, path);
    return;
  }
  problems.add(path, issue.message.replace(/^Invalid input: /, ''));
}
