/** What a client says it can read: `Accept` (RFC 9110, 12.5.1). */
import { mediaTypes } from '../../shared/distribution/media-types.ts';

const opensIndexes: ReadonlySet<string> = new Set([
  mediaTypes.ociIndex,
  mediaTypes.dockerManifestList,
  'application/*',
  '*/*',
]);

/**
 * False when a client names what it reads and no index is among it. Repeated headers come joined by commas. OCI's and
 * Docker's index are one format under two names: who reads one of them is given either.
 */
export function acceptsIndex(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true;
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q\s*=\s*0(?:\.0*)?$/.test(parameter));
    return opensIndexes.has(type) && !refused;
  });
}
