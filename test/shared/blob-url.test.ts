import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { it } from 'node:test';
import jsonwebtoken from 'jsonwebtoken';
import { blobUrl, parseBlobUrlQuery, signBlobUrl, verifyBlobUrl } from '../../src/shared/blob-url.ts';
import { digestOf } from '../../src/shared/distribution/digest.ts';
import type { RepositoryName } from '../../src/shared/distribution/repository-name.ts';

// What a token is made of, and every refusal, are tested at the cache's door: test/cache/blobs.test.ts.
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const repository = 'acme/app' as RepositoryName;
const digest = digestOf(Buffer.from('layer'));
const claims = { issuer: 'https://dtr.example', subject: 'alice', repository, digest, cache: 'cache-1' };
const now = Date.UTC(2026, 0, 1);
const token = signBlobUrl({ keyId: 'k1', privateKey }, claims, { lifetimeSeconds: 600, now });

it('a signed URL is the path of the blob at the cache and one token', () => {
  assert.equal(
    blobUrl('https://cache.example:5000', repository, digest, token),
    `https://cache.example:5000/v2/acme/app/blobs/${digest}?token=${token}`,
  );
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
});

it('may name the redirect that it is part of', () => {
  const url = blobUrl('https://cache.example', repository, digest, token, 'Az09_-');
  assert.equal(url, `https://cache.example/v2/acme/app/blobs/${digest}?token=${token}&request=Az09_-`);
  assert.deepEqual(parseBlobUrlQuery(url.split('?')[1] as string), { token, requestId: 'Az09_-' });
  assert.deepEqual(parseBlobUrlQuery(`token=${token}`), { token, requestId: undefined });
});

it('holds one token, at most one id of a request, and nothing else', () => {
  for (const query of [
    `token=${token}&token=${token}`,
    `token=${token}&request=a&request=b`,
    `token=${token}&request=a&request=a`,
    `token=${token}&request=`,
    `token=${token}&request=a%20b`,
    `token=${token}&request=${'a'.repeat(33)}`,
    `token=${token}&request=a&from=1`,
    `token=${token}&from=1`,
    `request=a&token=${token}`,
    `token=${token}&`,
    `&token=${token}`,
    'token=',
    'token=letmein',
  ]) {
    assert.throws(() => parseBlobUrlQuery(query), { code: 'signature-invalid' }, query);
  }
  for (const query of ['', 'request=a', 'Token=a.b.c']) assert.equal(parseBlobUrlQuery(query), undefined);
});

it('says in its token who asked for which blob of which repository, at which cache, until when', () => {
  const issuedAt = now / 1000;
  const decoded = jsonwebtoken.decode(token, { complete: true });
  assert.deepEqual(decoded?.header, { alg: 'ES256', typ: 'blob-url+jwt', kid: 'k1' });
  assert.deepEqual(decoded?.payload, {
    iss: 'https://dtr.example',
    aud: 'content-cache',
    sub: 'alice',
    iat: issuedAt,
    exp: issuedAt + 600,
    repository: 'acme/app',
    digest,
    cache: 'cache-1',
  });
});

it('verifies with the key that its issuer publishes, and asks for that one', async () => {
  const asked: string[] = [];
  const findKey = async (issuer: string, keyId: string) => {
    asked.push(`${issuer} ${keyId}`);
    return publicKey;
  };
  const verified = await verifyBlobUrl(token, { repository, digest }, { findKey, clock: () => now });
  assert.deepEqual(verified, { ...claims, expiresAt: now / 1000 + 600 });
  assert.deepEqual(asked, ['https://dtr.example k1']);
});

it('of an anonymous pull names nobody and verifies all the same', async () => {
  const anonymous = signBlobUrl(
    { keyId: 'k1', privateKey },
    { ...claims, subject: '' },
    { lifetimeSeconds: 600, now },
  );
  const options = { findKey: async () => publicKey, clock: () => now };
  assert.equal((await verifyBlobUrl(anonymous, { repository, digest }, options)).subject, '');
});
