/** What a job is to do, as somebody asked for it. */
import { type Digest, isDigest } from '../../shared/distribution/digest.ts';
import { parseReference } from '../../shared/distribution/reference.ts';
import { parseRepositoryName, type RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import { parsePlatform } from '../images/image-blobs.ts';

export type JobAction = 'content-cache-prefetch' | 'content-cache-purge';

interface AtCaches {
  /** Ids; left out: all that are enabled. */
  readonly contentCaches?: string[];
}

/** Exactly one of these says what is to be removed. */
export interface PurgeParameters extends AtCaches {
  readonly digests?: Digest[];
  readonly repository?: RepositoryName;
  readonly everything?: true;
  /** Whatever the origin does not hold any more. */
  readonly unreferenced?: true;
}

export interface PrefetchParameters extends AtCaches {
  readonly repository: RepositoryName;
  /** A tag or a digest; left out: every tag. */
  readonly reference?: string;
  /** `<os>/<architecture>[/<variant>]`; left out: all. */
  readonly platforms?: string[];
}

export type JobParameters = PurgeParameters | PrefetchParameters;

type Input = Readonly<Record<string, unknown>>;

const maximumDigests = 1_000;

/** @throws DomainError `input-invalid`, naming the parameter */
export function parseParameters(action: JobAction, input: Input): JobParameters {
  return action === 'content-cache-purge' ? parsePurge(input) : parsePrefetch(input);
}

function parsePurge(input: Input): PurgeParameters {
  assertKnown(input, ['contentCaches', 'digests', 'repository', 'everything', 'unreferenced']);
  const given = ['digests', 'repository', 'everything', 'unreferenced'].filter((name) => name in input);
  const [what] = given;
  if (given.length !== 1 || what === undefined) {
    throw invalid('digests', 'exactly one of digests, repository, everything and unreferenced');
  }
  const caches = parseCaches(input);
  switch (what) {
    case 'digests': {
      const digests = listOf(input.digests, 'digests', maximumDigests);
      if (!digests.every(isDigest)) throw invalid('digests', 'digests such as sha256:<64 hex digits>');
      return { ...caches, digests };
    }
    case 'repository':
      return { ...caches, repository: parseRepository(input) };
    case 'everything':
      assertTrue(input.everything, 'everything');
      return { ...caches, everything: true };
    default:
      assertTrue(input.unreferenced, 'unreferenced');
      return { ...caches, unreferenced: true };
  }
}

function parsePrefetch(input: Input): PrefetchParameters {
  assertKnown(input, ['contentCaches', 'repository', 'reference', 'platforms']);
  const { reference } = input;
  if (reference !== undefined && (typeof reference !== 'string' || !isReference(reference))) {
    throw invalid('reference', 'a tag or a digest');
  }
  return {
    ...parseCaches(input),
    repository: parseRepository(input),
    ...(reference === undefined ? {} : { reference }),
    ...('platforms' in input ? { platforms: parsePlatforms(input.platforms, 'parameters.platforms') } : {}),
  };
}

/** @throws DomainError `input-invalid` */
export function parsePlatforms(value: unknown, field: string): string[] {
  const platforms = listOf(value, field, 100, '');
  const bad = platforms.find((platform) => parsePlatform(platform) === undefined);
  if (bad === undefined) return platforms;
  throw new DomainError('input-invalid', `${field}: platforms such as linux/amd64 or linux/arm/v7 expected`, {
    detail: { field },
  });
}

function parseCaches(input: Input): AtCaches {
  if (!('contentCaches' in input)) return {};
  return { contentCaches: listOf(input.contentCaches, 'contentCaches', 10_000) };
}

function parseRepository({ repository }: Input): RepositoryName {
  if (typeof repository !== 'string') throw invalid('repository', '<namespace>/<name>');
  return parseRepositoryName(repository);
}

function listOf(value: unknown, name: string, maximum: number, prefix = 'parameters.'): string[] {
  const isList =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= maximum &&
    value.every((item) => typeof item === 'string');
  if (isList) return [...new Set(value)];
  throw invalid(name, `a list of 1 to ${maximum} texts`, prefix);
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}

function assertTrue(value: unknown, name: string): void {
  if (value !== true) throw invalid(name, 'true');
}

function assertKnown(input: Input, known: readonly string[]): void {
  const unknown = Object.keys(input).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(unknown, `one of ${known.join(', ')}`);
}

function invalid(name: string, expected: string, prefix = 'parameters.'): DomainError {
  const field = `${prefix}${name}`;
  return new DomainError('input-invalid', `${field}: ${expected} expected`, { detail: { field } });
}
