/** The address of a content cache as admins give it: where clients will be redirected to, so nothing is guessed. */
import { DomainError } from '../../shared/errors.ts';

const maximumLength = 2048;

/**
 * The canonical `scheme://host[:port]`: lower case, without a default port or a trailing slash.
 * @throws DomainError `input-invalid` for anything that is more or less than that
 */
export function parseCacheHost(text: string): string {
  if (text.length > maximumLength) throw invalid(`at most ${maximumLength} characters expected`);
  // Checked before URL parsing, which would repair these silently.
  if (!/^https?:\/\/[^/?#@\\\s]+\/?$/i.test(text) || hasControlCharacter(text)) {
    throw invalid('http://<host>[:<port>] or https://<host>[:<port>] expected, without user, path or query');
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid('the host or the port is not valid');
  }
  if (url.port === '0') throw invalid('port 0 is not an address');
  if (url.hostname.endsWith('.')) throw invalid('the host must not end with a dot');
  return url.origin;
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character <= ' ' || character === '\u007f');
}

function invalid(expectation: string): DomainError {
  return new DomainError('input-invalid', `host: ${expectation}`, { detail: { field: 'host' } });
}
