/** The CA of an origin without a certificate of its admin's own: made once, kept, and signing what the origin serves TLS with. */
// The certificate library finds its parts by decorators and refuses to load without this.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import type { ServerCertificate } from './certificates.ts';

/** The library's types speak of the browser's Crypto, which Node's is but for its declaration. */
type DomCrypto = Parameters<x509.CryptoProvider['set']>[0] & object;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 24 * 3_600_000;
const caDays = 3650;
const serverDays = 397;

/**
 * Makes a key and a certificate for the host names and addresses given, and keeps them in `directory` (`server.pem`,
 * `server-key.pem`) beside the CA (`ca.pem`, `ca-key.pem`), which is made if there is none. `now` in ms.
 */
export async function signServerCertificate(
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
