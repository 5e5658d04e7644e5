/** The CA of a content cache as admins give it: one certificate or several, and nothing that is to be secret. */
import { X509Certificate } from 'node:crypto';
import { DomainError } from '../../shared/errors.ts';

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * The certificates of the text, without what is around them; `undefined` for none.
 * @throws DomainError `input-invalid`
 */
export function parseCaPem(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  if (/PRIVATE KEY-----/.test(text))
    throw invalid('a certificate expected, and no private key: keep that to yourself');
  const blocks = text.match(block) ?? [];
  if (blocks.length === 0) throw invalid('certificates in PEM expected (-----BEGIN CERTIFICATE-----)');
  for (const pem of blocks) {
    try {
      new X509Certificate(pem);
    } catch {
      throw invalid('a certificate cannot be read');
    }
  }
  return `${blocks.join('\n')}\n`;
}

function invalid(expectation: string): DomainError {
  return new DomainError('input-invalid', `caPem: ${expectation}`, { detail: { field: 'caPem' } });
}
