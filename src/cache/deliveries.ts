/** What became of the requests that an origin gave an id, for the latest of them: so that it knows who cannot reach this cache. */

export type Delivery = 'completed' | 'running' | 'aborted';

interface Known {
  running: number;
  /** The best that an ended one came to: a client may follow one redirect several times, for ranges or again. */
  ended: 'completed' | 'aborted' | undefined;
}

const defaultMaximum = 50_000;

export class Deliveries {
  readonly #known = new Map<string, Known>();
  readonly #maximum: number;

  /** `maximum`: of more than these the oldest are forgotten. */
  constructor(options: { maximum?: number } = {}) {
    this.#maximum = options.maximum ?? defaultMaximum;
  }

  /** A request has come; call what this gives when its answer has ended. */
  begin(issuer: string, requestId: string): (ended: 'completed' | 'aborted') => void {
    const key = `${requestId} ${issuer}`;
    const known = this.#known.get(key) ?? { running: 0, ended: undefined };
    // The latest is the last.
    this.#known.delete(key);
    this.#known.set(key, known);
    if (this.#known.size > this.#maximum) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest as string);
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
