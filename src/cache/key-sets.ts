/**
 * The public keys of the origins, by which signed URLs are verified. Fetched from the next hops in the order in which
 * they are asked for blobs, kept on disk so that a restart works while the origin is away, and relayed to the
 * caches below.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Clock } from '../shared/clock.ts';
import { DomainError } from '../shared/errors.ts';
import type { Logger } from '../shared/logging.ts';
import type { Breakers } from './breakers.ts';
import type { Upstream } from './configuration.ts';
import { UpstreamRefusal } from './upstream-answer.ts';
import { UpstreamOrder } from './upstream-order.ts';
import { describeUpstreamError, type UpstreamClient } from './upstreams.ts';

/** Keys of other types are passed on to the caches below, which may be newer than this one. */
const keySetShape = z.object({ issuer: z.string(), keys: z.array(z.looseObject({ kid: z.string() })) });
const keyShape = z.object({
  kid: z.string(),
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
});
export type PublishedKeySet = z.infer<typeof keySetShape>;

/** An unknown key may be a new one: asked for, but not more often than this. */
const refetchAfterMs = 2_000;
/** A set older than this is renewed beside the request that uses it, so that a withdrawn key is forgotten. */
const staleAfterMs = 300_000;
/** All hops together: clients wait for it. */
const fetchDeadlineMs = 20_000;
/** A cache below waits so long for a key that is new here. */
const relayWaitMs = 5_000;
const maximumBytes = 256 * 1024;
/** Who is asked whether its upstreams answer, asks them when the last answer is older than this. */
const troubleAfterMs = 10_000;
const notAskedYet = 'not asked yet';

export class KeySets {
  readonly #sources: readonly KeySource[];
  readonly #breakers: Breakers;

  constructor(options: {
    upstreams: readonly Upstream[];
    client: UpstreamClient;
    breakers: Breakers;
    /** Where the last sets are kept. */
    directory: string;
    clock: Clock;
    logger: Logger;
  }) {
    this.#breakers = options.breakers;
    this.#sources = options.upstreams.map((upstream) => new KeySource({ ...options, upstream }));
  }

  /** Reads what the last run kept, then asks the upstreams, without waiting for them. */
  async start(): Promise<void> {
    for (const source of this.#sources) {
      await source.load();
      source.refreshInBackground();
    }
  }

  /**
   * @throws DomainError `signature-invalid` when no origin of this cache has that issuer or key; `keys-unavailable` when
   *   that cannot be known because the keys cannot be fetched
   */
  async findKey(issuer: string, keyId: string): Promise<KeyObject> {
    const key = this.#ownerOf(issuer)?.find(keyId);
    if (key !== undefined) return key;
    const owner = this.#ownerOf(issuer);
    const asked = owner === undefined ? this.#sources : [owner];
    await Promise.all(asked.map((source) => source.refresh(keyId)));
    const renewed = this.#ownerOf(issuer)?.find(keyId);
    if (renewed !== undefined) return renewed;
    const unknown = asked.find((source) => source.failure !== undefined);
    if (unknown !== undefined) {
      throw new DomainError(
        'keys-unavailable',
        `the keys of ${unknown.name} cannot be fetched: ${unknown.failure}`,
      );
    }
    throw new DomainError(
      'signature-invalid',
      this.#ownerOf(issuer) !== undefined
        ? `the signature is refused: ${issuer} has no key ${keyId}`
        : `the signature is refused: ${issuer} is not an origin of this cache`,
    );
  }

  /**
   * The set of the origin with that address or issuer; without one, of the only origin. Asks for it anew when a cache below
   * has seen a key that is not in it, but not when that one was asked by this cache itself (`isCircle`).
   */
  async relay(
    origin: string | undefined,
    keyId: string | undefined,
    isCircle: boolean,
  ): Promise<PublishedKeySet | undefined> {
    const source =
      origin === undefined
        ? this.#sources.length === 1
          ? this.#sources[0]
          : undefined
        : (this.#sources.find(({ name }) => name === origin) ?? this.#ownerOf(origin));
    if (source === undefined) return undefined;
    // Who asks may be asked in turn: it must not wait for itself.
    if (source.current === undefined) source.refreshInBackground();
    else if (keyId !== undefined && source.find(keyId) === undefined && !isCircle) {
      await Promise.race([source.refresh(keyId), sleep(relayWaitMs, undefined, { ref: false })]);
    }
    return source.current;
  }

  /** Whether any signed URL can be verified. */
  hasKeys(): boolean {
    return this.#sources.some(({ current }) => current !== undefined);
  }

  /** The origins that this cache serves: as they call themselves, or by address while their keys have not come. */
  origins(): string[] {
    return this.#sources.map(({ name, current }) => current?.issuer ?? name);
  }

  /** Why no upstream of this issuer can be asked; `undefined` while one answers. Asks now and then, beside the caller. */
  troubleOf(issuer: string): string | undefined {
    return this.#ownerOf(issuer)?.trouble();
  }

  /** The hops to ask for blobs that this issuer signed for, in the order of this request. */
  hopsFor(issuer: string): string[] {
    const owner = this.#ownerOf(issuer);
    if (owner === undefined) return [];
    const same = this.#sources.filter((source) => source !== owner && source.isSameOriginAs(owner));
    const rests = (host: string) => this.#breakers.rests(host);
    return [...new Set([owner, ...same].flatMap((source) => source.order.next(rests)))];
  }

  /**
   * Whose keys count for an issuer: of the upstream whose address it is, else of the first that calls itself so. The keys
   * of another one that takes the same name do not.
   */
  #ownerOf(issuer: string): KeySource | undefined {
    const named = this.#sources.find(({ name }) => name === issuer);
    if (named !== undefined && (named.current?.issuer ?? issuer) === issuer) return named;
    return this.#sources.find((source) => source.current?.issuer === issuer);
  }
}

/** The key set of one origin. */
class KeySource {
  /** How people know it: the origin's address, or the hosts of the flat form. */
  readonly name: string;
  readonly order: UpstreamOrder;
  current: PublishedKeySet | undefined;
  /** Why the last question brought no keys; `undefined` when it did. */
  failure: string | undefined = notAskedYet;
  readonly #upstream: Upstream;
  readonly #client: UpstreamClient;
  readonly #breakers: Breakers;
  /** Its own turns: asking for keys must not disturb those of the blobs. */
  readonly #keyOrder: UpstreamOrder;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #keys = new Map<string, KeyObject>();
  #askedAt = Number.NEGATIVE_INFINITY;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(options: {
    upstream: Upstream;
    client: UpstreamClient;
    breakers: Breakers;
    directory: string;
    clock: Clock;
    logger: Logger;
  }) {
    this.#upstream = options.upstream;
    this.#client = options.client;
    this.#breakers = options.breakers;
    this.#keyOrder = new UpstreamOrder(options.upstream);
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.order = new UpstreamOrder(options.upstream);
    this.name = options.upstream.originHost ?? options.upstream.hosts.join(', ');
  }

  /** By one key of both: an origin that is reached by two addresses. */
  isSameOriginAs(other: KeySource): boolean {
    if (this.current?.issuer !== other.current?.issuer) return false;
    return [...this.#keys].some(([keyId, key]) => other.#keys.get(keyId)?.equals(key));
  }

  find(keyId: string): KeyObject | undefined {
    if (this.#clock() - this.#fetchedAt > staleAfterMs) this.refreshInBackground();
    return this.#keys.get(keyId);
  }

  trouble(): string | undefined {
    const isOld = this.#clock() - this.#fetchedAt > troubleAfterMs;
    if (isOld || this.failure !== undefined) this.refreshInBackground();
    return this.failure === notAskedYet ? undefined : this.failure;
  }

  /** One request at a time, and none soon after the last. `keyId`: the key that is missed. */
  refresh(keyId?: string): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    if (this.#clock() - this.#askedAt < refetchAfterMs) return Promise.resolve();
    this.#askedAt = this.#clock();
    this.#running = this.#fetch(keyId).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  refreshInBackground(): void {
    this.refresh().catch((error) =>
      this.#logger.error({ err: error, origin: this.name }, 'key set not fetched'),
    );
  }

  async load(): Promise<void> {
    try {
      this.#use(keySetShape.parse(JSON.parse(await readFile(this.#path(), 'utf8'))));
    } catch {
      // None kept, or not readable: the upstreams are asked.
    }
  }

  async #fetch(keyId: string | undefined): Promise<void> {
    const failures: string[] = [];
    const signal = AbortSignal.timeout(fetchDeadlineMs);
    const hops = this.#keyOrder.next((hop) => this.#breakers.rests(hop));
    // When all of them rest, this is the question whether one is back.
    const up = hops.filter((hop) => !this.#breakers.rests(hop));
    for (const hop of up.length > 0 ? up : hops) {
      try {
        await this.#fetchFrom(hop, keyId, signal);
        this.failure = undefined;
        return;
      } catch (error) {
        const isFault = !(error instanceof UpstreamRefusal);
        if (isFault && !this.#breakers.isLastResort(hop)) this.#breakers.failed(hop);
        failures.push(`${hop}: ${describeUpstreamError(error)}${this.#client.protocolRemark(hop)}`);
      }
    }
    this.failure = failures.join('; ');
    this.#logger.warn(
      { origin: this.name, reason: this.failure },
      'cannot fetch the public keys of an origin',
    );
  }

  async #fetchFrom(hop: string, keyId: string | undefined, signal: AbortSignal): Promise<void> {
    const keySet = await this.#ask(hop, keyId, signal);
    const isNew = JSON.stringify(keySet) !== JSON.stringify(this.current);
    this.#use(keySet);
    this.#fetchedAt = this.#clock();
    if (!isNew) return;
    await this.#keep(keySet).catch((error) =>
      this.#logger.warn({ err: error, origin: this.name }, 'key set not stored'),
    );
  }

  async #ask(hop: string, keyId: string | undefined, signal: AbortSignal): Promise<PublishedKeySet> {
    const { originHost } = this.#upstream;
    const query = new URLSearchParams();
    // Another cache relays the keys of the origin that is asked for; an origin has only its own, and ignores both.
    if (originHost !== undefined && hop !== originHost) query.set('origin', originHost);
    if (keyId !== undefined && hop !== originHost) query.set('key', keyId);
    const target = `/.well-known/jwks.json${query.size === 0 ? '' : `?${query}`}`;
    const { statusCode, body } = await this.#client.request(hop, target, { signal });
    const text = await readLimited(body);
    // A cache that has just been started knows none yet, and is as good for blobs as others.
    if (statusCode === 404) throw new UpstreamRefusal('refusal', 'it has no public keys of that origin');
    if (statusCode !== 200) throw new Error(`it answered ${statusCode} instead of its public keys`);
    const parsed = keySetShape.safeParse(parseJson(text));
    if (!parsed.success)
      throw new Error('it answered something else than public keys: is it an origin or a cache?');
    if (usableKeys(parsed.data).size === 0) {
      throw new Error('it has no public key of a type that this cache knows: is it newer?');
    }
    return parsed.data;
  }

  #use(keySet: PublishedKeySet): void {
    this.#keys = usableKeys(keySet);
    this.current = keySet;
  }

  async #keep(keySet: PublishedKeySet): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const temporary = `${this.#path()}.new`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(keySet));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path());
  }

  #path(): string {
    return join(this.#directory, `${createHash('sha256').update(this.name).digest('hex')}.json`);
  }
}

/** Those that this version can verify by. */
function usableKeys(keySet: PublishedKeySet): Map<string, KeyObject> {
  const usable = new Map<string, KeyObject>();
  for (const published of keySet.keys) {
    const { data: key } = keyShape.safeParse(published);
    if (key === undefined) continue;
    try {
      usable.set(key.kid, createPublicKey({ key, format: 'jwk' }));
    } catch {
      // Not a point of the curve: no signature can be by this key.
    }
  }
  return usable;
}

async function readLimited(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maximumBytes) throw new Error('it answered too much for a set of public keys');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
