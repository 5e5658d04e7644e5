/**
 * The certificate that the origin serves TLS with. Without one of the admin's own, a CA is made once and kept; it
 * signs a server certificate that a start renews in time, so that those who trust `/ca` go on trusting.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

export interface ServerCertificate {
  /** PEM: the server's certificate, then the CA's. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the CA that signed it, for `/ca`; `undefined` when the admin gave none. */
  readonly ca: string | undefined;
}

type KeptCertificate = ServerCertificate & { readonly ca: string };

const dayMs = 24 * 3_600_000;
const renewDaysBefore = 30;

/** Reads an admin's own certificate. @throws Error naming the file that cannot be used */
export async function readCertificate(files: {
  certificate: string;
  key: string;
  ca: string | undefined;
}): Promise<ServerCertificate> {
  const read = async (path: string) => {
    try {
      return await readFile(path, 'utf8');
    } catch (cause) {
      throw new Error(`cannot read ${path}: ${(cause as Error).message}`, { cause });
    }
  };
  const certificate = await read(files.certificate);
  const key = await read(files.key);
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
      throw new Error('the key does not belong to the certificate');
    }
  } catch (cause) {
    throw new Error(`cannot use ${files.certificate} with ${files.key}: ${(cause as Error).message}`, {
      cause,
    });
  }
  return { certificate, key, ca: files.ca === undefined ? undefined : await read(files.ca) };
}

/**
 * The certificate kept in `directory` (`ca.pem`, `ca-key.pem`, `server.pem`, `server-key.pem`), made or renewed as
 * needed for the host names and addresses given. `now` in ms.
 */
export async function ensureCertificate(
  directory: string,
  hosts: readonly string[],
  now: number,
): Promise<ServerCertificate> {
  const kept = await readKept(directory);
  if (kept !== undefined && stillGood(kept, hosts, now)) return kept;
  // Loaded where it is needed: once a year, and it takes a fifth of what all of an origin's modules take.
  const { signServerCertificate } = await import('./certificate-authority.ts');
  return signServerCertificate(directory, hosts, now);
}

async function readKept(directory: string): Promise<KeptCertificate | undefined> {
  const path = (name: string) => join(directory, name);
  if (!existsSync(path('server-key.pem')) || !existsSync(path('ca-key.pem'))) return undefined;
  return {
    certificate: await readFile(path('server.pem'), 'utf8'),
    key: await readFile(path('server-key.pem'), 'utf8'),
    ca: await readFile(path('ca.pem'), 'utf8'),
  };
}

function stillGood({ certificate, ca }: KeptCertificate, hosts: readonly string[], now: number): boolean {
  const server = new X509Certificate(certificate);
  return (
    server.checkIssued(new X509Certificate(ca)) &&
    Date.parse(server.validTo) - now > renewDaysBefore * dayMs &&
    hosts.every((host) => (isIP(host) === 0 ? server.checkHost(host) : server.checkIP(host)) !== undefined)
  );
}
