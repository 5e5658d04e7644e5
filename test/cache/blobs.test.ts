import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { startTestCache } from '../setup/cache.ts';
import { anyToken, repository, startFakeOrigin } from '../setup/fake-origin.ts';

let now = Math.floor(Date.now() / 1000);
const origin = await startFakeOrigin();
const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock: () => now * 1000 });

const bytes = randomBytes(100_000);
const warm = origin.add(bytes);
const cold = origin.add(randomBytes(100));
const small = origin.add(Buffer.from('small'));
for (const digest of [warm, small]) await (await fetch(cache.url + origin.signedPath(digest))).bytes();
const requestsForWarming = origin.blobRequests.length;

const path = (digest: string, query: string, name: string = repository) =>
  `/v2/${name}/blobs/${digest}${query}`;
const goodClaims = {
  iss: origin.issuer,
  aud: 'content-cache',
  sub: 'alice',
  iat: now,
  exp: now + 600,
  repository,
  digest: warm,
  cache: 'cache-1',
};
const { keyId, privateKey } = origin.signingKey;
const goodHeader = { alg: 'ES256', typ: 'blob-url+jwt', kid: keyId };
const signed = (header: object, claims: object, key: Parameters<typeof anyToken>[2] = privateKey) =>
  anyToken({ ...goodHeader, ...header }, { ...goodClaims, ...claims }, key);
const without = (claim: string) =>
  anyToken(
    goodHeader,
    Object.fromEntries(Object.entries(goodClaims).filter(([name]) => name !== claim)),
    privateKey,
  );

async function errorOf(response: Response): Promise<{ code: string; message: string } | undefined> {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  return errors[0];
}

describe('a signed URL', () => {
  it('opens its blob, with what clients and browsers need to know of it', async () => {
    const response = await fetch(cache.url + origin.signedPath(warm));
    assert.equal(response.status, 200);
    assert.ok(Buffer.from(await response.bytes()).equals(bytes));
    const { headers } = response;
    assert.equal(headers.get('docker-content-digest'), warm);
    assert.equal(headers.get('etag'), `"${warm}"`);
    assert.equal(headers.get('content-type'), 'application/octet-stream');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('accept-ranges'), 'bytes');
    assert.match(headers.get('cache-control') ?? '', /^private/);
    assert.equal(origin.blobRequests.length, requestsForWarming);
  });

  it('opens its blob whatever stands in Authorization, which is neither logged nor passed on', async () => {
    const headers = { Authorization: 'Basic c2VjcmV0OnBhc3N3b3Jk' };
    const digest = origin.add(randomBytes(10));
    const response = await fetch(cache.url + origin.signedPath(digest), { headers });
    assert.equal(response.status, 200);
    await response.bytes();
    assert.equal(origin.blobRequests.at(-1)?.headers.authorization, undefined);
    assert.doesNotMatch(JSON.stringify(cache.logs), /c2VjcmV0/);
  });

  it('may name the redirect that it is part of: the log has it, upstreams are not told', async () => {
    const digest = origin.add(randomBytes(10));
    const response = await fetch(`${cache.url}${origin.signedPath(digest)}&request=Az09_-`);
    assert.equal(response.status, 200);
    await response.bytes();
    assert.doesNotMatch(origin.blobRequests.at(-1)?.url ?? '', /request/);
    const line = cache.logs.find((one) => one.digest === digest && one.msg === 'pull');
    assert.equal(line?.request, 'Az09_-');
  });

  const token = origin.token(warm);
  const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
  const refused: [what: string, query: string, status: number, reason: RegExp][] = [
    ['no token', '', 401, /signed URLs only/],
    ['an empty token', '?token=', 403, /one token/],
    ['a token twice', `?token=${token}&token=${token}`, 403, /one token/],
    ['another parameter beside it', `?token=${token}&from=1`, 403, /one token/],
    ['a request twice', `?token=${token}&request=a&request=b`, 403, /one token/],
    ['a request that is no id', `?token=${token}&request=a%0Ab`, 403, /one token/],
    ['a request before the token', `?request=a&token=${token}`, 403, /one token/],
    ['a request alone', '?request=a', 401, /signed URLs only/],
    ['a word instead', '?token=letmein', 403, /one token/],
    ['what looks like a token', '?token=a.b.c', 403, /not a JSON Web Token/],
    [
      'an expired token',
      `?token=${signed({}, { iat: now - 700, exp: now - 100 })}`,
      403,
      /expired 100 s ago/,
    ],
    ['a token of the future', `?token=${signed({}, { iat: now + 120 })}`, 403, /in the future/],
    ['a token without end', `?token=${without('exp')}`, 403, /claim is missing/],
    ['a token valid for a day', `?token=${signed({}, { exp: now + 86_400 })}`, 403, /more than 600 s/],
    ['a token for another blob', `?token=${origin.token(small)}`, 403, /another blob/],
    [
      'a token for another repository',
      `?token=${origin.token(warm, { repository: 'library/other' })}`,
      403,
      /another repository/,
    ],
    [
      'a token of an origin that this cache does not know',
      `?token=${signed({}, { iss: 'https://evil.example' })}`,
      403,
      /not an origin of this cache/,
    ],
    [
      'a token for another audience',
      `?token=${signed({}, { aud: 'registry' })}`,
      403,
      /signature or its claims/,
    ],
    ['a token signed by another key', `?token=${signed({}, {}, otherKey)}`, 403, /signature/],
    [
      'a key that the origin does not have',
      `?token=${signed({ kid: 'key-9' }, {})}`,
      403,
      /has no key key-9/,
    ],
    ['a token of another type', `?token=${signed({ typ: 'JWT' }, {})}`, 403, /not of the type blob-url/],
    ['a token with crit', `?token=${signed({ crit: ['exp'] }, {})}`, 403, /not of the type blob-url/],
    [
      'alg none',
      `?token=${Buffer.from('{"alg":"none","typ":"blob-url+jwt"}').toString('base64url')}.${token.split('.')[1]}.`,
      403,
      /one token/,
    ],
    [
      'the public key used as a secret (HS256)',
      `?token=${signed({ alg: 'HS256' }, {}, publicPem)}`,
      403,
      /not of the type blob-url/,
    ],
    [
      'claims that were changed',
      `?token=${[token.split('.')[0], signed({}, { sub: 'admin' }).split('.')[1], token.split('.')[2]].join('.')}`,
      403,
      /signature/,
    ],
    ['a changed signature', `?token=${token.slice(0, -8)}AAAAAAAA`, 403, /signature/],
  ];
  for (const [what, query, status, reason] of refused) {
    it(`is refused with ${what}, although the blob is on disk, and the log says why`, async () => {
      const before = cache.logs.length;
      const response = await fetch(cache.url + path(warm, query));
      assert.equal(response.status, status);
      const error = await errorOf(response);
      assert.equal(error?.code, status === 401 ? 'UNAUTHORIZED' : 'DENIED');
      assert.match(error?.message ?? '', reason);
      assert.match(JSON.stringify(cache.logs.slice(before)), reason);
      const head = await fetch(cache.url + path(warm, query), { method: 'HEAD' });
      assert.equal(head.status, status);
      assert.equal((await fetch(cache.url + path(cold, query))).status, status);
    });
  }

  it('is refused with any one character of its token changed', async () => {
    // But the last, of which only some bits count.
    for (let index = 0; index < token.length - 1; index += 1) {
      const changed = `${token.slice(0, index)}${token[index] === 'A' ? 'B' : 'A'}${token.slice(index + 1)}`;
      const { status } = await fetch(cache.url + path(warm, `?token=${changed}`));
      assert.equal(status, 403, `character ${index}`);
    }
  });

  it('is refused without a token, whatever Authorization says', async () => {
    const headers = { Authorization: `Bearer ${token}` };
    assert.equal((await fetch(cache.url + path(warm, ''), { headers })).status, 401);
  });

  it('that was refused has asked nobody for a blob, and no token is in the log', () => {
    assert.doesNotMatch(JSON.stringify(cache.logs), /token=|eyJ/);
    assert.ok(!origin.blobRequests.some(({ url }) => url?.includes(cold)));
  });
});

describe('HEAD and ranges', () => {
  it('answers HEAD as GET but for the body', async () => {
    for (const [digest, size] of [
      [warm, bytes.byteLength],
      [small, 5],
    ] as const) {
      const response = await fetch(cache.url + origin.signedPath(digest), { method: 'HEAD' });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-length'), String(size));
    }
  });

  it('answers 304 to who has the blob', async () => {
    const headers = { 'If-None-Match': `"${warm}"` };
    assert.equal((await fetch(cache.url + origin.signedPath(warm), { headers })).status, 304);
  });

  const size = bytes.byteLength;
  const ranges: [range: string, status: number, start: number, end: number][] = [
    ['bytes=0-9', 206, 0, 9],
    ['bytes=99990-', 206, 99_990, size - 1],
    ['bytes=-10', 206, size - 10, size - 1],
    [`bytes=5-${size}`, 206, 5, size - 1],
    [`bytes=${size - 1}-${size - 1}`, 206, size - 1, size - 1],
    ['bytes=0-1,5-6', 200, 0, size - 1],
    ['lines=1-2', 200, 0, size - 1],
    [`bytes=${size}-`, 416, 0, 0],
  ];
  for (const [range, status, start, end] of ranges) {
    it(`answers ${status} to Range: ${range}`, async () => {
      const response = await fetch(cache.url + origin.signedPath(warm), { headers: { Range: range } });
      assert.equal(response.status, status);
      if (status === 416) {
        assert.equal(response.headers.get('content-range'), `bytes */${size}`);
        assert.equal((await errorOf(response))?.code, 'RANGE_INVALID');
        return;
      }
      assert.equal(
        response.headers.get('content-range'),
        status === 206 ? `bytes ${start}-${end}/${size}` : null,
      );
      assert.ok(Buffer.from(await response.bytes()).equals(bytes.subarray(start, end + 1)));
    });
  }
});

describe('everything but a blob', () => {
  const answers: [method: string, path: string, status: number, body: RegExp][] = [
    ['GET', '/v2/', 200, /^\{\}$/],
    ['GET', '/v2', 200, /^\{\}$/],
    ['GET', '/v2/_catalog', 200, /^\{"repositories":\[\]\}$/],
    ['GET', '/_ping', 200, /"Healthy":true/],
    ['GET', '/health', 200, /"Healthy":true/],
    ['GET', '/.well-known/jwks.json', 200, /"issuer":"https:\/\/registry\.example","keys":\[\{/],
    ['GET', `/v2/${repository}/manifests/latest`, 404, /UNSUPPORTED.*ask the origin/],
    ['GET', `/v2/${repository}/tags/list`, 404, /UNSUPPORTED/],
    ['GET', '/', 404, /UNSUPPORTED/],
    ['GET', path('sha256:..%2f..%2fetc', ''), 400, /NAME_INVALID/],
    ['GET', path(warm.toUpperCase(), ''), 400, /DIGEST_INVALID/],
    ['GET', path(warm, '', 'UPPER/../app'), 400, /NAME_INVALID/],
    ['POST', `/v2/${repository}/blobs/uploads/`, 405, /push to the origin/],
    ['PUT', `/v2/${repository}/manifests/latest`, 405, /UNSUPPORTED/],
    ['PATCH', origin.signedPath(warm), 405, /UNSUPPORTED/],
    ['DELETE', origin.signedPath(warm), 405, /UNSUPPORTED/],
    ['OPTIONS', origin.signedPath(warm), 405, /UNSUPPORTED/],
  ];
  for (const [method, target, status, body] of answers) {
    it(`answers ${status} to ${method} ${target.replace(/\?.*/, '')}`, async () => {
      const answer = await ask(method, target);
      assert.equal(answer.status, status);
      assert.match(answer.body, body);
      if (status === 405) assert.equal(answer.allow, 'GET, HEAD');
    });
  }

  it('is answered as well when a GET has a body', async () => {
    const answer = await ask('GET', '/v2/', 'x'.repeat(100_000));
    assert.equal(answer.status, 200);
  });
});

it('a signed URL opens its blob within the minute by which clocks may differ, and no longer', async () => {
  const url = cache.url + origin.signedPath(warm, { now: now * 1000 });
  now += 659;
  assert.equal((await fetch(url)).status, 200);
  now += 1;
  assert.equal((await fetch(url)).status, 403);
});

/** A request whose path goes out as it is written. */
function ask(
  method: string,
  target: string,
  body = '',
): Promise<{ status: number | undefined; allow: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(cache.url);
    // Without it Node sends the body of a GET as if it was another request.
    const headers = { 'Content-Length': Buffer.byteLength(body) };
    request({ hostname, port, method, path: target, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({
        status: response.statusCode,
        allow: response.headers.allow,
        body: Buffer.concat(chunks).toString(),
      });
    })
      .on('error', reject)
      .end(body);
  });
}
