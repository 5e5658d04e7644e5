/**
 * What the cache counts, in Prometheus' format. Labels are few and bounded: upstreams are those of the configuration;
 * digests, users and repositories are in the log instead.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** How a request for a blob ended: from disk, by a fill, refused to the client, or failed on our side. */
export type PullOutcome = 'hit' | 'miss' | 'refused' | 'failed';
export type EvictionReason = 'idle' | 'age' | 'size' | 'disk' | 'damaged' | 'purge';

export class CacheMetrics {
  readonly #registry = new Registry();
  readonly #pulls = this.#counter('pulls_total', 'Requests for blobs, by how they ended', ['outcome']);
  readonly #served = this.#counter('served_bytes_total', 'Bytes of blobs sent to clients', ['outcome']);
  readonly #fetched = this.#counter('fetched_bytes_total', 'Bytes of blobs received', ['upstream']);
  readonly #fills = this.#counter('fills_total', 'Fills that ended', ['result']);
  readonly #running = this.#gauge('fills_running', 'Fills that run now');
  readonly #evictions = this.#counter('evictions_total', 'Blobs removed', ['reason']);
  readonly #evicted = this.#counter('evicted_bytes_total', 'Bytes of blobs removed', ['reason']);
  readonly #failures = this.#counter('upstream_failures_total', 'Requests to upstreams that failed', [
    'upstream',
  ]);
  readonly #latency = new Histogram({
    name: 'dtr_cache_upstream_answer_seconds',
    help: 'Time until an upstream began to answer',
    labelNames: ['upstream'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** A request for a blob has ended; `bytes` are those of the body that went out. */
  pullEnded(outcome: PullOutcome, bytes: number): void {
    this.#pulls.inc({ outcome });
    this.#served.inc({ outcome }, bytes);
  }

  /** An upstream began to answer `seconds` after it was asked. */
  upstreamAnswered(upstream: string, seconds: number): void {
    this.#latency.observe({ upstream }, seconds);
  }

  /** An upstream could not be asked, answered wrongly, or broke off. */
  upstreamFailed(upstream: string): void {
    this.#failures.inc({ upstream });
  }

  received(upstream: string, bytes: number): void {
    this.#fetched.inc({ upstream }, bytes);
  }

  fillStarted(): void {
    this.#running.inc();
  }

  fillEnded(result: 'stored' | 'failed'): void {
    this.#running.dec();
    this.#fills.inc({ result });
  }

  evicted(reason: EvictionReason, blobs: number, bytes: number): void {
    this.#evictions.inc({ reason }, blobs);
    this.#evicted.inc({ reason }, bytes);
  }

  /** Shows a number that is asked for when the metrics are read. */
  observe(name: string, help: string, read: () => number | Promise<number>): void {
    const gauge = this.#gauge(name, help, async () => gauge.set(await read()));
  }

  /** The text of all metrics, and its content type. */
  async render(): Promise<{ text: string; contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `dtr_cache_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, collect?: () => Promise<void>): Gauge {
    return new Gauge({
      name: `dtr_cache_${name}`,
      help,
      registers: [this.#registry],
      ...(collect === undefined ? {} : { collect }),
    });
  }
}
