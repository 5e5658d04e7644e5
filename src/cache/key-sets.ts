/**
 * The public keys of the origins, by which signed URLs are verified. Fetched from the next hops in the order in which
 * they are asked for blobs, kept on disk so that a restart works while the origin is away, and relayed to the
 * caches below.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../shared/clock.ts';
import { DomainError } from '../shared/errors.ts';
import type { Logger } from '../shared/logging.ts';
import type { Upstream } from './configuration.ts';
import { describeUpstreamError, type UpstreamClient, UpstreamOrder } from './upstreams.ts';

const keySetShape = z.object({
  issuer: z.string(),
  keys: z.array(
    z.object({
      kid: z.string(),
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      x: z.string(),
      y: z.string(),
    }),
  ),
});
export type PublishedKeySet = z.infer<typeof keySetShape>;

/** An unknown key may be a new one: asked for, but not more often than this. */
const refetchAfterMs = 10_000;
/** A set older than this is renewed beside the request that uses it, so that a withdrawn key is forgotten. */
const staleAfterMs = 300_000;
const fetchDeadlineMs = 30_000;
const maximumBytes = 256 * 1024;

export class KeySets {
  readonly #sources: readonly KeySource[];

  constructor(options: {
    upstreams: readonly Upstream[];
    client: UpstreamClient;
    /** Where the last sets are kept. */
    directory: string;
    clock: Clock;
    logger: Logger;
  }) {
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
   * @throws DomainError `signature-invalid` when no origin of this cache has that issuer or key;
   *   `upstream-unavailable` when that cannot be known because the keys cannot be fetched
   */
  async findKey(issuer: string, keyId: string): Promise<KeyObject> {
    for (const source of this.#sources) {
      const key = source.find(issuer, keyId);
      if (key !== undefined) return key;
    }
    await Promise.all(this.#sources.map((source) => source.refresh()));
    for (const source of this.#sources) {
      const key = source.find(issuer, keyId);
      if (key !== undefined) return key;
    }
    const unknown = this.#sources.find((source) => source.current === undefined);
    if (unknown !== undefined) {
      throw new DomainError(
        'upstream-unavailable',
        `the keys of ${unknown.name} cannot be fetched: ${unknown.failure}`,
      );
    }
    const known = this.#sources.some((source) => source.current?.issuer === issuer);
    throw new DomainError(
      'signature-invalid',
      known
        ? `the signed URL is refused: ${issuer} has no key ${keyId}`
        : `the signed URL is refused: ${issuer} is not an origin of this cache`,
    );
  }

  /** The set of the origin with that address or issuer; without one, of the only origin. */
  relay(origin: string | undefined): PublishedKeySet | undefined {
    if (origin === undefined) return this.#sources.length === 1 ? this.#sources[0]?.current : undefined;
    return this.#sources.find(({ current, name }) => name === origin || current?.issuer === origin)?.current;
  }

  /** Whether any signed URL can be verified. */
  hasKeys(): boolean {
    return this.#sources.some(({ current }) => current !== undefined);
  }

  /** The hops to ask for blobs that this issuer signed for, in the order of this request. */
  hopsFor(issuer: string): string[] {
    return this.#sources.find((source) => source.current?.issuer === issuer)?.order.next() ?? [];
  }
}

/** The key set of one origin. */
class KeySource {
  /** How people know it: the origin's address, or the hosts of the flat form. */
  readonly name: string;
  readonly order: UpstreamOrder;
  current: PublishedKeySet | undefined;
  failure = 'not asked yet';
  readonly #upstream: Upstream;
  readonly #client: UpstreamClient;
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
    directory: string;
    clock: Clock;
    logger: Logger;
  }) {
    this.#upstream = options.upstream;
    this.#client = options.client;
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.order = new UpstreamOrder(options.upstream);
    this.name = options.upstream.originHost ?? options.upstream.hosts.join(', ');
  }

  find(issuer: string, keyId: string): KeyObject | undefined {
    if (this.current?.issuer !== issuer) return undefined;
    if (this.#clock() - this.#fetchedAt > staleAfterMs) this.refreshInBackground();
    return this.#keys.get(keyId);
  }

  /** One request at a time, and none soon after the last. */
  refresh(): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    if (this.#clock() - this.#askedAt < refetchAfterMs) return Promise.resolve();
    this.#askedAt = this.#clock();
    this.#running = this.#fetch().finally(() => {
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

  async #fetch(): Promise<void> {
    const failures: string[] = [];
    for (const hop of this.order.next()) {
      try {
        const keySet = await this.#ask(hop);
        const isNew = JSON.stringify(keySet) !== JSON.stringify(this.current);
        this.#use(keySet);
        this.#fetchedAt = this.#clock();
        if (isNew)
          await this.#keep(keySet).catch((error) =>
            this.#logger.warn({ err: error, origin: this.name }, 'key set not stored'),
          );
        return;
      } catch (error) {
        failures.push(`${hop}: ${describeUpstreamError(error)}`);
      }
    }
    this.failure = failures.join('; ');
    this.#logger.warn(
      { origin: this.name, reason: this.failure },
      'cannot fetch the public keys of an origin',
    );
  }

  async #ask(hop: string): Promise<PublishedKeySet> {
    const { originHost } = this.#upstream;
    // Another cache relays the keys of the origin that is asked for; an origin has only its own.
    const query =
      originHost === undefined || hop === originHost ? '' : `?origin=${encodeURIComponent(originHost)}`;
    const { statusCode, body } = await this.#client.request(hop, `/.well-known/jwks.json${query}`, {
      signal: AbortSignal.timeout(fetchDeadlineMs),
    });
    const text = await readLimited(body);
    if (statusCode !== 200) throw new Error(`it answered ${statusCode} instead of its public keys`);
    const parsed = keySetShape.safeParse(parseJson(text));
    if (!parsed.success)
      throw new Error('it answered something else than public keys: is it an origin or a cache?');
    return parsed.data;
  }

  #use(keySet: PublishedKeySet): void {
    this.#keys = new Map(keySet.keys.map((key) => [key.kid, createPublicKey({ key, format: 'jwk' })]));
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
