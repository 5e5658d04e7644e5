/**
 * Names of caches to addresses, so that a resolver in trouble harms nothing else: a name is asked for once however many wait,
 * and what it resolved to before goes on being used while it cannot be told.
 */
import { lookup as systemLookup } from 'node:dns';
import type { Lookup } from './permitted-addresses.ts';

type Addresses = { address: string; family: number }[];

/** Longer than a resolver takes that works, and short enough to leave time for the connection. */
const patienceMs = 1_000;
const rememberedMs = 3_600_000;

export class NameResolution {
  readonly #lookup: Lookup;
  readonly #now: () => number;
  readonly #running = new Map<string, Promise<Addresses>>();
  readonly #remembered = new Map<string, { addresses: Addresses; until: number }>();

  /** `lookup`: asks the system; `now`: milliseconds that only go forward. */
  constructor(options: { lookup?: Lookup; now?: () => number } = {}) {
    this.#lookup = options.lookup ?? systemLookup;
    this.#now = options.now ?? (() => performance.now());
  }

  readonly lookup: Lookup = (hostname, _options, callback) => {
    this.#resolve(hostname).then(
      (addresses) => callback(null, addresses),
      (error) => callback(error, []),
    );
  };

  async #resolve(hostname: string): Promise<Addresses> {
    const asked = this.#ask(hostname);
    const known = this.#remembered.get(hostname);
    if (known === undefined || known.until < this.#now()) return asked;
    const timer = Promise.withResolvers<Addresses>();
    const late = setTimeout(() => timer.resolve(known.addresses), patienceMs);
    try {
      return await Promise.race([asked, timer.promise]);
    } catch (error) {
      // "Try again": the resolver was not reached. Any other error is its answer.
      if ((error as NodeJS.ErrnoException).code === 'EAI_AGAIN') return known.addresses;
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  #ask(hostname: string): Promise<Addresses> {
    const running = this.#running.get(hostname);
    if (running !== undefined) return running;
    const { promise, resolve, reject } = Promise.withResolvers<Addresses>();
    this.#running.set(hostname, promise);
    this.#lookup(hostname, { all: true }, (error, addresses) => {
      this.#running.delete(hostname);
      if (error !== null) {
        reject(error);
        return;
      }
      this.#remembered.set(hostname, { addresses, until: this.#now() + rememberedMs });
      resolve(addresses);
    });
    // Who stopped waiting has no use for the error.
    promise.catch(() => {});
    return promise;
  }
}
