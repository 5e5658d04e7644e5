/**
 * What a request to `/v2/` asks for. The raw path is parsed here once, for origin and cache alike; Express would
 * match it case-insensitively, decode `%2f` and hand `..` to a handler.
 */
import { DomainError } from '../errors.ts';
import { type Digest, parseDigest } from './digest.ts';
import { parseReference, type Reference } from './reference.ts';
import { parseRepositoryName, type RepositoryName } from './repository-name.ts';

/** Endpoint ids are those of the distribution spec. */
export type Route =
  | { readonly kind: 'base' } // end-1
  | { readonly kind: 'blob'; readonly repository: RepositoryName; readonly digest: Digest } // end-2, end-10
  | { readonly kind: 'manifest'; readonly repository: RepositoryName; readonly reference: Reference } // end-3, end-7, end-9
  | { readonly kind: 'uploads'; readonly repository: RepositoryName } // end-4, end-11
  | { readonly kind: 'upload'; readonly repository: RepositoryName; readonly session: string } // end-5, end-6, end-13, end-14
  | { readonly kind: 'tags'; readonly repository: RepositoryName } // end-8
  | { readonly kind: 'referrers'; readonly repository: RepositoryName; readonly digest: Digest } // end-12
  | { readonly kind: 'catalog' };

/** Splits a request target into its raw path and its query; no decoding. */
export function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?');
  return mark < 0
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * Parses a raw path that begins with `/v2`. Each segment is decoded once; one that holds a slash after that is
 * refused, so an encoded `..%2f` can never become a path.
 * @throws DomainError `name-invalid`, `digest-invalid`, `tag-invalid`, `path-unknown`
 */
export function parseRoute(rawPath: string): Route {
  if (rawPath === '/v2/' || rawPath === '/v2') return { kind: 'base' };
  if (!rawPath.startsWith('/v2/')) throw unknownPath();
  if (rawPath === '/v2/_catalog') return { kind: 'catalog' };
  const segments = rawPath.slice('/v2/'.length).split('/').map(decodeSegment);
  const last = segments.length - 1;
  const lastText = segments[last] as string;
  // Read from the right: `blobs` or `manifests` may also be components of the repository's name.
  if (segments[last - 2] === 'blobs' && segments[last - 1] === 'uploads') {
    const repository = nameOf(segments, last - 2);
    return lastText === ''
      ? { kind: 'uploads', repository }
      : { kind: 'upload', repository, session: lastText };
  }
  if (segments[last - 1] === 'blobs' && lastText === 'uploads') {
    return { kind: 'uploads', repository: nameOf(segments, last - 1) };
  }
  if (segments[last - 1] === 'blobs') {
    return { kind: 'blob', repository: nameOf(segments, last - 1), digest: parseDigest(lastText) };
  }
  if (segments[last - 1] === 'manifests') {
    return { kind: 'manifest', repository: nameOf(segments, last - 1), reference: parseReference(lastText) };
  }
  if (segments[last - 1] === 'referrers') {
    return { kind: 'referrers', repository: nameOf(segments, last - 1), digest: parseDigest(lastText) };
  }
  if (segments[last - 1] === 'tags' && lastText === 'list') {
    return { kind: 'tags', repository: nameOf(segments, last - 1) };
  }
  throw unknownPath();
}

function nameOf(segments: string[], end: number): RepositoryName {
  return parseRepositoryName(segments.slice(0, end).join('/'));
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch (cause) {
    throw new DomainError('name-invalid', 'the path is not valid percent-encoded UTF-8', { cause });
  }
  if (decoded.includes('/')) {
    throw new DomainError('name-invalid', 'the path must not hold an encoded slash', { detail: { segment } });
  }
  return decoded;
}

function unknownPath(): DomainError {
  return new DomainError('path-unknown', 'no such endpoint in the distribution API');
}
