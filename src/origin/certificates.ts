/**
 * The certificate that the origin serves TLS with. Without one of the admin's own, a CA is made once and kept; it
 * signs a server certificate that a start renews in time, so that those who trust `/ca` go on trusting.
 */
// The certificate library finds its parts by decorators and refuses to load without this.
import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

export interface ServerCertificate {
  /** PEM: the server's certificate, then the CA's. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the CA that signed it, for `/ca`; `undefined` when the admin gave none. */
  readonly ca: string | undefined;
}

/** The library's types speak of the browser's Crypto, which Node's is but for its declaration. */
type DomCrypto = Parameters<x509.CryptoProvider['set']>[0] & object;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 24 * 3_600_000;
const caDays = 3650;
const serverDays = 397;
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
  x509.cryptoProvider.set(webcrypto as unknown as DomCrypto);
  const path = (name: string) => join(directory, name);
  const ca = existsSync(path('ca-key.pem'))
    ? await readAuthority(path('ca.pem'), path('ca-key.pem'))
    : await createAuthority(path('ca.pem'), path('ca-key.pem'), now);
  const caPem = ca.certificate.toString('pem');
  if (existsSync(path('server-key.pem'))) {
    const certificate = await readFile(path('server.pem'), 'utf8');
    if (stillGood(certificate, caPem, hosts, now)) {
      return { certificate, key: await readFile(path('server-key.pem'), 'utf8'), ca: caPem };
    }
  }
  const keys = await generateKeys();
  const server = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [hosts[0] as string] }],
    issuer: ca.certificate.subject,
    notBefore: new Date(now - dayMs),
    notAfter: new Date(now + serverDays * dayMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: ca.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1']),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
    ],
  });
  const certificate = `${server.toString('pem')}\n${caPem}\n`;
  const key = await exportKey(keys.privateKey);
  await writePrivate(path('server-key.pem'), key);
  await writeFile(path('server.pem'), certificate);
  return { certificate, key, ca: caPem };
}

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

async function createAuthority(certificatePath: string, keyPath: string, now: number): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: ['DTR CA'] }],
    notBefore: new Date(now - dayMs),
    notAfter: new Date(now + caDays * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeFile(certificatePath, `${certificate.toString('pem')}\n`);
  await writePrivate(keyPath, await exportKey(keys.privateKey));
  return { certificate, privateKey: keys.privateKey };
}

async function readAuthority(certificatePath: string, keyPath: string): Promise<Authority> {
  const der = x509.PemConverter.decodeFirst(await readFile(keyPath, 'utf8'));
  return {
    certificate: new x509.X509Certificate(await readFile(certificatePath, 'utf8')),
    privateKey: await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']),
  };
}

function stillGood(certificatePem: string, caPem: string, hosts: readonly string[], now: number): boolean {
  const certificate = new X509Certificate(certificatePem);
  return (
    certificate.checkIssued(new X509Certificate(caPem)) &&
    Date.parse(certificate.validTo) - now > renewDaysBefore * dayMs &&
    hosts.every(
      (host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined,
    )
  );
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`;
}

function writePrivate(path: string, text: string): Promise<void> {
  return writeFile(path, text, { mode: 0o600 });
}

/** Positive, as RFC 5280 asks. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
