import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import jsonwebtoken from 'jsonwebtoken';
import { signBlobUrl, verifyBlobUrlToken } from '../../src/shared/blob-url.ts';
import { type CacheCommand, signCacheCommand, verifyCacheCommand } from '../../src/shared/cache-command.ts';
import { digestOf } from '../../src/shared/distribution/digest.ts';
import type { RepositoryName } from '../../src/shared/distribution/repository-name.ts';
import { DomainError } from '../../src/shared/errors.ts';
import { anyToken } from '../setup/fake-origin.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { keyId: 'k1', privateKey };
const now = Date.UTC(2026, 0, 1);
const claims = {
  issuer: 'https://dtr.example',
  cache: 'cache-1',
  host: 'https://cache.example:5000',
  command: 'purge',
} as const;
const body = '{"everything":true}';
const token = signCacheCommand(key, { ...claims, body }, { now });

function verify(
  given: string,
  options: { command?: CacheCommand; host?: string; body?: string; at?: number; read?: string[] } = {},
) {
  return verifyCacheCommand(
    given,
    {
      command: options.command ?? 'purge',
      host: options.host,
      readBody: async () => {
        options.read?.push('body');
        return options.body ?? body;
      },
    },
    { findKey: async () => publicKey, clock: () => options.at ?? now },
  );
}

const refused = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DomainError);
  assert.equal(error.code, 'signature-invalid');
  assert.match(error.message, reason);
  return true;
};

describe('a command', () => {
  it('says which origin tells which cache what, with which body, for one minute', () => {
    const decoded = jsonwebtoken.decode(token, { complete: true });
    assert.deepEqual(decoded?.header, { alg: 'ES256', typ: 'cache-command+jwt', kid: 'k1' });
    const { jti, ...payload } = jsonwebtoken.decode(token) as jsonwebtoken.JwtPayload;
    assert.match(jti ?? '', /^[0-9a-f-]{36}$/);
    assert.deepEqual(payload, {
      iss: 'https://dtr.example',
      aud: 'content-cache-command',
      cache: 'cache-1',
      host: 'https://cache.example:5000',
      command: 'purge',
      // printf '{"everything":true}' | sha256sum
      body: '36860f62ad8ad7d4ff25c21d4659a0480dbc9d8ac601e2341564344fa27770b3',
      iat: now / 1000,
      exp: now / 1000 + 60,
    });
  });

  it('gives the body that was verified, and who told it', async () => {
    const verified = await verify(token, { host: 'https://cache.example:5000' });
    assert.equal(verified.body, body);
    const { id, ...told } = verified.claims;
    assert.deepEqual(told, claims);
    assert.equal(id, (jsonwebtoken.decode(token) as jsonwebtoken.JwtPayload).jti);
  });

  it('without a body is for no body', async () => {
    const status = signCacheCommand(key, { ...claims, command: 'status' }, { now });
    assert.equal((await verify(status, { command: 'status', body: '' })).claims.command, 'status');
    await assert.rejects(verify(status, { command: 'status', body }), refused(/another body/));
  });

  it('is good while the clocks differ by less than a minute', async () => {
    await verify(token, { at: now + 119_000 });
    await verify(token, { at: now - 60_000 });
  });
});

describe('a command is refused', () => {
  const goodHeader = { alg: 'ES256', typ: 'cache-command+jwt', kid: 'k1' };
  const goodClaims = jsonwebtoken.decode(token) as jsonwebtoken.JwtPayload;
  const signed = (header: object, changes: object, by: Parameters<typeof anyToken>[2] = privateKey) =>
    anyToken({ ...goodHeader, ...header }, { ...goodClaims, ...changes }, by);
  const without = (claim: string) => {
    const { [claim]: _, ...rest } = goodClaims;
    // By hand: the library adds the time.
    const text = [goodHeader, rest]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  };
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
  const none = Buffer.from(JSON.stringify({ ...goodHeader, alg: 'none' })).toString('base64url');
  const seconds = now / 1000;

  it('but for what is wrong with it: the same by the same hand is good', async () => {
    await verify(without('nothing'));
  });

  const forgeries: [what: string, token: string, reason: RegExp][] = [
    ['that is empty', '', /not a JSON Web Token/],
    ['that is a word', 'letmein', /not a JSON Web Token/],
    ['without a signature', `${header}.${payload}.`, /not a JSON Web Token/],
    ['in four parts', `${token}.${signature}`, /not a JSON Web Token/],
    ['with alg none', `${none}.${payload}.`, /not a JSON Web Token/],
    ['with alg none and a signature', `${none}.${payload}.${signature}`, /not of the type/],
    [
      'signed with the public key as a secret (HS256)',
      signed({ alg: 'HS256' }, {}, publicPem),
      /not of the type/,
    ],
    ['signed by another key', signed({}, {}, otherKey), /signature or its claims/],
    [
      'whose claims were changed',
      `${header}.${signed({}, { cache: 'other' }).split('.')[1]}.${signature}`,
      /signature/,
    ],
    ['with crit', signed({ crit: ['exp'] }, {}), /not of the type/],
    ['of the type JWT', signed({ typ: 'JWT' }, {}), /not of the type/],
    ['of the type of a signed URL', signed({ typ: 'blob-url+jwt' }, {}), /not of the type/],
    ['for the audience of signed URLs', signed({}, { aud: 'content-cache' }), /signature or its claims/],
    ['valid for an hour', signed({}, { exp: seconds + 3600 }), /more than 60 s/],
    ['that does not exist', signed({}, { command: 'toString' }), /claim is missing/],
    ...['iat', 'exp', 'cache', 'host', 'command', 'body', 'jti'].map((claim): [string, string, RegExp] => [
      `without ${claim}`,
      without(claim),
      /claim is missing/,
    ]),
    ['without iss', without('iss'), /no key or no issuer/],
    ['without aud', without('aud'), /signature or its claims/],
    ['without a key id', signed({ kid: undefined }, {}), /no key or no issuer/],
  ];
  for (const [what, forged, reason] of forgeries) {
    it(`${what}, and its body is not read`, async () => {
      const read: string[] = [];
      await assert.rejects(verify(forged, { read }), refused(reason));
      assert.deepEqual(read, []);
    });
  }

  it('when it is for another command', async () => {
    await assert.rejects(verify(token, { command: 'prefetch' }), refused(/it is for purge/));
  });

  it('with another body than it was signed for', async () => {
    await assert.rejects(verify(token, { body: '{"everything":true }' }), refused(/another body/));
    await assert.rejects(verify(token, { body: '' }), refused(/another body/));
  });

  it('at a cache of another address, by which a command is not passed on to another cache', async () => {
    await assert.rejects(
      verify(token, { host: 'https://other.example:5000' }),
      refused(/for the cache https:\/\/cache\.example:5000, and this one is https:\/\/other\.example:5000/),
    );
  });

  it('when it has expired or is of the future', async () => {
    await assert.rejects(verify(token, { at: now + 120_000 }), refused(/expired 60 s ago/));
    await assert.rejects(verify(token, { at: now - 61_000 }), refused(/61 s in the future/));
  });

  it('by an origin that the cache does not know', async () => {
    const unknown = new DomainError('signature-invalid', 'not an origin of this cache');
    const findKey = async () => {
      throw unknown;
    };
    const wanted = { command: 'purge', readBody: async () => body } as const;
    await assert.rejects(verifyCacheCommand(token, wanted, { findKey, clock: () => now }), unknown);
  });
});

describe('commands and signed URLs do not open what the other one opens', () => {
  const findKey = async () => publicKey;
  const options = { findKey, clock: () => now };

  it('a signed URL is no command', async () => {
    const url = signBlobUrl(
      key,
      {
        issuer: claims.issuer,
        subject: 'alice',
        repository: 'acme/app' as RepositoryName,
        digest: digestOf(Buffer.from('layer')),
        cache: 'cache-1',
      },
      { lifetimeSeconds: 60, now },
    );
    await assert.rejects(verify(url), refused(/not of the type cache-command\+jwt/));
  });

  it('a command opens no blob', async () => {
    await assert.rejects(verifyBlobUrlToken(token, options), refused(/not of the type blob-url\+jwt/));
  });
});
