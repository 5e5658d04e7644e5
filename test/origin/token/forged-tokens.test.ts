/** Tokens that nobody gave are refused, and each kind of token opens only what it is for (C01, C02, C04, C06, C17). */
import assert from 'node:assert/strict';
import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { createServer } from 'node:http';
import { after, describe, it } from 'node:test';
import jsonwebtoken from 'jsonwebtoken';
import { basic, pushImage, startTestOrigin } from '../../setup/origin.ts';

const start = Date.UTC(2026, 10, 25);
let now = start;
const origin = await startTestOrigin({ clock: () => now });
const service = new URL(origin.url).host;
const layer = Buffer.from('layer');
const { layers } = await pushImage(origin, 'admin/app', '1', [layer]);
const scope = 'repository:admin/app:pull';
const registryToken = await origin.token('admin', origin.adminPassword, scope);
const [header, payload, signature] = registryToken.split('.') as [string, string, string];
const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
const keySet = (await (await fetch(`${origin.url}/.well-known/jwks.json`)).json()) as {
  keys: (JsonWebKey & { kid: string })[];
};
const jwk = keySet.keys[0] as JsonWebKey & { kid: string };
const publicKey = createPublicKey({ key: jwk, format: 'jwk' });

const manifest = (token: string, as = 'Bearer') =>
  fetch(`${origin.url}/v2/admin/app/manifests/1`, { headers: { Authorization: `${as} ${token}` } });
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

it('the token that was given opens what it is for', async () => {
  assert.equal((await manifest(registryToken)).status, 200);
});

describe('a forged token is refused', () => {
  const evil = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = (key: KeyObject, more: Record<string, unknown>) =>
    jsonwebtoken.sign(claims, key, {
      algorithm: 'ES256',
      header: { alg: 'ES256', typ: 'JWT', kid, ...more },
    });
  const hmac = (secret: string | Buffer) => {
    const text = `${encode({ alg: 'HS256', typ: 'JWT', kid })}.${payload}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const forged: Record<string, string> = {
    'alg none': `${encode({ alg: 'none', typ: 'JWT', kid })}.${payload}.`,
    'alg None with the signature': `${encode({ alg: 'None', typ: 'JWT', kid })}.${payload}.${signature}`,
    'alg nOnE': `${encode({ alg: 'nOnE', typ: 'JWT', kid })}.${payload}.${signature}`,
    'an empty signature': `${header}.${payload}.`,
    'two segments': `${header}.${payload}`,
    'four segments': `${registryToken}.${signature}`,
    'JSON in place of segments': encode({ payload, signatures: [{ protected: header, signature }] }),
    'HS256 with the public PEM': hmac(pem),
    'HS256 with the public PEM without its line end': hmac(pem.trim()),
    'HS256 with the public DER': hmac(publicKey.export({ type: 'spki', format: 'der' })),
    'HS256 with the public JWK': hmac(JSON.stringify(jwk)),
    'another key under our key id': signed(evil.privateKey, {}),
    'an unknown key id': signed(evil.privateKey, { kid: 'unknown' }),
    'no key id': signed(evil.privateKey, { kid: undefined }),
    'another payload under the signature': `${header}.${encode({ ...claims, sub: 'jane' })}.${signature}`,
  };
  for (const [what, token] of Object.entries(forged)) {
    it(`${what} (C01, C02)`, async () => {
      const answer = await manifest(token);
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer realm=/);
    });
  }

  it('one that brings or names a key of its own, and nobody fetches that (C04)', async () => {
    let hits = 0;
    const server = createServer((_request, response) => {
      hits += 1;
      response.end(JSON.stringify({ keys: [{ ...evil.publicKey.export({ format: 'jwk' }), kid }] }));
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    after(() => server.close());
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/keys`;
    for (const more of [
      { jwk: evil.publicKey.export({ format: 'jwk' }) },
      { jku: url },
      { x5u: url },
      { x5c: [evil.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
    ]) {
      assert.equal((await manifest(signed(evil.privateKey, more))).status, 401);
    }
    assert.equal(hits, 0);
  });
});

describe('each kind of token opens only what it is for (C06)', () => {
  let kinds: Record<string, string>;
  const givenKinds = async () => {
    if (kinds !== undefined) return kinds;
    const auth = { Authorization: basic(`admin:${origin.adminPassword}`) };
    const json = { 'Content-Type': 'application/json' };
    const plain = (await (await fetch(`${origin.url}/auth/token`, { headers: auth })).json()) as {
      token: string;
    };
    const login = await fetch(`${origin.url}/auth/token?service=${service}&offline_token=true`, {
      headers: auth,
    });
    const { refresh_token: refresh } = (await login.json()) as { refresh_token: string };
    const session = await fetch(`${origin.url}/api/v0/session`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ username: 'admin', password: origin.adminPassword }),
    });
    const cookie = /=([^;]+)/.exec(session.headers.get('set-cookie') ?? '')?.[1] as string;
    const cache = (await (
      await origin.api('POST', '/content_caches', { name: 'c', host: 'http://cache' })
    ).json()) as { id: string };
    await origin.api('PATCH', '/accounts/admin/settings', { contentCacheUUID: cache.id });
    const redirect = await origin.registry('GET', `/v2/admin/app/blobs/${layers[0]}`);
    const blobUrl = new URL(redirect.headers.get('location') as string).searchParams.get('token') as string;
    kinds = { registry: registryToken, api: plain.token, refresh, session: cookie, blobUrl };
    return kinds;
  };
  const doors: Record<string, (token: string) => Promise<number>> = {
    'the registry': async (token) => (await manifest(token)).status,
    'the API': async (token) =>
      (await fetch(`${origin.url}/api/v0/content_caches`, { headers: { Authorization: `Bearer ${token}` } }))
        .status,
    'the API as a session': async (token) =>
      (await fetch(`${origin.url}/api/v0/session`, { headers: { Cookie: `dtr_session=${token}` } })).status,
    'the token server as a refresh token': async (token) => {
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, service });
      return (await fetch(`${origin.url}/auth/token`, { method: 'POST', body })).status;
    },
    'the token server as a password': async (token) =>
      (
        await fetch(`${origin.url}/auth/token?service=${service}`, {
          headers: { Authorization: basic(`admin:${token}`) },
        })
      ).status,
    'a manifest as a signed URL': async (token) =>
      (await fetch(`${origin.url}/v2/admin/app/manifests/1?token=${token}`)).status,
    'a blob as a signed URL': async (token) =>
      (await fetch(`${origin.url}/v2/admin/app/blobs/${layers[0]}?token=${token}`)).status,
  };
  const own: Record<string, string> = {
    registry: 'the registry',
    api: 'the API',
    refresh: 'the token server as a refresh token',
    session: 'the API as a session',
    blobUrl: 'a blob as a signed URL',
  };
  for (const kind of Object.keys(own)) {
    for (const [door, ask] of Object.entries(doors)) {
      const opens = own[kind] === door;
      it(`${kind} at ${door}: ${opens ? 'opens' : 'refused'}`, async () => {
        const status = await ask((await givenKinds())[kind] as string);
        if (opens) assert.equal(status, 200);
        else assert.ok(status === 401 || status === 403, String(status));
      });
    }
  }
});

describe('clocks that differ (C17)', () => {
  const tokenAt = async (offsetSeconds: number) => {
    now = start + offsetSeconds * 1000;
    const token = await origin.token('admin', origin.adminPassword, scope);
    now = start;
    return (await manifest(token)).status;
  };
  for (const [offset, status] of [
    [50, 200],
    [90, 401],
    [-350, 200],
    [-361, 401],
  ] as const) {
    it(`a token given ${offset} s from now is ${status === 200 ? 'taken' : 'refused'}`, async () => {
      assert.equal(await tokenAt(offset), status);
    });
  }
});
