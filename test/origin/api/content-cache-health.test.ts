import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { ensureCertificate } from '../../../src/origin/certificates.ts';
import { startTestCache } from '../../setup/cache.ts';
import { startFakeContentCache } from '../../setup/fake-content-cache.ts';
import { freePort } from '../../setup/free-port.ts';
import { pushImage } from '../../setup/origin.ts';
import { eventually } from '../../setup/processes.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';
import { startApi } from './api.ts';

const collection = '/api/v0/content_caches';
const api = await startApi({ probeIntervalMs: 1_000 });
let registered = 0;
const register = async (host: string, more: object = {}) => {
  registered += 1;
  const answer = await api.ask('POST', collection, { body: { name: `cache-${registered}`, host, ...more } });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
};

describe('a cache that is registered', () => {
  it('is looked at before the answer', async () => {
    const cache = await startTestCache({ origin: api.origin.url });
    const { health } = await register(cache.url);
    assert.equal(health.state, 'healthy');
    assert.ok(Math.abs(Date.parse(health.probedAt) - Date.now()) < 5_000);
    assert.ok(Math.abs(health.clockSkewMs) < 1_000);
    assert.match(health.version, /^\d+\.\d+\.\d+/);
    assert.equal(health.stored.blobs, 0);
    assert.equal(health.lastError, undefined);
  });

  it('is registered whatever was found, and the answer says what', async () => {
    const { id, health } = await register(`http://127.0.0.1:${await freePort()}`);
    assert.equal(health.state, 'down');
    assert.deepEqual(
      [health.lastError.reason, health.lastError.message],
      ['refused', 'it refuses connections: is it running, and is the port right?'],
    );
    const found = await api.ask('GET', `${collection}/${id}`);
    assert.equal(found.body.health.state, 'down');
  });

  it('of another origin is told so', async () => {
    const other = await startApi();
    const cache = await startTestCache({ origin: other.origin.url });
    const { health } = await register(cache.url);
    assert.deepEqual(
      [health.state, health.lastError.message],
      ['down', `it does not serve this origin: its originhost is another than ${api.origin.url}`],
    );
  });

  it('that knows itself by another address is told so', async () => {
    const cache = await startTestCache({ origin: api.origin.url, host: 'https://elsewhere.example' });
    const { health } = await register(cache.url);
    assert.deepEqual(
      [health.state, health.lastError.reason, health.lastError.message],
      [
        'down',
        'signature-refused',
        'it refuses the signature of this origin: is its http.host another address than it is registered with?',
      ],
    );
  });

  it('whose clock is 45 s off is used, and an admin should look', async () => {
    const clock = () => Date.now() + 45_000;
    const cache = await startTestCache({ origin: api.origin.url, clock });
    const { health } = await register(cache.url);
    assert.deepEqual([health.state, health.lastError.reason], ['degraded', 'clock']);
    assert.match(health.lastError.message, /^its clock is 45 s ahead of the origin's/);
  });

  it('that cannot fetch the keys of its origin is told so', async () => {
    const cache = await startTestCache({ origin: `http://127.0.0.1:${await freePort()}` });
    const { health } = await register(cache.url);
    assert.deepEqual([health.state, health.lastError.reason], ['down', 'no-keys']);
  });

  it('of the metadata service of a cloud is never asked (A04)', async () => {
    const { health } = await register('http://169.254.169.254');
    assert.deepEqual([health.state, health.lastError.reason], ['down', 'address-not-permitted']);
  });

  it('shows its state to everybody, and what is wrong to admins', async () => {
    const { id } = await register(`http://127.0.0.1:${await freePort()}`);
    for (const path of [`${collection}/${id}`, collection]) {
      const { body } = await api.ask('GET', path, { as: 'ann' });
      const { health } = Array.isArray(body) ? body.find((one: { id: string }) => one.id === id) : body;
      assert.deepEqual(Object.keys(health).sort(), ['since', 'state']);
    }
  });

  it('does not count as changed when it is looked at', async () => {
    const cache = await startTestCache({ origin: api.origin.url });
    const { id } = await register(cache.url);
    const before = await api.ask('GET', `${collection}/${id}`);
    await api.ask('POST', `${collection}/${id}/probe`);
    const { headers } = await api.ask('GET', `${collection}/${id}`);
    assert.equal(headers.etag, before.headers.etag);
  });
});

describe('its CA', () => {
  it('makes its certificate trusted', async () => {
    const tls = await ensureCertificate(await tempDirectory(), ['127.0.0.1'], Date.now());
    const cache = await startFakeContentCache({ tls });
    const keys = await (await fetch(`${api.origin.url}/.well-known/jwks.json`)).json();
    const [jwk] = (keys as { keys: object[] }).keys;
    cache.findKey = async () => createPublicKey({ format: 'jwk', key: jwk as never });
    const without = await register(cache.url);
    assert.equal(
      without.health.lastError.message,
      'its TLS certificate is not trusted by the origin: register it with the CA that signed it (caPem)',
    );
    const path = `${collection}/${without.id}`;
    const changed = await api.ask('PATCH', path, { body: { caPem: `Our CA:\n${tls.ca}` } });
    assert.equal(changed.body.health.state, 'healthy', changed.text);
    assert.match(changed.body.caPem, /^-----BEGIN CERTIFICATE-----\n/);
    const removed = await api.ask('PATCH', path, { body: { caPem: '' } });
    assert.equal(removed.body.caPem, undefined);
    assert.equal(removed.body.health.state, 'down');
  });

  for (const [what, caPem] of [
    ['no certificate', 'hello'],
    ['a broken one', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
  ] as const) {
    it(`is refused when it is ${what}`, async () => {
      const body = { name: 'refused', host: 'http://127.0.0.1:1', caPem };
      const answer = await api.ask('POST', collection, { body });
      assert.equal(answer.status, 400);
      assert.equal(answer.body.errors[0].detail.field, 'caPem');
    });
  }
});

describe('a probe by hand', () => {
  it('is for admins, and finds what is now', async () => {
    const cache = await startTestCache({ origin: api.origin.url });
    const { id } = await register(cache.url);
    const probe = `${collection}/${id}/probe`;
    assert.equal((await api.ask('POST', probe, { as: 'ann' })).status, 403);
    assert.equal((await api.ask('POST', probe)).body.state, 'healthy');
    for (const headers of [
      { 'Content-Length': '0' },
      { 'Content-Length': '0', 'Content-Type': 'application/json' },
    ]) {
      assert.equal((await api.ask('POST', probe, { headers })).status, 200, 'also by curl -X POST');
    }
    await cache.close();
    await api.ask('POST', probe);
    const { body } = await api.ask('POST', probe);
    assert.deepEqual([body.state, body.lastError.reason], ['down', 'refused']);
    assert.equal((await api.ask('POST', `${collection}/nothing/probe`)).status, 404);
  });
});

describe('a cache that changes or goes (A16)', () => {
  it('at another address is looked at there, before the answer', async () => {
    const [one, other] = [await startTestCache({ origin: api.origin.url }), await freePort()];
    const { id } = await register(one.url);
    const body = { host: `http://127.0.0.1:${other}` };
    const changed = await api.ask('PATCH', `${collection}/${id}`, { body });
    assert.equal(changed.body.health.state, 'down');
    const renamed = await api.ask('PATCH', `${collection}/${id}`, { body: { name: 'renamed' } });
    assert.equal(renamed.body.health.since, changed.body.health.since);
  });

  it('its users get their blobs from the origin when it dies, when it is re-hosted and when it is deleted', async () => {
    const { origin } = api;
    const { layers } = await pushImage(origin, 'admin/app', '1', [Buffer.from('a layer')]);
    const cache = await startTestCache({ origin: origin.url });
    const { id } = await register(cache.url);
    const settings = { contentCacheUUID: id };
    assert.equal((await api.ask('PATCH', '/api/v0/accounts/admin/settings', { body: settings })).status, 200);
    const pull = () => origin.registry('GET', `/v2/admin/app/blobs/${layers[0]}`);
    assert.equal((await pull()).status, 307);
    await cache.close();
    await eventually('it is found dead', async () => (await pull()).status === 200);
    const body = { host: `http://127.0.0.1:${await freePort()}` };
    await api.ask('PATCH', `${collection}/${id}`, { body });
    assert.equal((await pull()).status, 200);
    await api.ask('DELETE', `${collection}/${id}`);
    assert.equal((await pull()).status, 200);
  });
});
