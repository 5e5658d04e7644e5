/**
 * What the origin counts and sees, in Prometheus' format, at a listener of its own that is not for the world. Labels are few and
 * bounded: caches are those that admins registered; repositories and users are in the API instead.
 */
import { createServer, type Server } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { serverOptions } from '../shared/http/server-options.ts';
import type { WatchedCache } from './content-caches/health-records.ts';
import type { UsageSums } from './content-caches/usage-records.ts';

export class OriginMetrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: 'dtr_origin_requests_total',
    help: 'Requests, by the door that answered and the status',
    labelNames: ['door', 'status'],
    registers: [this.#registry],
  });
  readonly #duration = new Histogram({
    name: 'dtr_origin_request_seconds',
    help: 'Time until the last byte of the answer',
    labelNames: ['door'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [this.#registry],
  });
  readonly #sent = new Counter({
    name: 'dtr_origin_sent_bytes_total',
    help: 'Bytes of blobs and manifests that the origin sent itself',
    registers: [this.#registry],
  });
  readonly #used = usageCounters.map(([name, field, help]) => ({
    field,
    counter: new Counter({
      name: `dtr_content_cache_${name}_total`,
      help: `${help}, as told to this origin`,
      labelNames: ['cache'],
      registers: [this.#registry],
    }),
  }));
  readonly #caches: () => readonly WatchedCache[];

  /** `caches`: how each of them is now. */
  constructor(options: { caches: () => readonly WatchedCache[] }) {
    this.#caches = options.caches;
    collectDefaultMetrics({ register: this.#registry });
    for (const [name, help, read] of healthGauges) {
      const gauge = new Gauge({
        name: `dtr_content_cache_${name}`,
        help,
        labelNames: ['cache'],
        registers: [this.#registry],
        collect: () => {
          // Caches that are gone are not shown any more.
          gauge.reset();
          for (const watched of this.#caches()) {
            const value = read(watched);
            if (value !== undefined) gauge.set({ cache: watched.cache.name }, value);
          }
        },
      });
    }
  }

  requestEnded(path: string, status: number, seconds: number, bytes: number): void {
    const door = doorOf(path);
    this.#requests.inc({ door, status });
    this.#duration.observe({ door }, seconds);
    if (bytes > 0) this.#sent.inc(bytes);
  }

  /** What a cache did has been kept. */
  used(cacheId: string, sums: UsageSums): void {
    const cache = this.#caches().find((watched) => watched.cache.id === cacheId)?.cache.name;
    if (cache === undefined) return;
    for (const { counter, field } of this.#used) counter.inc({ cache }, sums[field]);
  }

  async render(): Promise<{ text: string; contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}

/** `GET /metrics`, and nothing else. */
export function createMetricsServer(metrics: OriginMetrics): Server {
  return createServer(serverOptions, async (request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404).end();
      return;
    }
    const { text, contentType } = await metrics.render();
    response.writeHead(200, { 'Content-Type': contentType }).end(text);
  });
}

const usageCounters = [
  ['redirects', 'redirects', 'Blobs for which clients were sent to the cache'],
  ['hits', 'hits', 'Answers of the cache from its disk'],
  ['misses', 'misses', 'Answers of the cache that it had to fetch'],
  ['errors', 'errors', 'Answers of the cache that failed'],
  ['served_bytes', 'bytesServed', 'Bytes that the cache served'],
  ['fetched_bytes', 'bytesFetched', 'Bytes that the cache fetched'],
] as const satisfies [string, keyof UsageSums, string][];

const healthGauges: [name: string, help: string, read: (watched: WatchedCache) => number | undefined][] = [
  [
    'up',
    'Whether pulls are sent to the cache: 0 when it is down',
    ({ record }) => Number(record.state !== 'down'),
  ],
  [
    'degraded',
    'Whether an admin should look at the cache',
    ({ record }) => Number(record.state === 'degraded'),
  ],
  ['latency_seconds', 'How long the cache took to answer', ({ record }) => inSeconds(record.latencyMs)],
  [
    'clock_skew_seconds',
    "How far the clock of the cache is ahead of the origin's",
    ({ record }) => inSeconds(record.clockSkewMs),
  ],
  [
    'probed_timestamp_seconds',
    'When the cache was last looked at',
    ({ record }) => inSeconds(record.probedAt),
  ],
  ['stored_blobs', 'Blobs that the cache stores', ({ record }) => record.stored?.blobs],
  ['stored_bytes', 'Bytes of blobs that the cache stores', ({ record }) => record.stored?.bytes],
  ['disk_bytes', 'Size of the disk of the cache', ({ record }) => record.disk?.sizeBytes],
  ['disk_free_bytes', 'Free bytes of the disk of the cache', ({ record }) => record.disk?.freeBytes],
];

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function doorOf(path: string): string {
  if (path === '/v2' || path.startsWith('/v2/')) return 'registry';
  if (path.startsWith('/api/')) return 'api';
  return path.startsWith('/auth/') ? 'token' : 'web';
}
