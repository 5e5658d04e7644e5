/** What has to do with content caches, put together: who asks them, how they are, what they did, whom they serve, and what they are told. */
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../shared/clock.ts';
import { describeListenError, drain, listen } from '../shared/http/shutdown.ts';
import type { Logger } from '../shared/logging.ts';
import type { OriginConfiguration } from './configuration.ts';
import { CacheClient } from './content-caches/cache-client.ts';
import { ChoiceFactsFinder } from './content-caches/choice-facts.ts';
import { CacheHealth } from './content-caches/health.ts';
import { Redirector } from './content-caches/redirect.ts';
import { Retries } from './content-caches/retries.ts';
import { Usage } from './content-caches/usage.ts';
import type { Database } from './database.ts';
import { Jobs } from './jobs/jobs.ts';
import { PrefetchTrigger } from './jobs/prefetch-rules.ts';
import type { SigningKeys } from './keys/signing-keys.ts';
import { createMetricsServer, OriginMetrics } from './metrics.ts';

export class ContentCacheServices {
  readonly client: CacheClient;
  readonly health: CacheHealth;
  readonly usage: Usage;
  readonly redirector: Redirector;
  readonly jobs: Jobs;
  /** `undefined` when nobody is to read them. */
  readonly metrics: OriginMetrics | undefined;
  readonly #configuration: OriginConfiguration;
  readonly #metricsServer: Server | undefined;

  /** `ownCa`: PEM of the CA that signed the origin's own certificate. */
  constructor(parts: {
    configuration: OriginConfiguration;
    database: Database;
    keys: SigningKeys;
    ownCa: string | undefined;
    logger: Logger;
    clock: Clock;
  }) {
    const { configuration } = parts;
    const { externalUrl, probePrivateNetworks: privateNetworks, probeIntervalMs: intervalMs } = configuration;
    this.#configuration = configuration;
    const client = new CacheClient({ ...parts, issuer: externalUrl, policy: { privateNetworks } });
    const usage = new Usage({
      ...parts,
      client,
      onKept: (cacheId, sums) => this.metrics?.used(cacheId, sums),
    });
    const health = new CacheHealth({ ...parts, client, usage, intervalMs });
    this.client = client;
    this.usage = usage;
    this.health = health;
    this.redirector = new Redirector({
      ...parts,
      facts: new ChoiceFactsFinder(parts.database),
      health,
      usage,
      retries: new Retries({
        ...parts,
        health,
        askDeliveries: (cache, ids) => client.deliveries(cache, ids),
        pause: delay,
      }),
      issuer: externalUrl,
      lifetimeSeconds: configuration.signedUrlSeconds,
    });
    const trigger = new PrefetchTrigger(parts);
    this.jobs = new Jobs({ ...parts, client, beforeTick: () => trigger.look() });
    if (configuration.metricsListen === undefined) return;
    this.metrics = new OriginMetrics({ caches: () => health.list() });
    this.#metricsServer = createMetricsServer(this.metrics);
  }

  /** @throws an error whose message is one line for the admin */
  async start(): Promise<{ metricsPort: number | undefined }> {
    await this.health.start();
    this.usage.start();
    this.jobs.start();
    const { metricsListen } = this.#configuration;
    if (this.#metricsServer === undefined || metricsListen === undefined) return { metricsPort: undefined };
    const metricsPort = await listen(this.#metricsServer, metricsListen).catch((error) => {
      throw new Error(describeListenError(error, metricsListen), { cause: error });
    });
    return { metricsPort };
  }

  /** Leaves no timer, no connection and no listener behind. */
  async stop(): Promise<void> {
    if (this.#metricsServer?.listening) await drain(this.#metricsServer, 0);
    await this.jobs.stop();
    await this.health.stop();
    await this.usage.stop();
    await this.client.close();
  }
}
