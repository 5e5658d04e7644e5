/** Whether the cache can do its work: its storage takes bytes, it has keys, and nobody took it out of service. */
import { stat } from 'node:fs/promises';
import type { BlobStore } from '../shared/blob-store/blob-store.ts';
import type { Logger } from '../shared/logging.ts';
import type { CacheConfiguration, HealthCheck } from './configuration.ts';

const probeSession = 'health';

interface RunningCheck {
  readonly name: string;
  readonly check: HealthCheck;
  /** Rejects when what it looks at is not well. */
  readonly look: () => Promise<void>;
  looking: boolean;
  failures: number;
  reason: string;
}

export class Health {
  readonly #checks: RunningCheck[];
  readonly #hasKeys: () => boolean;
  readonly #logger: Logger;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(options: {
    store: BlobStore;
    health: CacheConfiguration['health'];
    hasKeys: () => boolean;
    logger: Logger;
  }) {
    const { store, health } = options;
    this.#hasKeys = options.hasKeys;
    this.#logger = options.logger;
    const begin = (name: string, check: HealthCheck, look: () => Promise<void>) => ({
      name,
      check,
      look,
      looking: false,
      failures: 0,
      reason: '',
    });
    this.#checks = health.files.map((file) =>
      begin(`file ${file.path}`, file, () => assertAbsent(file.path)),
    );
    if (health.storage !== undefined) {
      this.#checks.push(begin('storage', health.storage, () => assertWritable(store, probeSession)));
    }
  }

  start(): void {
    for (const running of this.#checks) {
      const timer = setInterval(() => this.#run(running), running.check.intervalMs);
      timer.unref();
      this.#timers.push(timer);
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** What is wrong, by the name of the check; empty when all is well. */
  problems(): Readonly<Record<string, string>> {
    const failed = this.#checks.filter(({ failures, check }) => failures >= check.threshold);
    const problems = Object.fromEntries(failed.map(({ name, reason }) => [name, reason]));
    if (this.#hasKeys()) return problems;
    return { ...problems, keys: 'no upstream has given its public keys yet: no signed URL can be verified' };
  }

  async #run(running: RunningCheck): Promise<void> {
    // On a disk that hangs, one look is enough.
    if (running.looking) return;
    running.looking = true;
    const before = running.failures;
    try {
      await running.look();
      running.failures = 0;
    } catch (error) {
      running.failures += 1;
      running.reason = (error as Error).message;
    } finally {
      running.looking = false;
    }
    const { threshold } = running.check;
    if (before < threshold && running.failures >= threshold) {
      this.#logger.error({ check: running.name, reason: running.reason }, 'unhealthy');
    } else if (before >= threshold && running.failures === 0) {
      this.#logger.info({ check: running.name }, 'healthy again');
    }
  }
}

async function assertAbsent(path: string): Promise<void> {
  const found = await stat(path).then(
    () => true,
    () => false,
  );
  if (found) throw new Error('the file exists');
}

/** Writes a byte, as a fill would; `session` is for this caller alone. Rejects when that does not work. */
export async function assertWritable(store: BlobStore, session: string): Promise<void> {
  await (await store.resume(session))?.discard();
  const writer = await store.begin(session);
  try {
    await writer.write(Buffer.from('.'));
    await writer.suspend();
  } finally {
    await (await store.resume(session))?.discard();
  }
}
