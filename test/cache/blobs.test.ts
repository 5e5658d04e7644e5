import assert from 'node:assert/strict';
import { createPublicKey, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import jsonwebtoken from 'jsonwebtoken';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { startTestCache } from '../setup/cache.ts';
import { anyToken, repository, startFakeOrigin } from '../setup/fake-origin.ts';

let now = Date.now();
const origin = await startFakeOrigin();
const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock: () => now });
const bytes = randomBytes(200_000);
const digest = origin.add(bytes);
const path = `/v2/${repository}/blobs/${digest}`;
await (await fetch(`${cache.url}${path}?token=${origin.token(digest)}`)).arrayBuffer();

async function ask(
  target: string,
  init?: RequestInit,
): Promise<{ status: number; code: string; message: string }> {
  const response = await fetch(`${cache.url}${target}`, init);
  const text = await response.text();
  if (response.ok) return { status: response.status, code: '', message: '' };
  const [error] = JSON.parse(text).errors;
  return { status: response.status, code: error.code, message: error.message };
}

/** A token like the origin's, but changed. */
function forge(change: (header: Record<string, unknown>, claims: Record<string, unknown>) => void): string {
  const [header, payload, signature] = origin.token(digest).split('.') as [string, string, string];
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  const write = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const [newHeader, newClaims] = [read(header), read(payload)];
  change(newHeader, newClaims);
  return `${write(newHeader)}.${write(newClaims)}.${signature}`;
}

describe('a blob on disk', () => {
  it('is served to a signed URL, as often as it is asked for', async () => {
    const token = origin.token(digest);
    for (let round = 0; round < 3; round += 1) {
      const response = await fetch(`${cache.url}${path}?token=${token}`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('docker-content-digest'), digest);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
    }
  });

  const ranges: [range: string, status: number, length: number, contentRange: string][] = [
    ['bytes=0-', 206, 200_000, 'bytes 0-199999/200000'],
    ['bytes=100-199', 206, 100, 'bytes 100-199/200000'],
    ['bytes=199990-', 206, 10, 'bytes 199990-199999/200000'],
    ['bytes=100000-200000', 206, 100_000, 'bytes 100000-199999/200000'],
    ['bytes=-5', 206, 5, 'bytes 199995-199999/200000'],
    ['bytes=200000-', 416, 0, 'bytes */200000'],
  ];
  for (const [range, status, length, contentRange] of ranges) {
    it(`Range: ${range} gives ${status}, ${contentRange}`, async () => {
      const response = await fetch(`${cache.url}${path}?token=${origin.token(digest)}`, {
        headers: { Range: range },
      });
      assert.equal(response.status, status);
      assert.equal(response.headers.get('content-range'), contentRange);
      const body = await response.arrayBuffer();
      if (status === 206) assert.equal(body.byteLength, length);
    });
  }

  it('HEAD gives the same headers without a body', async () => {
    const response = await fetch(`${cache.url}${path}?token=${origin.token(digest)}`, { method: 'HEAD' });
    assert.equal(response.headers.get('content-length'), '200000');
    assert.equal((await response.arrayBuffer()).byteLength, 0);
  });

  it('without a token is refused with 401, with a bearer token too', async () => {
    assert.deepEqual((await ask(path)).code, 'UNAUTHORIZED');
    const bearer = { headers: { Authorization: `Bearer ${origin.token(digest)}` } };
    assert.equal((await ask(path, bearer)).status, 401);
  });

  it('ignores an Authorization header that came along', async () => {
    const { status } = await ask(`${path}?token=${origin.token(digest)}`, {
      headers: { Authorization: 'Bearer x' },
    });
    assert.equal(status, 200);
  });

  const other = digestOf(Buffer.from('other'));
  const refused: [what: string, token: () => string, message: RegExp][] = [
    ['made up', () => 'made.up.token', /not a JSON Web Token/],
    ['for another blob', () => origin.token(other), /for another blob/],
    [
      'for another repository',
      () => origin.token(digest, { repository: 'acme/other' }),
      /for another repository/,
    ],
    [
      'of another origin',
      () => origin.token(digest, { issuer: 'https://elsewhere.example' }),
      /not an origin of this cache/,
    ],
    ['that expired', () => origin.token(digest, { now: now - 700_000 }), /expired 1\d\d s ago/],
    ['from the future', () => origin.token(digest, { now: now + 120_000 }), /issued 1\d\d s in the future/],
    [
      'that lives too long',
      () => origin.token(digest, { lifetimeSeconds: 700 }),
      /valid for more than 600 s/,
    ],
    [
      'whose claims were changed',
      () =>
        forge((_header, claims) => {
          claims.sub = 'admin';
        }),
      /signature or its claims/,
    ],
    [
      'with alg none',
      () =>
        forge((header) => {
          header.alg = 'none';
        }),
      /not a blob URL token/,
    ],
    [
      'of another kind',
      () =>
        forge((header) => {
          header.typ = 'JWT';
        }),
      /not a blob URL token/,
    ],
    [
      'with critical headers',
      () =>
        forge((header) => {
          header.crit = ['x'];
        }),
      /not a blob URL token/,
    ],
    [
      'of an unknown key',
      () =>
        forge((header) => {
          header.kid = 'unknown';
        }),
      /has no key unknown/,
    ],
    [
      'signed by HMAC with the public key',
      () => {
        const claims = jsonwebtoken.decode(origin.token(digest)) as Record<string, unknown>;
        const publicKey = createPublicKey(origin.signingKey.privateKey).export({
          type: 'spki',
          format: 'der',
        });
        return anyToken(
          { alg: 'HS256', typ: 'blob-url+jwt', kid: origin.signingKey.keyId },
          claims,
          publicKey.toString('base64'),
        );
      },
      /not a blob URL token/,
    ],
  ];
  for (const [what, token, message] of refused) {
    it(`with a token ${what} is refused with 403, in words`, async () => {
      const answer = await ask(`${path}?token=${token()}`);
      assert.equal(answer.status, 403);
      assert.equal(answer.code, 'DENIED');
      assert.match(answer.message, message);
    });
  }

  it('with any character of its token changed is refused', async () => {
    const token = origin.token(digest);
    for (let index = 0; index < token.length - 1; index += 1) {
      const character = token[index] === 'A' ? 'B' : 'A';
      const mutated = token.slice(0, index) + character + token.slice(index + 1);
      const { status } = await ask(`${path}?token=${mutated}`);
      assert.ok(status === 403 || status === 401, `character ${index}: ${status}`);
    }
  });

  it('with more parameters than the token is refused', async () => {
    const token = origin.token(digest);
    for (const query of [`token=${token}&token=${token}`, `token=${token}&x=1`, `x=1&token=${token}`]) {
      assert.equal((await ask(`${path}?${query}`)).status, 403);
    }
  });

  it('is served within the sixty seconds that clocks may differ, and no longer', async () => {
    const token = origin.token(digest, { now: now - 600_000 });
    assert.equal((await ask(`${path}?token=${token}`)).status, 200);
    now += 61_000;
    assert.equal((await ask(`${path}?token=${token}`)).status, 403);
  });
});

const others: [method: string, target: string, status: number, code: string][] = [
  ['PUT', path, 405, 'UNSUPPORTED'],
  ['POST', `/v2/${repository}/blobs/uploads/`, 405, 'UNSUPPORTED'],
  ['PATCH', path, 405, 'UNSUPPORTED'],
  ['DELETE', path, 405, 'UNSUPPORTED'],
  ['GET', `/v2/${repository}/manifests/latest`, 404, 'UNSUPPORTED'],
  ['GET', `/v2/${repository}/tags/list`, 404, 'UNSUPPORTED'],
  ['GET', `/v2/${repository}/blobs/sha256:..`, 400, 'DIGEST_INVALID'],
  ['GET', '/v2/..%2f..%2fetc/blobs/x', 400, 'NAME_INVALID'],
  ['GET', '/metrics', 404, 'UNSUPPORTED'],
];
for (const [method, target, status, code] of others) {
  it(`${method} ${target.slice(0, 50)} is answered with ${status} ${code}`, async () => {
    const answer = await ask(target, { method });
    assert.deepEqual([answer.status, answer.code], [status, code]);
  });
}

for (const target of ['/v2/', '/v2/_catalog', '/_ping', '/health', '/.well-known/jwks.json']) {
  it(`GET ${target} is answered to anybody`, async () => assert.equal((await ask(target)).status, 200));
}

it('no token is in the log', () => {
  assert.ok(cache.logs.length > 0);
  assert.ok(!JSON.stringify(cache.logs).includes('eyJ'));
});

it('a digest that is asked for is spelled as the grammar has it', () => {
  const upper = `sha256:${digest.slice(7).toUpperCase()}` as Digest;
  return ask(`/v2/${repository}/blobs/${upper}?token=${origin.token(digest)}`).then(({ status }) =>
    assert.equal(status, 400),
  );
});
