/**
 * What one origin's users were served, minute by minute, until the origin has collected it. Bounded: when nobody collects,
 * minutes are merged, then users, then repositories. No byte is lost.
 */
import type { UsageRecord } from '../shared/cache-command-bodies.ts';

/** Whose pull it is, as the signed URL says. */
export interface Puller {
  readonly repository: string;
  readonly user: string;
  /** The id of the registered cache that the origin chose. */
  readonly cache: string;
}

/** What is counted. */
export type Counts = Pick<UsageRecord, 'hits' | 'misses' | 'bytesServed' | 'bytesFetched' | 'errors'>;

/** What of a ledger outlives a process. */
export interface SavedLedger {
  readonly lastSequence: number;
  readonly handedOut: number;
  readonly records: readonly UsageRecord[];
}

/** Stands for several users, or repositories. */
const several = '*';
const longestName = 255;
const minuteMs = 60_000;
/** Answers stay below 64 KiB. */
const answerBytes = 60 * 1024;

/** What is merged first, and what only when that was not enough. */
const coarser: readonly ((puller: Puller) => Puller)[] = [
  (puller) => puller,
  ({ repository, cache }) => ({ repository, user: several, cache }),
  ({ cache }) => ({ repository: several, user: several, cache }),
];

export class UsageLedger {
  readonly #maximumRecords: number;
  #minute = 0;
  /** The latest of which there is a record. */
  #recordedMinute = Number.NEGATIVE_INFINITY;
  readonly #open = new Map<string, { readonly puller: Puller; readonly counts: Counts }>();
  /** By sequence. */
  #records: UsageRecord[];
  #lastSequence: number;
  /** Up to here the origin may have kept them already: they do not change any more. */
  #handedOut: number;

  constructor(options: { maximumRecords: number; saved?: SavedLedger | undefined }) {
    const { maximumRecords, saved } = options;
    this.#maximumRecords = maximumRecords;
    this.#records = [...(saved?.records ?? [])];
    this.#lastSequence = saved?.lastSequence ?? 0;
    this.#handedOut = saved?.handedOut ?? 0;
  }

  /** The counts of this minute to add to. `now` in ms. */
  countsOf(puller: Puller, now: number): Counts {
    this.closeMinute(now);
    const key = `${puller.repository}\n${puller.cache}\n${puller.user}`;
    const found = this.#open.get(key);
    if (found !== undefined) return found.counts;
    if (this.#open.size >= this.#maximumRecords && puller.user !== several) {
      return this.countsOf({ repository: several, user: several, cache: puller.cache }, now);
    }
    const counts = { hits: 0, misses: 0, bytesServed: 0, bytesFetched: 0, errors: 0 };
    this.#open.set(key, { puller, counts });
    return counts;
  }

  /** Makes records of the minute if it is over, or, for the end of the process, of what there is of it. */
  closeMinute(now: number, options: { early?: boolean } = {}): void {
    const minute = minuteOf(now);
    if (minute === this.#minute && options.early !== true) return;
    for (const { puller, counts } of this.#open.values()) {
      if (Object.values(counts).some((count) => count > 0)) this.#add(this.#minute, puller, counts);
    }
    this.#open.clear();
    this.#minute = minute;
    if (this.#records.length > this.#maximumRecords) this.#mergeOldest();
  }

  /**
   * Before an origin is told: whoever tries a quiet cache with one pull is not kept waiting until the minute is over. A busy
   * one makes no more records for it.
   */
  closeIfQuiet(now: number): void {
    this.closeMinute(now, { early: this.#recordedMinute < minuteOf(now) - minuteMs });
  }

  /** The oldest records, as many as an answer holds. `kept`: the last sequence that the origin has kept, which is forgotten. */
  collect(kept: number | undefined): { records: UsageRecord[]; next: number; more: boolean } {
    // What was never handed out, nobody can have kept.
    const forgotten = kept !== undefined && kept <= this.#handedOut ? kept : 0;
    if (forgotten > 0) this.#records = this.#records.filter(({ sequence }) => sequence > forgotten);
    const records: UsageRecord[] = [];
    let sizeBytes = 0;
    for (const record of this.#records) {
      sizeBytes += Buffer.byteLength(JSON.stringify(record)) + 1;
      if (sizeBytes > answerBytes && records.length > 0) break;
      records.push(record);
    }
    const next = records.at(-1)?.sequence ?? forgotten;
    this.#handedOut = Math.max(this.#handedOut, next);
    return { records, next, more: records.length < this.#records.length };
  }

  save(): SavedLedger {
    return { lastSequence: this.#lastSequence, handedOut: this.#handedOut, records: this.#records };
  }

  #add(minute: number, puller: Puller, counts: Counts): void {
    this.#lastSequence += 1;
    this.#recordedMinute = Math.max(this.#recordedMinute, minute);
    this.#records.push({
      sequence: this.#lastSequence,
      minute,
      repository: puller.repository.slice(0, longestName),
      user: puller.user.slice(0, longestName),
      cache: puller.cache.slice(0, longestName),
      ...counts,
    });
  }

  /** Of those that were not handed out, the older half becomes fewer, under new numbers. */
  #mergeOldest(): void {
    const fixed = this.#records.filter(({ sequence }) => sequence <= this.#handedOut);
    const loose = this.#records.slice(fixed.length);
    const old = loose.slice(0, Math.ceil(loose.length / 2));
    let merged: ReturnType<typeof merge> = [];
    for (const coarse of coarser) {
      merged = merge(old, coarse);
      if (merged.length <= old.length / 2) break;
    }
    this.#records = [...fixed, ...loose.slice(old.length)];
    for (const { minute, puller, counts } of merged) this.#add(minute, puller, counts);
  }
}

function minuteOf(now: number): number {
  return Math.floor(now / minuteMs) * minuteMs;
}

/** Adds up what is the same when it is seen more coarsely; each sum has the minute of its first. */
function merge(
  records: readonly UsageRecord[],
  coarse: (puller: Puller) => Puller,
): { minute: number; puller: Puller; counts: Counts }[] {
  const sums = new Map<string, { minute: number; puller: Puller; counts: Counts }>();
  for (const record of records) {
    const puller = coarse(record);
    const key = JSON.stringify([puller.repository, puller.cache, puller.user]);
    const sum = sums.get(key);
    if (sum === undefined) {
      const { hits, misses, bytesServed, bytesFetched, errors } = record;
      sums.set(key, {
        minute: record.minute,
        puller,
        counts: { hits, misses, bytesServed, bytesFetched, errors },
      });
      continue;
    }
    sum.minute = Math.min(sum.minute, record.minute);
    sum.counts.hits += record.hits;
    sum.counts.misses += record.misses;
    sum.counts.bytesServed += record.bytesServed;
    sum.counts.bytesFetched += record.bytesFetched;
    sum.counts.errors += record.errors;
  }
  return [...sums.values()];
}
