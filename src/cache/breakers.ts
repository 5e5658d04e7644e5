/**
 * Circuit breakers: a hop that fails is left alone for a while, longer each time, then asked by one request. If that one
 * succeeds, the hop is as good as new. One breaker per hop, for keys and blobs alike.
 */

const firstPauseMs = 250;
/** For who has another to ask. */
const longestPauseMs = 60_000;
/** For who is the only one left: requests wait for it. */
const longestPauseOfLastMs = 5_000;
/** One who asks a hop that rested, and never says how it went, does not keep the others away for longer. */
const probeMs = 20_000;

interface Rest {
  failures: number;
  until: number;
  probedUntil: number;
}

export class Breakers {
  readonly #rests = new Map<string, Rest>();
  readonly #lastResorts: ReadonlySet<string>;
  readonly #now: () => number;
  readonly #random: () => number;

  /**
   * `lastResorts`: hops without another behind them. `now`: milliseconds that only go forward. `random`: 0 to 1, so that
   * many caches do not come back in the same moment.
   */
  constructor(options: { lastResorts?: Iterable<string>; now?: () => number; random?: () => number } = {}) {
    this.#lastResorts = new Set(options.lastResorts ?? []);
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
  }

  isLastResort(hop: string): boolean {
    return this.#lastResorts.has(hop);
  }

  /** True while the hop is not to be asked. */
  rests(hop: string): boolean {
    return this.restMs(hop) > 0;
  }

  /** How long it still rests, in milliseconds. */
  restMs(hop: string): number {
    const rest = this.#rests.get(hop);
    return rest === undefined ? 0 : Math.max(0, Math.max(rest.until, rest.probedUntil) - this.#now());
  }

  /** True: ask it now, and tell how it went. After a rest only one is told so. */
  begin(hop: string): boolean {
    const rest = this.#rests.get(hop);
    if (rest === undefined) return true;
    if (this.rests(hop)) return false;
    rest.probedUntil = this.#now() + probeMs;
    return true;
  }

  succeeded(hop: string): void {
    this.#rests.delete(hop);
  }

  /** It neither failed nor proved itself: the next may ask. */
  undecided(hop: string): void {
    const rest = this.#rests.get(hop);
    if (rest !== undefined) rest.probedUntil = 0;
  }

  failed(hop: string): void {
    const rest = this.#rests.get(hop) ?? { failures: 0, until: 0, probedUntil: 0 };
    rest.failures += 1;
    rest.probedUntil = 0;
    const longest = this.isLastResort(hop) ? longestPauseOfLastMs : longestPauseMs;
    const pauseMs = Math.min(longest, firstPauseMs * 2 ** Math.min(rest.failures - 1, 20));
    rest.until = this.#now() + pauseMs * (0.5 + this.#random() / 2);
    this.#rests.set(hop, rest);
  }
}
