/**
 * Usage: who was served how much, counted for the origins, which collect it (commands.ts). In memory; what was not collected
 * yet is written down when the cache stops in good order, and goes on under the same numbers when it starts again. Then the
 * origin counts nothing twice. After a crash it begins anew, as another process: what was not collected is lost.
 */
import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BlobUrlClaims } from '../shared/blob-url.ts';
import { type UsageRecord, usageRecord } from '../shared/cache-command-bodies.ts';
import type { Clock } from '../shared/clock.ts';
import { isSystemError } from '../shared/errors.ts';
import type { Logger } from '../shared/logging.ts';
import type { PullOutcome } from './metrics.ts';
import { type Puller, UsageLedger } from './usage-ledger.ts';

const defaultMaximumRecords = 10_000;

const savedUsage = z.object({
  processId: z.string().regex(/^[\w-]{1,64}$/),
  ledgers: z.array(
    z.object({
      issuer: z.string(),
      lastSequence: z.int(),
      handedOut: z.int(),
      records: z.array(usageRecord),
    }),
  ),
});

/** Whose pull it is, and of which origin. */
export interface Charged extends Puller {
  readonly issuer: string;
}

export class Usage {
  /** Whose numbers the records have. */
  processId = randomBytes(8).toString('hex');
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #maximumRecords: number;
  readonly #ledgers = new Map<string, UsageLedger>();

  /** `directory`: where `usage.json` is between two runs. `maximumRecords`: more than these of one origin are merged. */
  constructor(options: { directory: string; clock: Clock; logger: Logger; maximumRecords?: number }) {
    this.#path = join(options.directory, 'usage.json');
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#maximumRecords = options.maximumRecords ?? defaultMaximumRecords;
  }

  /** Goes on from what the last run wrote down. It is read once: after a crash it would be old. */
  async load(): Promise<void> {
    try {
      const saved = savedUsage.parse(JSON.parse(await readFile(this.#path, 'utf8')));
      await rm(this.#path);
      this.processId = saved.processId;
      for (const { issuer, ...ledger } of saved.ledgers) {
        this.#ledgers.set(issuer, new UsageLedger({ maximumRecords: this.#maximumRecords, saved: ledger }));
      }
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return;
      this.#logger.warn({ err: error }, 'what the last run counted cannot be read');
      await rm(this.#path, { force: true });
    }
  }

  /** An answer to a request for a blob has ended; `bytes` are those of the body that went out. HEAD is neither hit nor miss. */
  served(claims: BlobUrlClaims, method: string | undefined, outcome: PullOutcome, bytes: number): void {
    const counts = this.#countsOf(chargedFor(claims));
    counts.bytesServed += bytes;
    if (outcome === 'failed') counts.errors += 1;
    else if (method === 'HEAD') return;
    else if (outcome === 'hit') counts.hits += 1;
    else if (outcome === 'miss') counts.misses += 1;
  }

  /** An upstream sent that many bytes of a blob. */
  fetched(charged: Charged, bytes: number): void {
    this.#countsOf(charged).bytesFetched += bytes;
  }

  /** What an origin has not kept yet, oldest first. `after`: what it has. */
  collect(
    issuer: string,
    after: { processId: string; sequence: number } | undefined,
  ): { records: UsageRecord[]; next: number; more: boolean } {
    const ledger = this.#ledgerOf(issuer);
    ledger.closeIfQuiet(this.#clock());
    return ledger.collect(after?.processId === this.processId ? after.sequence : undefined);
  }

  /** Writes down what was not collected. A failure is logged: it costs numbers, not blobs. */
  async save(): Promise<void> {
    const ledgers = [...this.#ledgers].map(([issuer, ledger]) => {
      ledger.closeMinute(this.#clock(), { early: true });
      return { issuer, ...ledger.save() };
    });
    const temporary = `${this.#path}.new`;
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify({ processId: this.processId, ledgers }));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
    } catch (error) {
      this.#logger.warn({ err: error }, 'what was counted and not collected cannot be written down');
    }
  }

  #countsOf(charged: Charged) {
    return this.#ledgerOf(charged.issuer).countsOf(charged, this.#clock());
  }

  #ledgerOf(issuer: string): UsageLedger {
    let ledger = this.#ledgers.get(issuer);
    if (ledger === undefined) {
      ledger = new UsageLedger({ maximumRecords: this.#maximumRecords });
      this.#ledgers.set(issuer, ledger);
    }
    return ledger;
  }
}

/** To whom a signed URL is charged. */
export function chargedFor({ issuer, repository, subject, cache }: BlobUrlClaims): Charged {
  return { issuer, repository, user: subject, cache };
}
