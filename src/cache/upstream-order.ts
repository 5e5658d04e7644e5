/** In which order the hops of an upstream are asked. */
import type { Upstream } from './configuration.ts';

/** The next of the hosts that answer first, those that rest behind them, the origin last. */
export class UpstreamOrder {
  readonly #hosts: readonly string[];
  readonly #originHost: string | undefined;
  #turn = 0;

  constructor(upstream: Upstream) {
    this.#hosts = upstream.hosts;
    this.#originHost = upstream.originHost;
  }

  /** `rests`: true of a host that is not asked for now; the turn goes round the others, so that their shares stay even. */
  next(rests: (host: string) => boolean): string[] {
    const resting = this.#hosts.filter(rests);
    const up = this.#hosts.filter((host) => !resting.includes(host));
    const start = up.length === 0 ? 0 : this.#turn++ % up.length;
    const hosts = [...up.slice(start), ...up.slice(0, start), ...resting];
    return this.#originHost === undefined ? hosts : [...hosts, this.#originHost];
  }
}
