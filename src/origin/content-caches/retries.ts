/**
 * Retries: clients that ask again for what they did not get from the cache to which they were sent, however well that cache is.
 * They are not sent there again. How they are told from many machines that pull the same, and from clients that fetch a blob
 * in pieces: docs/decisions/0008-who-asks-again.md.
 */
import type { DeliveriesAnswer } from '../../shared/cache-command-bodies.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logging.ts';
import type { CacheHealth, Exclusion } from './choose.ts';
import type { ContentCache } from './content-caches.ts';
import {
  type BlobAsk,
  type Delivery,
  type Pair,
  type Pull,
  type PulledBlob,
  Pulls,
  startOf,
} from './pulls.ts';

/** What a cache says became of a request: `aborted` when its answer ended early, `unknown` when it never came. */
export type DeliveryState = DeliveriesAnswer['deliveries'][string];

/**
 * Asks a cache what became of redirects, by their ids, at most 100 of them. Rejects when it does not answer, with a `TimeoutError`
 * when it is only late.
 */
export type AskDeliveries = (cache: ContentCache, ids: readonly string[]) => Promise<DeliveriesAnswer>;

/** What is known of redirects; nothing of those of which the cache would not know any more whether they came. */
type States = ReadonlyMap<Delivery, DeliveryState>;

/** A client that is redirected comes to the cache within this, if it comes at all. */
const settledMs = 900;
/** For how long a redirect tells something about a later pull. */
const tellingMs = 5 * 60_000;
/** What was found about a blob that was asked for again holds for this long. */
const foundMs = 2_000;
/** For how long a user at an address is not sent to a cache that does not see them, unless others there are seen. */
const missedMs = 3 * 60_000;
/** That others there were seen counts for this long. */
const reachedMs = 60_000;
/** A cache that did not answer is not asked again so soon: not everybody shall wait for it. */
const silentMs = 10_000;
const maximumIds = 100;
/** Pulls of the same user and address that are looked at, the latest first. */
const maximumPulls = 200;

export class Retries {
  readonly #pulls = new Pulls();
  readonly #askDeliveries: AskDeliveries;
  readonly #health: CacheHealth;
  readonly #clock: Clock;
  readonly #pause: (ms: number) => Promise<void>;
  readonly #logger: Logger;
  /** By the ids of caches that did not answer: until when they are not asked. */
  readonly #silent = new Map<string, number>();

  constructor(options: {
    askDeliveries: AskDeliveries;
    health: CacheHealth;
    clock: Clock;
    pause: (ms: number) => Promise<void>;
    logger: Logger;
  }) {
    this.#askDeliveries = options.askDeliveries;
    this.#health = options.health;
    this.#clock = options.clock;
    this.#pause = options.pause;
    this.#logger = options.logger;
  }

  /**
   * Why this client must not be sent to that cache; `undefined` when it may. A promise only where something must be found out: most
   * requests go on where the first blob of their pull went.
   */
  assess(ask: BlobAsk, cache: ContentCache): Promise<Exclusion | undefined> | Exclusion | undefined {
    const pull = this.#pulls.of(ask, this.#clock());
    const excluded = pull.excluded.get(cache.id);
    if (excluded !== undefined) return excluded;
    const blob = pull.blobs.get(ask.digest);
    const earlier = this.#pulls.earlierOf(pull, ask);
    if (blob !== undefined && earlier?.cacheId === cache.id) {
      return this.#assessRepeat(pull, blob, earlier, ask, cache);
    }
    if (!pull.assessed.has(cache.id)) this.#assessPull(pull, ask, cache);
    return pull.assessed.get(cache.id);
  }

  /** Remembers that the client is sent to that cache, by this id. */
  sent(ask: BlobAsk, cache: ContentCache, id: string): void {
    const now = this.#clock();
    this.#pulls.add(this.#pulls.of(ask, now), ask, { id, cacheId: cache.id, now });
  }

  /** Where a new pull of that user from that address would not be sent, by the ids of caches. */
  missedBy(user: string, client: string | undefined): ReadonlyMap<string, Exclusion> {
    const pair = this.#pulls.findPair({ user, client });
    const missed = [...(pair?.missed.keys() ?? [])].filter((id) => pair && this.#isMissed(pair, id));
    return new Map(missed.map((id) => [id, 'not-reached']));
  }

  /** What this very pull was sent to the cache for before. */
  async #assessRepeat(
    pull: Pull,
    blob: PulledBlob,
    earlier: Delivery,
    ask: BlobAsk,
    cache: ContentCache,
  ): Promise<Exclusion | undefined> {
    const now = this.#clock();
    // Who is being given the whole does not ask for the rest of it, as long as it comes.
    const resumes = blob.isWhole && startOf(ask.range) > 0;
    if (!resumes && (blob.repeated === undefined || now - blob.repeated.at >= foundMs)) {
      blob.repeated = { at: now, found: this.#whatBecameOf(earlier, pull, cache) };
    }
    const found = resumes ? 'broke-off' : await blob.repeated?.found;
    if (found === undefined) return undefined;
    if (found !== 'no-answer') pull.failed.set(cache.id, { at: now, why: found });
    pull.excluded.set(cache.id, found);
    return found;
  }

  async #whatBecameOf(earlier: Delivery, pull: Pull, cache: ContentCache): Promise<Exclusion | undefined> {
    const others = this.#earlier(pull, cache.id, { withinMs: reachedMs, alike: false });
    const sent = [earlier, ...others.flatMap((other) => other.sent)];
    let states = await this.#ask(cache, sent, pull.pair);
    const youngMs = settledMs - (this.#clock() - earlier.sentAt);
    if (typeof states === 'object' && states.get(earlier) === 'unknown' && youngMs > 0) {
      // It may be on its way: some clients ask twice at the same time.
      await this.#pause(youngMs);
      states = await this.#ask(cache, [earlier], pull.pair);
    }
    if (typeof states === 'string') return 'no-answer';
    const found = failures[states.get(earlier) ?? 'running'];
    if (found === 'not-reached') this.#miss(pull.pair, cache.id);
    return found;
  }

  /** The first blob of a pull: what became of the pulls before it that are like it? Asked once for each pull. */
  #assessPull(pull: Pull, ask: BlobAsk, cache: ContentCache): void {
    const finding = this.#whatBecameOfEarlierPulls(pull, ask, cache).then((found) => {
      pull.assessed.set(cache.id, found);
      if (found !== undefined) pull.excluded.set(cache.id, found);
      return found;
    });
    pull.assessed.set(cache.id, finding);
  }

  async #whatBecameOfEarlierPulls(
    pull: Pull,
    ask: BlobAsk,
    cache: ContentCache,
  ): Promise<Exclusion | undefined> {
    if (this.#isMissed(pull.pair, cache.id)) return 'not-reached';
    const earlier = this.#earlier(pull, cache.id, { withinMs: tellingMs, alike: true });
    if (earlier.length === 0) return undefined;
    const ofBlob = earlier.filter((one) => one.pull.blobs.has(ask.digest));
    // The rest of a blob, asked for with a new token.
    if (startOf(ask.range) > 0 && ofBlob.some((one) => one.pull.blobs.get(ask.digest)?.isWhole)) {
      return 'broke-off';
    }
    const telling = ofBlob.length > 0 ? ofBlob : earlier;
    const states = await this.#ask(
      cache,
      telling.flatMap(({ sent }) => sent),
      pull.pair,
    );
    // A late answer says nothing of them: a cache that works hard is not to be spared by those who would wait for it.
    if (states === 'late') return undefined;
    if (states === 'none') return 'no-answer';
    const found = vote(telling, states);
    if (found === 'not-reached') this.#miss(pull.pair, cache.id);
    return found;
  }

  /**
   * What the user's pulls from that address were sent to the cache for before this one, the latest first; not what was sent so
   * lately that nothing can have become of it. `alike`: with the same client, from the same repository.
   */
  #earlier(pull: Pull, cacheId: string, wanted: { withinMs: number; alike: boolean }): EarlierPull[] {
    const now = this.#clock();
    const found: EarlierPull[] = [];
    let ids = 0;
    const { pulls } = pull.pair;
    const last = Math.max(0, pulls.length - maximumPulls);
    for (let index = pulls.length - 1; index >= last && ids < maximumIds; index -= 1) {
      const other = pulls[index] as Pull;
      if (other === pull || (wanted.alike && !isAlike(other, pull))) continue;
      const settled = other.latest
        .map(({ telling }) => telling)
        .filter((delivery) => {
          const ageMs = now - delivery.sentAt;
          return delivery.cacheId === cacheId && ageMs >= settledMs && ageMs < wanted.withinMs;
        });
      const failed = other.failed.get(cacheId);
      const failure = failed !== undefined && now - failed.at < wanted.withinMs ? failed.why : undefined;
      if (settled.length === 0 && failure === undefined) continue;
      ids += settled.length;
      found.push({ pull: other, sent: settled, failure });
    }
    return found;
  }

  /** What is known for good is not asked. */
  async #ask(cache: ContentCache, sent: readonly Delivery[], pair: Pair): Promise<States | 'none' | 'late'> {
    const states = new Map<Delivery, DeliveryState>();
    for (const delivery of sent) if (delivery.isCompleted) states.set(delivery, 'completed');
    const open = sent.filter(({ isCompleted }) => !isCompleted).slice(0, maximumIds);
    if (open.length === 0) return states;
    if ((this.#silent.get(cache.id) ?? 0) > this.#clock()) return 'none';
    let answer: DeliveriesAnswer;
    try {
      const ids = open.map(({ id }) => id);
      answer = await this.#askDeliveries(cache, ids);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.warn({ cache: cache.name, reason }, 'a cache does not tell what became of its clients');
      this.#health.suspect(cache.id);
      // Probes tell whether one of which they know that it lives is dead by now.
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      if (isLate && this.#health.stateOf(cache.id) !== 'unknown') return 'late';
      this.#silent.set(cache.id, this.#clock() + silentMs);
      return 'none';
    }
    const rememberedSince = this.#clock() - answer.rememberedMs;
    for (const delivery of open) {
      const state = answer.deliveries[delivery.id] ?? 'unknown';
      if (state === 'unknown' && delivery.sentAt < rememberedSince) continue;
      states.set(delivery, state);
      if (state === 'completed') delivery.isCompleted = true;
      if (state === 'completed' || state === 'running') reach(pair, cache.id, delivery.sentAt);
    }
    return states;
  }

  /** Unless others of the pair were seen at the cache just now: then it is this client's own trouble. */
  #miss(pair: Pair, cacheId: string): void {
    const now = this.#clock();
    if (now - (pair.reached.get(cacheId) ?? 0) >= reachedMs) pair.missed.set(cacheId, now);
  }

  #isMissed({ missed, reached }: Pair, cacheId: string): boolean {
    const missedAt = missed.get(cacheId);
    if (missedAt === undefined || this.#clock() - missedAt >= missedMs) return false;
    return (reached.get(cacheId) ?? 0) < missedAt;
  }
}

interface EarlierPull {
  readonly pull: Pull;
  readonly sent: readonly Delivery[];
  /** What it found itself when it asked again. */
  readonly failure: Exclusion | undefined;
}

const failures = {
  completed: undefined,
  running: undefined,
  aborted: 'broke-off',
  unknown: 'not-reached',
} as const satisfies Record<DeliveryState, Exclusion | undefined>;

function isAlike(one: Pull, other: Pull): boolean {
  return one.userAgent === other.userAgent && one.repository === other.repository;
}

/** A pull failed when anything of it did. Where as many failed as went well, the next would fail, too. */
function vote(earlier: readonly EarlierPull[], states: States): Exclusion | undefined {
  const failed: Exclusion[] = [];
  let well = 0;
  for (const { sent, failure } of earlier) {
    const known = sent.flatMap((delivery) => states.get(delivery) ?? []);
    const found = failure ?? known.map((state) => failures[state]).find(Boolean);
    if (found !== undefined) failed.push(found);
    else if (known.length > 0) well += 1;
  }
  return failed.length >= well ? failed[0] : undefined;
}

function reach({ reached }: Pair, cacheId: string, at: number): void {
  if ((reached.get(cacheId) ?? 0) < at) reached.set(cacheId, at);
}
