/** The origin's configuration: what flags and environment say, as values. */
import { resolve } from 'node:path';
import { type Network, parseNetwork } from '../shared/cidr.ts';
import { parseDurationMs } from '../shared/duration.ts';
import { type ListenAddress, parseListenAddress } from '../shared/http/shutdown.ts';
import type { LogLevel } from '../shared/logging.ts';
import { defaultSignInLimits, type SignInLimitsOptions } from './accounts/sign-in-limits.ts';
import type { CollectionPolicy } from './images/garbage-collection.ts';
import type { ServeOptions } from './serve-options.ts';

export interface OriginConfiguration {
  /** Database, blobs, keys and certificates. */
  readonly dataDirectory: string;
  readonly listen: ListenAddress;
  /** `scheme://host[:port]` by which clients and caches reach the origin; the issuer of all that it signs. */
  readonly externalUrl: string;
  readonly tls:
    | { readonly kind: 'off' }
    | { readonly kind: 'own-ca' }
    | {
        readonly kind: 'files';
        readonly certificate: string;
        readonly key: string;
        readonly ca: string | undefined;
      };
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly Network[];
  readonly logLevel: LogLevel;
  /** Whether content caches may be on loopback and private networks. */
  readonly probePrivateNetworks: boolean;
  /** Between two looks at the same content cache, in ms; `undefined` when nobody looks. */
  readonly probeIntervalMs: number | undefined;
  /** Where Prometheus' metrics are shown, to whoever can connect; `undefined`: nowhere. */
  readonly metricsListen: ListenAddress | undefined;
  readonly registryTokenSeconds: number;
  readonly apiTokenSeconds: number;
  readonly signedUrlSeconds: number;
  readonly signInLimits: SignInLimitsOptions;
  /** How long the trail of events is kept, in ms; `undefined`: for ever. */
  readonly eventAgeMs: number | undefined;
  /** How long running requests may take to end after SIGTERM. */
  readonly drainMs: number;
  readonly garbageCollection: CollectionPolicy & {
    /** Between two runs, in ms; `undefined` when it is only run by hand. */
    readonly intervalMs: number | undefined;
  };
}

/** What is wrong with an option, in one line. */
class ConfigurationInvalid extends Error {
  constructor(option: string, expected: string) {
    super(`${option}: ${expected} expected`);
    this.name = 'ConfigurationInvalid';
  }
}

/** @throws ConfigurationInvalid naming the option */
export function parseConfiguration(options: ServeOptions): OriginConfiguration {
  const listen = parseListenAddress(options.listen);
  if (listen === undefined) throw new ConfigurationInvalid('--listen', '[host]:port');
  const tls = parseTls(options);
  const scheme = tls.kind === 'off' ? 'http' : 'https';
  return {
    dataDirectory: resolve(options.data),
    listen,
    externalUrl: parseExternalUrl(options.externalUrl ?? `${scheme}://localhost:${listen.port}`),
    tls,
    trustedProxies: parseTrustedProxies(options.trustedProxies),
    logLevel: parseLogLevel(options.logLevel),
    probePrivateNetworks: parseOnOff('--probe-private-networks', options.probePrivateNetworks),
    probeIntervalMs: parseProbeInterval(options.probeInterval),
    metricsListen: parseMetricsListen(options.metricsListen),
    registryTokenSeconds: 300,
    apiTokenSeconds: 300,
    signedUrlSeconds: 600,
    signInLimits: defaultSignInLimits,
    eventAgeMs: parseDurationOrOff('--event-age', options.eventAge),
    drainMs: 10_000,
    garbageCollection: {
      ...parseCollectionPolicy(options),
      intervalMs: parseDurationOrOff('--gc-interval', options.gcInterval),
    },
  };
}

/** @throws ConfigurationInvalid naming the option */
export function parseCollectionPolicy(
  options: Pick<ServeOptions, 'gcGrace' | 'gcUntagged' | 'uploadAge'>,
): CollectionPolicy {
  return {
    graceMs: parseDuration('--gc-grace', options.gcGrace),
    untaggedMs: parseDurationOrOff('--gc-untagged', options.gcUntagged),
    uploadIdleMs: parseDuration('--upload-age', options.uploadAge),
  };
}

function parseDurationOrOff(option: string, text: string): number | undefined {
  return text === 'off' ? undefined : parseDuration(option, text, ', or off,');
}

/** Unlike in the cache's file, a bare number is not nanoseconds here but a mistake; `0` is none. */
function parseDuration(option: string, text: string, alternative = ''): number {
  if (text === '0') return 0;
  const durationMs = /\d$/.test(text) ? undefined : parseDurationMs(text);
  if (durationMs !== undefined) return durationMs;
  throw new ConfigurationInvalid(option, `a duration such as 90s, 30m or 2h${alternative}`);
}

function parseTls(options: ServeOptions): OriginConfiguration['tls'] {
  const { tlsCertificate, tlsKey, tlsCa } = options;
  if (!options.tls) return { kind: 'off' };
  if (tlsCertificate === undefined && tlsKey === undefined) return { kind: 'own-ca' };
  if (tlsCertificate === undefined)
    throw new ConfigurationInvalid('--tls-certificate', 'a PEM file beside --tls-key');
  if (tlsKey === undefined)
    throw new ConfigurationInvalid('--tls-key', 'a PEM file beside --tls-certificate');
  return { kind: 'files', certificate: tlsCertificate, key: tlsKey, ca: tlsCa };
}

function parseTrustedProxies(text: string): Network[] {
  const items = text.split(',').flatMap((item) => item.trim() || []);
  return items.map((item) => {
    const network = parseNetwork(item);
    if (network !== undefined) return network;
    throw new ConfigurationInvalid(
      '--trusted-proxies',
      'addresses and networks such as 10.0.0.0/8,2001:db8::7',
    );
  });
}

function parseExternalUrl(text: string): string {
  const url = URL.parse(text);
  const plain =
    url !== null && /^https?:$/.test(url.protocol) && url.origin === text.replace(/\/$/, '').toLowerCase();
  if (!plain)
    throw new ConfigurationInvalid('--external-url', 'https://<host>[:<port>], without a default port,');
  return url.origin;
}

function parseMetricsListen(text: string | undefined): ListenAddress | undefined {
  if (text === undefined) return undefined;
  const listen = parseListenAddress(text);
  if (listen === undefined) throw new ConfigurationInvalid('--metrics-listen', '[host]:port');
  // Numbers tell much: that everybody may read them is to be said by an address, not by leaving it out.
  return { ...listen, host: listen.host ?? '127.0.0.1' };
}

function parseProbeInterval(text: string): number | undefined {
  const intervalMs = parseDurationOrOff('--probe-interval', text);
  if (intervalMs === undefined || intervalMs >= 1_000) return intervalMs;
  throw new ConfigurationInvalid('--probe-interval', 'a second or more, or off,');
}

function parseOnOff(option: string, text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new ConfigurationInvalid(option, 'on or off');
}

function parseLogLevel(text: string): LogLevel {
  if (text === 'error' || text === 'warn' || text === 'info' || text === 'debug') return text;
  throw new ConfigurationInvalid('--log-level', 'error, warn, info or debug');
}
