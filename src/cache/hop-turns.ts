/** Whom one fill asks next: its hops in their order, without those that rest, until its patience ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Breakers } from './breakers.ts';

/** Nobody is asked more often for one blob without giving a byte of it. */
const maximumTries = 3;
/** Whatever each single try brings. */
const maximumTurns = 100;
const longestSleepMs = 100;

export class HopTurns {
  readonly #hops: readonly string[];
  readonly #breakers: Breakers;
  readonly #patienceMs: number;
  readonly #tries = new Map<string, number>();
  #position = 0;
  #turns = 0;
  #givesUpAt: number;

  /** `patienceMs`: how long it may take without progress, however many are asked. */
  constructor(options: { hops: readonly string[]; breakers: Breakers; patienceMs: number }) {
    this.#hops = options.hops;
    this.#breakers = options.breakers;
    this.#patienceMs = options.patienceMs;
    this.#givesUpAt = performance.now() + this.#patienceMs;
  }

  /** What is left of the patience, in milliseconds. */
  get restMs(): number {
    return Math.max(1, Math.ceil(this.#givesUpAt - performance.now()));
  }

  /** The hop to ask now, waiting while all of them rest; `undefined` when it is time to give up. */
  async next(): Promise<string | undefined> {
    while (performance.now() < this.#givesUpAt && this.#turns < maximumTurns) {
      const candidates = this.#hops.filter((hop) => (this.#tries.get(hop) ?? 0) < maximumTries);
      if (candidates.length === 0) return undefined;
      const hop = this.#take();
      if (hop !== undefined) return hop;
      const soonestMs = Math.min(...candidates.map((candidate) => this.#breakers.restMs(candidate)));
      await sleep(Math.max(5, Math.min(longestSleepMs, soonestMs, this.restMs)));
    }
    return undefined;
  }

  /** It is of no use to ask this hop again for this blob. */
  exclude(hop: string): void {
    this.#tries.set(hop, maximumTries);
  }

  /** Bytes came: the patience begins anew. */
  progressed(): void {
    this.#givesUpAt = performance.now() + this.#patienceMs;
    for (const [hop, tries] of this.#tries) if (tries < maximumTries) this.#tries.delete(hop);
  }

  #take(): string | undefined {
    for (let step = 0; step < this.#hops.length; step += 1) {
      const index = (this.#position + step) % this.#hops.length;
      const hop = this.#hops[index] as string;
      const tries = this.#tries.get(hop) ?? 0;
      if (tries >= maximumTries || !this.#breakers.begin(hop)) continue;
      this.#tries.set(hop, tries + 1);
      this.#position = index + 1;
      this.#turns += 1;
      return hop;
    }
    return undefined;
  }
}
