import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestOf } from '../../src/shared/distribution/digest.ts';
import { startTestCache } from '../setup/cache.ts';
import { startFakeOrigin } from '../setup/fake-origin.ts';
import { eventually } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const origin = await startFakeOrigin();
const outOfService = join(await tempDirectory(), 'out-of-service');
const cache = await startTestCache({
  origin: origin.url,
  cas: [origin.ca],
  prefix: '/registry/',
  headers: { 'X-Site': ['office'] },
  debug: { listen: { host: '127.0.0.1', port: 0 }, metricsPath: '/metrics' },
  health: {
    storage: { intervalMs: 20, threshold: 1 },
    files: [{ path: outOfService, intervalMs: 20, threshold: 2 }],
  },
});

async function metric(line: string): Promise<number> {
  const text = await (await fetch(`${cache.debugUrl}/metrics`)).text();
  const value = text.split('\n').find((one) => one.startsWith(`${line} `));
  return value === undefined ? 0 : Number(value.slice(line.length + 1));
}

describe('metrics', () => {
  it('count hits, misses, refusals, and the bytes of each', async () => {
    const bytes = Buffer.from('counted');
    const path = origin.signedPath(origin.add(bytes));
    for (let pull = 0; pull < 3; pull += 1) {
      const response = await fetch(cache.url + path);
      assert.equal(response.status, 200);
      await response.arrayBuffer();
    }
    await fetch(`${cache.url}${path.split('?')[0]}`);
    await eventually(
      'the pulls are counted',
      async () => (await metric('dtr_cache_pulls_total{outcome="hit"}')) === 2,
    );
    assert.equal(await metric('dtr_cache_pulls_total{outcome="miss"}'), 1);
    assert.equal(await metric('dtr_cache_pulls_total{outcome="refused"}'), 1);
    assert.equal(await metric('dtr_cache_served_bytes_total{outcome="hit"}'), 2 * bytes.byteLength);
    assert.equal(await metric(`dtr_cache_fetched_bytes_total{upstream="${origin.url}"}`), bytes.byteLength);
    assert.equal(await metric('dtr_cache_fills_total{result="stored"}'), 1);
    assert.equal(await metric('dtr_cache_fills_running'), 0);
    assert.ok((await metric('dtr_cache_disk_free_bytes')) > 0);
  });

  it('count what upstreams do wrong', async () => {
    const path = origin.signedPath(digestOf(Buffer.from('nowhere')));
    assert.equal((await fetch(cache.url + path)).status, 502);
    assert.ok((await metric(`dtr_cache_upstream_failures_total{upstream="${origin.url}"}`)) >= 1);
    await eventually(
      'it is counted',
      async () => (await metric('dtr_cache_pulls_total{outcome="failed"}')) === 1,
    );
  });

  it('are not on the public port', async () => {
    assert.equal((await fetch(`${cache.url}/metrics`)).status, 404);
    assert.equal((await fetch(`${cache.url}/debug/health`)).status, 404);
  });
});

describe('health', () => {
  it('is well while the storage takes bytes and keys are there', async () => {
    await eventually('keys have come', async () => (await fetch(`${cache.url}/health`)).status === 200);
    assert.deepEqual(await (await fetch(`${cache.url}/health`)).json(), { Error: '', Healthy: true });
    assert.deepEqual(await (await fetch(`${cache.debugUrl}/debug/health`)).json(), {});
  });

  it('ends while the file exists that takes the cache out of service, and comes back', async () => {
    await writeFile(outOfService, '');
    await eventually('it is unhealthy', async () => (await fetch(`${cache.url}/health`)).status === 503);
    const answer = (await (await fetch(`${cache.url}/health`)).json()) as { Error: string };
    assert.equal(answer.Error, `file ${outOfService}: the file exists`);
    assert.equal((await fetch(`${cache.url}/_ping`)).status, 200, 'it lives, all the same');
    await rm(outOfService);
    await eventually('it is healthy again', async () => (await fetch(`${cache.url}/health`)).status === 200);
  });

  it('says so while no upstream has given its keys', async () => {
    const alone = await startTestCache({ origin: 'https://127.0.0.1:1' });
    const answer = await fetch(`${alone.url}/health`);
    assert.equal(answer.status, 503);
    assert.match(((await answer.json()) as { Error: string }).Error, /^keys: no upstream has given/);
  });

  it('ends when the storage takes no bytes', async () => {
    const broken = await startTestCache({
      origin: origin.url,
      cas: [origin.ca],
      health: { storage: { intervalMs: 20, threshold: 1 }, files: [] },
    });
    await rm(join(broken.rootDirectory, 'sessions'), { recursive: true });
    await eventually('it is unhealthy', async () =>
      ((await (await fetch(`${broken.url}/health`)).json()) as { Error: string }).Error.includes('storage: '),
    );
  });
});

it('answers below the prefix as well, for a proxy in front', async () => {
  const path = origin.signedPath(origin.add(Buffer.from('below a prefix')));
  assert.equal((await fetch(`${cache.url}/registry${path}`)).status, 200);
  assert.equal((await fetch(`${cache.url}${path}`)).status, 200);
});

it('adds the headers of the configuration to every answer', async () => {
  assert.equal((await fetch(`${cache.url}/_ping`)).headers.get('x-site'), 'office');
  assert.equal((await fetch(`${cache.url}/nowhere`)).headers.get('x-site'), 'office');
});

it('without an access log it writes refused requests only', async () => {
  const { log } = await import('../../src/cache/configuration.ts').then(({ parseConfiguration }) =>
    parseConfiguration(
      'version: 0.1\nlog: { accesslog: { disabled: true } }\nstorage: { inmemory: }\nmiddleware: { registry: [{ name: downstream, options: { upstreams: [https://o.example] } }] }\n',
      'c.yml',
    ),
  );
  const quiet = await startTestCache({ origin: origin.url, cas: [origin.ca], log });
  const path = origin.signedPath(origin.add(Buffer.from('quietly')));
  await (await fetch(quiet.url + path)).arrayBuffer();
  await (await fetch(quiet.url + (path.split('?')[0] as string))).arrayBuffer();
  await eventually('the refusal is logged', () => quiet.logs.some(({ msg }) => msg === 'pull'));
  assert.deepEqual(
    quiet.logs.filter(({ msg }) => msg === 'pull').map(({ status }) => status),
    [401],
  );
});
