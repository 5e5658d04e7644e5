/**
 * The door for commands of the origins: how this cache does, what became of a redirect, purge, prefetch. By an origin's signature
 * alone (cache-command.ts); whoever has none learns nothing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { DirectoryBlobStore } from '../shared/blob-store/directory.ts';
import {
  type CacheCommand,
  type CacheCommandClaims,
  cacheCommandPaths,
  verifyCacheCommand,
} from '../shared/cache-command.ts';
import {
  type CacheStatus,
  type DeliveriesAnswer,
  deliveriesRequest,
  type PrefetchAnswer,
  prefetchRequest,
  purgeRequest,
  type StoredAnswer,
  storedRequest,
} from '../shared/cache-command-bodies.ts';
import type { Clock } from '../shared/clock.ts';
import { DomainError } from '../shared/errors.ts';
import type { Logger } from '../shared/logging.ts';
import { protocolVersion } from '../shared/protocol.ts';
import { version } from '../shared/version.ts';
import { answerJson } from './answer-json.ts';
import { readBody } from './command-body.ts';
import type { Deliveries } from './deliveries.ts';
import type { Entries } from './entries.ts';
import type { Health } from './health.ts';
import type { KeySets } from './key-sets.ts';
import type { Prefetches } from './prefetches.ts';
import type { Purge } from './purge.ts';
import type { StoringTrouble } from './storing-trouble.ts';
import type { Usage } from './usage.ts';

const longestReason = 2_000;
/** Of digests, so that an answer is below 64 KiB whatever they are. */
const storedPage = 400;

export interface CommandParts {
  readonly keySets: KeySets;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The cache's own address, if its file says so. */
  readonly host: string | undefined;
  readonly store: DirectoryBlobStore;
  readonly entries: Entries;
  readonly health: Health;
  readonly trouble: StoringTrouble;
  readonly usage: Usage;
  readonly deliveries: Deliveries;
  readonly purge: Purge;
  readonly prefetches: Prefetches;
}

const commandsByPath: ReadonlyMap<string, CacheCommand> = new Map(
  Object.entries(cacheCommandPaths).map(([command, path]) => [path, command as CacheCommand]),
);

/** The command at this path, if there is one. */
export function commandAt(path: string): CacheCommand | undefined {
  return commandsByPath.get(path);
}

export class CommandDoor {
  readonly #parts: CommandParts;

  constructor(parts: CommandParts) {
    this.#parts = parts;
  }

  /** @throws DomainError when it is not commanded by an origin of this cache, or not understood */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    command: CacheCommand,
    query: string,
  ): Promise<void> {
    const method = command === 'status' ? 'GET' : 'POST';
    if (request.method !== method) {
      response.setHeader('Allow', method);
      throw new DomainError('method-not-allowed', `this command is given by ${method}`);
    }
    const { keySets, clock, host } = this.#parts;
    const { claims, body } = await verifyCacheCommand(
      tokenOf(request),
      { command, host, readBody: async () => (command === 'status' ? '' : readBody(request)) },
      { findKey: (issuer, keyId) => keySets.findKey(issuer, keyId), clock },
    );
    if (command !== 'status' && query !== '') throw new DomainError('input-invalid', 'no query expected');
    switch (command) {
      case 'status':
        return answerJson(response, 200, await this.#status(claims, query));
      case 'deliveries':
        return answerJson(response, 200, this.#deliveries(claims, body));
      case 'purge':
        return answerJson(response, 200, await this.#purge(claims, body));
      case 'stored':
        return answerJson(response, 200, await this.#stored(body));
      case 'prefetch':
        return answerJson(response, 202, await this.#prefetch(claims, body));
    }
  }

  async #status({ issuer }: CacheCommandClaims, query: string): Promise<CacheStatus> {
    const { keySets, clock, store, entries, health, trouble, usage } = this.#parts;
    const after = afterOf(query);
    const upstream = keySets.troubleOf(issuer);
    const reasons = [
      ...Object.entries(health.problems()).map(([name, reason]) => `${name}: ${reason}`),
      ...[await trouble.reason(), upstream === undefined ? undefined : `upstream: ${upstream}`],
    ].flatMap((reason) => (reason === undefined ? [] : reason.slice(0, longestReason)));
    await entries.save();
    return {
      protocol: protocolVersion,
      version,
      processId: usage.processId,
      now: Math.floor(clock()),
      origins: keySets.origins(),
      health: { healthy: reasons.length === 0, reasons },
      disk: await store.disk(),
      stored: entries.stored(),
      usage: usage.collect(issuer, after),
    };
  }

  #deliveries({ issuer }: CacheCommandClaims, body: Uint8Array | string): DeliveriesAnswer {
    const { requests } = parseBody(deliveriesRequest, body);
    const { deliveries } = this.#parts;
    const found = requests.map((id) => [id, deliveries.find(issuer, id) ?? 'unknown'] as const);
    return {
      deliveries: Object.fromEntries(found),
      rememberedMs: Math.floor(deliveries.rememberedMs),
    };
  }

  async #purge(claims: CacheCommandClaims, body: Uint8Array | string) {
    const wanted = parseBody(purgeRequest, body);
    const answer =
      'everything' in wanted
        ? await this.#parts.purge.everything()
        : await this.#parts.purge.blobs(wanted.digests);
    const { issuer, id } = claims;
    const asked = 'everything' in wanted ? 'everything' : wanted.digests.length;
    this.#parts.logger.info({ issuer, command: id, asked, ...answer }, 'purged by an origin');
    return answer;
  }

  async #stored(body: Uint8Array | string): Promise<StoredAnswer> {
    const { keySets, entries } = this.#parts;
    const { after } = parseBody(storedRequest, body);
    if (keySets.origins().length > 1) {
      throw new DomainError(
        'access-denied',
        'this cache serves several origins: none of them learns what it stores for the others',
      );
    }
    await entries.save();
    const digests = entries.digestsAfter(after ?? '', storedPage + 1);
    return { digests: digests.slice(0, storedPage), more: digests.length > storedPage };
  }

  async #prefetch({ issuer, cache }: CacheCommandClaims, body: Uint8Array | string): Promise<PrefetchAnswer> {
    const { blobs } = parseBody(prefetchRequest, body);
    return { blobs: await this.#parts.prefetches.ask({ issuer, cache }, blobs) };
  }
}

/** @throws DomainError `signature-missing` */
function tokenOf(request: IncomingMessage): string {
  const token = /^Bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new DomainError('signature-missing', 'commands are given by origins only');
  return token;
}

/** What the origin has of our usage. @throws DomainError `input-invalid` */
function afterOf(query: string): { processId: string; sequence: number } | undefined {
  if (query === '') return undefined;
  const match = /^after=(\d{1,15})&process=([\w-]{1,64})$/.exec(query);
  if (match === null) throw new DomainError('input-invalid', 'after=<sequence>&process=<id> expected');
  return { sequence: Number(match[1]), processId: match[2] as string };
}

/** @throws DomainError `json-invalid`, `input-invalid` */
function parseBody<Shape extends z.ZodType>(shape: Shape, body: Uint8Array | string): z.infer<Shape> {
  let value: unknown;
  try {
    value = JSON.parse(
      typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body),
    );
  } catch (cause) {
    throw new DomainError('json-invalid', 'the body is not JSON in UTF-8', { cause });
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DomainError('input-invalid', `${issue?.path.join('.') || 'the body'}: ${issue?.message}`);
}
