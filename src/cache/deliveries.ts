/** What became of the requests that an origin gave an id, for the latest of them: so that it knows who cannot reach this cache. */

export type Delivery = 'completed' | 'running' | 'aborted';

import type { Clock } from '../shared/clock.ts';

interface Known {
  /** When the latest of its requests came. */
  begunAt: number;
  running: number;
  /** The best that an ended one came to: a client may follow one redirect several times, for ranges or again. */
  ended: 'completed' | 'aborted' | undefined;
}

const defaultMaximum = 50_000;

export class Deliveries {
  readonly #known = new Map<string, Known>();
  readonly #maximum: number;
  readonly #clock: Clock;
  /** What came before may be forgotten. */
  #completeSince: number;

  /** `maximum`: of more than these the oldest are forgotten. */
  constructor(options: { clock: Clock; maximum?: number }) {
    this.#clock = options.clock;
    this.#maximum = options.maximum ?? defaultMaximum;
    this.#completeSince = options.clock();
  }

  /** For how long every request that came is known: not from before this process, nor what made room for others. */
  get rememberedMs(): number {
    return Math.max(0, this.#clock() - this.#completeSince);
  }

  /** A request has come; call what this gives when its answer has ended. */
  begin(issuer: string, requestId: string): (ended: 'completed' | 'aborted') => void {
    const key = `${requestId} ${issuer}`;
    const known = this.#known.get(key) ?? { begunAt: 0, running: 0, ended: undefined };
    known.begunAt = this.#clock();
    // The latest is the last.
    this.#known.delete(key);
    this.#known.set(key, known);
    if (this.#known.size > this.#maximum) {
      const [oldest, { begunAt }] = this.#known.entries().next().value as [string, Known];
      this.#known.delete(oldest);
      this.#completeSince = begunAt;
    }
    known.running += 1;
    return (ended) => {
      known.running -= 1;
      if (known.ended !== 'completed') known.ended = ended;
    };
  }

  /** `undefined` when none with this id came, or it was too long ago. */
  find(issuer: string, requestId: string): Delivery | undefined {
    const known = this.#known.get(`${requestId} ${issuer}`);
    if (known === undefined || known.ended === 'completed') return known?.ended;
    return known.running > 0 ? 'running' : known.ended;
  }
}
