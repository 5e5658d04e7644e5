import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestCache } from '../setup/cache.ts';
import { freePort } from '../setup/free-port.ts';
import { pushImage, startTestOrigin } from '../setup/origin.ts';

describe('the metrics of an origin', async () => {
  const time = { now: Date.now() };
  const clock = () => time.now;
  const origin = await startTestOrigin({ metrics: true, probeIntervalMs: 3_600_000, clock });
  const cache = await startTestCache({ origin: origin.url, clock });
  const register = async (name: string, host: string): Promise<string> => {
    const answer = await origin.api('POST', '/content_caches', { name, host });
    return ((await answer.json()) as { id: string }).id;
  };
  const near = await register('near', cache.url);
  await register('gone', `http://127.0.0.1:${await freePort()}`);
  await origin.api('PATCH', '/accounts/admin/settings', { contentCacheUUID: near });
  const { layers } = await pushImage(origin, 'admin/app', '1', [Buffer.alloc(10_000, 'x')]);
  for (let pull = 0; pull < 3; pull += 1) {
    const sent = await origin.registry('GET', `/v2/admin/app/blobs/${layers[0]}`);
    await (await fetch(sent.headers.get('location') as string)).arrayBuffer();
  }
  time.now += 120_000;
  await origin.api('POST', `/content_caches/${near}/probe`);
  const read = async () => (await fetch(origin.metricsUrl)).text();

  it('tell how each cache is', async () => {
    const text = await read();
    for (const line of [
      'dtr_content_cache_up{cache="near"} 1',
      'dtr_content_cache_up{cache="gone"} 0',
      'dtr_content_cache_degraded{cache="near"} 0',
      'dtr_content_cache_stored_blobs{cache="near"} 1',
      'dtr_content_cache_stored_bytes{cache="near"} 10000',
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
    }
  });

  it('tell what each cache did', async () => {
    const text = await read();
    for (const line of [
      'dtr_content_cache_hits_total{cache="near"} 2',
      'dtr_content_cache_misses_total{cache="near"} 1',
      'dtr_content_cache_served_bytes_total{cache="near"} 30000',
      'dtr_content_cache_fetched_bytes_total{cache="near"} 10000',
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
    }
  });

  it('tell what the origin itself did', async () => {
    const text = await read();
    assert.match(text, /^dtr_origin_requests_total\{door="registry",status="307"\} 3$/m);
    assert.match(text, /^dtr_origin_requests_total\{door="api",status="201"\} 2$/m);
    assert.match(text, /^process_resident_memory_bytes \d+$/m);
  });

  it('name no user, no repository and no secret, and are not at the public port (I10)', async () => {
    const text = await read();
    for (const word of ['"admin"', 'admin/app', origin.adminPassword]) assert.ok(!text.includes(word), word);
    assert.equal((await fetch(`${origin.url}/metrics`)).status, 404);
    for (const path of ['/', '/metrics/', '/debug/pprof', '/v2/']) {
      assert.equal((await fetch(new URL(path, origin.metricsUrl))).status, 404, path);
    }
  });

  it('forget a cache that is deleted', async () => {
    await origin.api('DELETE', `/content_caches/${near}`);
    assert.doesNotMatch(await read(), /dtr_content_cache_up\{cache="near"\}/);
  });
});
