import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import jsonwebtoken from 'jsonwebtoken';
import { signJsonWebToken } from '../../src/shared/json-web-token.ts';

describe('a signed JSON Web Token', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { keyId: 'k1', privateKey };

  it('says what it is, by which key, and what it claims', () => {
    const token = signJsonWebToken('blob-url+jwt', key, { iss: 'https://dtr.test', sub: 'zoë', exp: 7 });
    const { header, payload } = jsonwebtoken.decode(token, { complete: true }) ?? {};
    assert.deepEqual(header, { alg: 'ES256', typ: 'blob-url+jwt', kid: 'k1' });
    assert.deepEqual(payload, { iss: 'https://dtr.test', sub: 'zoë', exp: 7 });
  });

  it('is verified by others, however short the numbers of its signature happen to be', () => {
    // One in 128 has a number that begins with a zero byte.
    for (let n = 0; n < 1000; n += 1) {
      const token = signJsonWebToken('JWT', key, { n });
      const verified = jsonwebtoken.verify(token, publicKey, { algorithms: ['ES256'] });
      assert.deepEqual(verified, { n });
    }
  });
});
