/** The flags of `dtr serve`, and their defaults, which stand here once. It loads little: `dtr` needs it whatever it is asked. */
import { defaultPolicy } from './images/garbage-collection.ts';

/** What `dtr serve` takes, as commander gives it; each has an environment variable `DTR_…`. */
export interface ServeOptions {
  readonly data: string;
  readonly listen: string;
  readonly externalUrl?: string;
  readonly tls: boolean;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly trustedProxies: string;
  readonly logLevel: string;
  readonly probePrivateNetworks: string;
  readonly probeInterval: string;
  readonly metricsListen?: string;
  readonly gcInterval: string;
  readonly gcGrace: string;
  readonly gcUntagged: string;
  readonly uploadAge: string;
  readonly eventAge: string;
}

export const defaults = {
  data: './data',
  listen: ':8443',
  trustedProxies: '',
  logLevel: 'info',
  probePrivateNetworks: 'on',
  probeInterval: '10s',
  gcInterval: '24h',
  gcGrace: formatHours(defaultPolicy.graceMs),
  gcUntagged: 'off',
  uploadAge: formatHours(defaultPolicy.uploadIdleMs),
  eventAge: '2160h',
} as const;

function formatHours(durationMs: number): string {
  return `${durationMs / 3_600_000}h`;
}
