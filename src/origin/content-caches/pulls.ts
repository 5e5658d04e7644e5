/**
 * Pulls: which clients were sent to which cache for which blob lately, for as long as that tells a retry from a first request.
 * In memory, bounded, the oldest forgotten first.
 */
import type { Digest } from '../../shared/distribution/digest.ts';
import type { RepositoryName } from '../../shared/distribution/repository-name.ts';
import type { Exclusion } from './choose.ts';

/** A request for a blob, with what tells who sends it. */
export interface BlobAsk {
  /** The id of the registry token: clients get one for each pull, and show it for each blob. */
  readonly pull: string;
  /** Empty for an anonymous pull. */
  readonly user: string;
  /** The client's address, canonical; several machines may share it. `undefined` when it is not known. */
  readonly client: string | undefined;
  readonly userAgent: string;
  readonly repository: RepositoryName;
  readonly digest: Digest;
  /** The header `Range`. */
  readonly range: string | undefined;
}

/** One redirect. */
export interface Delivery {
  readonly id: string;
  readonly cacheId: string;
  readonly sentAt: number;
  /** The first byte that was asked for. */
  readonly start: number;
  /** The cache has said that all of it was delivered: nothing more will become of it. */
  isCompleted: boolean;
}

/** A blob within a pull. */
export interface PulledBlob {
  /**
   * True when the client began without a range: it wants the whole, and a second request for it is a second try. False when it
   * fetches piece by piece, each with a request of its own.
   */
  readonly isWhole: boolean;
  /** The redirect that tells what became of it: the last one; of pieces the one nearest to the end, which ends last. */
  telling: Delivery;
  /** By `Range`: the last redirect for each piece. */
  readonly pieces: Map<string, Delivery>;
  /** When it was last asked for again, and what was found then. */
  repeated: { readonly at: number; readonly found: Promise<Exclusion | undefined> } | undefined;
}

export interface Pull {
  readonly pair: Pair;
  readonly userAgent: string;
  readonly repository: RepositoryName;
  readonly begunAt: number;
  readonly blobs: Map<Digest, PulledBlob>;
  /** The blobs that it asked for last: the first failure ends most pulls. */
  readonly latest: PulledBlob[];
  /** By the id of the cache: where this pull is not sent again. */
  readonly excluded: Map<string, Exclusion>;
  /** By the id of the cache: what became of what this pull itself was sent there for, and when that was found. */
  readonly failed: Map<string, { readonly at: number; readonly why: Exclusion }>;
  /** By the id of the cache: whether this pull may be sent there, as the ones before it tell; a promise until that is known. */
  readonly assessed: Map<string, Promise<Exclusion | undefined> | Exclusion | undefined>;
}

/** A user at an address. */
export interface Pair {
  readonly key: string;
  /** The oldest first. */
  readonly pulls: Pull[];
  /** By the id of the cache: when a client of the pair was last known to come there, and when not to. */
  readonly reached: Map<string, number>;
  readonly missed: Map<string, number>;
}

/** Longer than a registry token is shown. */
const keptMs = 6 * 60_000;
/** Pulls and redirects together. */
const maximumKept = 100_000;
/** A client that fetches very small pieces shall not drive out everybody else. */
const maximumPieces = 1_000;
const maximumLatest = 20;
/** Of what clients send and say about themselves. */
const maximumTextLength = 200;

export class Pulls {
  readonly #pulls = new Map<string, Pull>();
  readonly #pairs = new Map<string, Pair>();
  #kept = 0;

  /** The pull that the request belongs to; its first request begins it. */
  of(ask: BlobAsk, now: number): Pull {
    const known = this.#pulls.get(ask.pull);
    if (known !== undefined) return known;
    this.#forget(now);
    const pull: Pull = {
      pair: this.#pairOf(ask),
      userAgent: ask.userAgent.slice(0, maximumTextLength),
      repository: ask.repository,
      begunAt: now,
      blobs: new Map(),
      latest: [],
      excluded: new Map(),
      failed: new Map(),
      assessed: new Map(),
    };
    pull.pair.pulls.push(pull);
    this.#pulls.set(ask.pull, pull);
    this.#kept += 1;
    return pull;
  }

  /** Remembers a redirect. */
  add(pull: Pull, ask: BlobAsk, redirect: { id: string; cacheId: string; now: number }): void {
    const { id, cacheId, now } = redirect;
    if (this.#kept >= maximumKept) this.#forget(now);
    const delivery = { id, cacheId, sentAt: now, start: startOf(ask.range), isCompleted: false };
    let blob = pull.blobs.get(ask.digest);
    if (blob === undefined) {
      blob = {
        isWhole: ask.range === undefined,
        telling: delivery,
        pieces: new Map(),
        repeated: undefined,
      };
      pull.blobs.set(ask.digest, blob);
      this.#kept += 1;
      pull.latest.push(blob);
      if (pull.latest.length > maximumLatest) pull.latest.shift();
    }
    if (delivery.start >= blob.telling.start) blob.telling = delivery;
    if (blob.isWhole) return;
    const before = blob.pieces.size;
    if (before >= maximumPieces) blob.pieces.clear();
    blob.pieces.set(keyOfPiece(ask.range), delivery);
    this.#kept += blob.pieces.size - before;
  }

  /** What the pull was sent for when it asked for the same before: the blob, or this piece of it. */
  earlierOf(pull: Pull, ask: BlobAsk): Delivery | undefined {
    const blob = pull.blobs.get(ask.digest);
    return blob?.isWhole ? blob.telling : blob?.pieces.get(keyOfPiece(ask.range));
  }

  /** The user at the address, if they pulled lately. */
  findPair(who: Pick<BlobAsk, 'user' | 'client'>): Pair | undefined {
    return this.#pairs.get(keyOfPair(who));
  }

  /** How many pulls and redirects are remembered. */
  get size(): number {
    return this.#kept;
  }

  #pairOf(ask: BlobAsk): Pair {
    const key = keyOfPair(ask);
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = { key, pulls: [], reached: new Map(), missed: new Map() };
      this.#pairs.set(key, pair);
    }
    return pair;
  }

  #forget(now: number): void {
    for (const [id, pull] of this.#pulls) {
      if (now - pull.begunAt < keptMs && this.#kept < maximumKept) return;
      this.#pulls.delete(id);
      this.#kept -= 1;
      for (const { pieces } of pull.blobs.values()) this.#kept -= 1 + pieces.size;
      // What goes on under its token begins anew.
      pull.blobs.clear();
      pull.latest.length = 0;
      const { pair } = pull;
      // The oldest of all is the oldest of its pair.
      pair.pulls.shift();
      if (pair.pulls.length === 0) this.#pairs.delete(pair.key);
    }
  }
}

/** No name of a user holds a space. */
function keyOfPair({ user, client }: Pick<BlobAsk, 'user' | 'client'>): string {
  return `${user} ${client}`;
}

function keyOfPiece(range: string | undefined): string {
  return (range ?? '').slice(0, maximumTextLength);
}

/** Where a range starts; 0 for none, and for what is none. */
export function startOf(range: string | undefined): number {
  const match = range === undefined ? null : /^bytes=(\d{1,15})-\d{0,15}$/.exec(range);
  return match === null ? 0 : Number(match[1]);
}
