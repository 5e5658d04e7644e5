import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Digest, digestOf } from '../../../src/shared/distribution/digest.ts';
import { startJobWorld } from '../../setup/jobs.ts';
import { pushBlob, pushImage } from '../../setup/origin.ts';
import { eventually } from '../../setup/processes.ts';

const { api, register, submit, read, ended } = await startJobWorld();
const { origin } = api;
const [near, far] = [await register('near'), await register('far')];
let pushed = 0;

/** Layers that no other image has. */
function layers(...sizes: number[]): Buffer[] {
  return sizes.map((size) => {
    pushed += 1;
    return Buffer.alloc(size, `layer ${pushed} `);
  });
}

async function blobsOf(repository: string, reference: string): Promise<Digest[]> {
  const answer = await origin.registry('GET', `/v2/${repository}/manifests/${reference}`, {
    headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const { config, layers: described } = (await answer.json()) as Record<string, unknown>;
  return [config as { digest: Digest }, ...(described as { digest: Digest }[])].map(({ digest }) => digest);
}

/** An index of one image for each of the platforms, under the tag; the blobs of each. */
async function pushIndex(repository: string, tag: string, platforms: string[]): Promise<Digest[][]> {
  const indexType = 'application/vnd.oci.image.index.v1+json';
  const blobs: Digest[][] = [];
  const manifests = [];
  for (const platform of platforms) {
    const { digest, manifest } = await pushImage(origin, repository, `tmp-${pushed}`, layers(1_000));
    blobs.push(await blobsOf(repository, digest));
    const [os, architecture, variant] = platform.split('/');
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    manifests.push({ mediaType, digest, size: manifest.length, platform: { os, architecture, variant } });
  }
  const body = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
  const headers = { 'Content-Type': indexType };
  const put = await origin.registry('PUT', `/v2/${repository}/manifests/${tag}`, { body, headers });
  assert.equal(put.status, 201);
  return blobs;
}

describe('a prefetch', () => {
  it('of a tag has its blobs fetched by all caches, and the next pull is a hit', async () => {
    const { layers: described } = await pushImage(origin, 'admin/web', '1', layers(300_000, 5_000));
    const blobs = await blobsOf('admin/web', '1');
    const job = await submit('prefetch', { repository: 'admin/web', reference: '1' });
    assert.match(job.status, /waiting|running/);
    const over = await ended(job);
    assert.equal(over.status, 'done');
    assert.deepEqual(
      over.results?.map(({ name, status, message, doneBlobs, totalBlobs }) => [
        name,
        status,
        message,
        doneBlobs,
        totalBlobs,
      ]),
      [
        ['far', 'done', '', 3, 3],
        ['near', 'done', '', 3, 3],
      ],
    );
    assert.equal(over.results?.[0]?.doneBytes, over.results?.[0]?.totalBytes);
    for (const cache of [near, far]) assert.deepEqual(await cache.stored(blobs), blobs);
    await api.ask('PATCH', '/api/v0/accounts/admin/settings', { body: { contentCacheUUID: near.id } });
    const sent = await origin.registry('GET', `/v2/admin/web/blobs/${described[0]}`);
    assert.equal(sent.status, 307);
    assert.equal((await fetch(sent.headers.get('location') as string)).status, 200);
    await eventually('it is logged', () =>
      near.logs.some((line) => line.digest === described[0] && line.cache === 'hit'),
    );
  });

  it('of a digest goes to the caches that are named', async () => {
    const { digest, layers: blobs } = await pushImage(origin, 'admin/one', '1', layers(2_000));
    const over = await ended(
      await submit('prefetch', { repository: 'admin/one', reference: digest, contentCaches: [far.id] }),
    );
    assert.deepEqual(
      over.results?.map(({ name }) => name),
      ['far'],
    );
    assert.deepEqual(await far.stored(blobs), blobs);
    assert.deepEqual(await near.stored(blobs), []);
  });

  it('of a repository is of all its tags', async () => {
    for (const tag of ['a', 'b', 'c']) await pushImage(origin, 'admin/many', tag, layers(1_000));
    const blobs = [];
    for (const tag of ['a', 'b', 'c']) blobs.push(...(await blobsOf('admin/many', tag)));
    await ended(await submit('prefetch', { repository: 'admin/many', contentCaches: [near.id] }));
    assert.deepEqual(await near.stored(blobs), blobs);
  });

  it('of an image for several platforms is of those that are chosen, or of all', async () => {
    const [amd64, arm64, armV7] = (await pushIndex('admin/index', '1', [
      'linux/amd64',
      'linux/arm64/v8',
      'linux/arm/v7',
    ])) as [Digest[], Digest[], Digest[]];
    const own = (blobs: Digest[]) => blobs.slice(1);
    const parameters = { repository: 'admin/index', reference: '1', contentCaches: [near.id] };
    await ended(await submit('prefetch', { ...parameters, platforms: ['linux/arm64', 'linux/arm/v6'] }));
    const stored = async () => [
      (await near.stored(own(amd64))).length,
      (await near.stored(own(arm64))).length,
      (await near.stored(own(armV7))).length,
    ];
    assert.deepEqual(await stored(), [0, 1, 0]);
    await ended(await submit('prefetch', parameters));
    assert.deepEqual(await stored(), [1, 1, 1]);
  });

  it('of more blobs than a cache takes at a time comes to its end', async () => {
    const { layers: described } = await pushImage(origin, 'admin/wide', '1', layers(...Array(60).fill(100)));
    const over = await ended(
      await submit('prefetch', { repository: 'admin/wide', reference: '1', contentCaches: [near.id] }),
    );
    assert.equal(over.status, 'done');
    assert.deepEqual(await near.stored(described), described);
  });

  it('waits for a cache that is away, says why, and goes on when it is back', async () => {
    await pushImage(origin, 'admin/late', '1', layers(1_000));
    const blobs = await blobsOf('admin/late', '1');
    await near.stop();
    const job = await submit('prefetch', { repository: 'admin/late', reference: '1' });
    const resultOf = async (name: string) => (await read(job.id)).results?.find((one) => one.name === name);
    await eventually('the other is done', async () => (await resultOf('far'))?.status === 'done');
    await eventually('it is tried', async () => (await resultOf('near'))?.message !== '');
    const { status, message } = (await resultOf('near')) ?? {};
    assert.deepEqual(
      [status, message],
      ['waiting', 'it refuses connections: is it running, and is the port right?'],
    );
    assert.equal((await read(job.id)).status, 'running');
    await near.start();
    assert.equal((await ended(job)).status, 'done');
    assert.deepEqual(await near.stored(blobs), blobs);
  });

  it('goes on after a restart of the origin', async () => {
    await pushImage(origin, 'admin/survivor', '1', layers(1_000));
    const blobs = await blobsOf('admin/survivor', '1');
    await near.stop();
    const job = await submit('prefetch', { repository: 'admin/survivor', reference: '1' });
    await eventually(
      'it waits',
      async () => (await read(job.id)).results?.some(({ message }) => message !== '') === true,
    );
    await origin.restart();
    await near.start();
    assert.equal((await ended(job)).status, 'done');
    assert.deepEqual(await near.stored(blobs), blobs);
  });

  it('of blobs that are damaged at the origin fails with why', async () => {
    const [bytes] = layers(4_000) as [Buffer];
    await pushBlob(origin, 'admin/bad', bytes);
    await pushImage(origin, 'admin/bad', '1', [bytes]);
    api.tamper(`update blobs set damaged_at = 1 where digest = '${digestOf(bytes)}'`);
    const job = await submit(
      'prefetch',
      { repository: 'admin/bad', contentCaches: [near.id] },
      { deadline: '1s' },
    );
    const over = await ended(job);
    assert.equal(over.status, 'errored');
    assert.match(over.results?.[0]?.message ?? '', /^it /);
  });
});

describe('a prefetch is refused', () => {
  const cases: [what: string, parameters: object, field: string | undefined, code?: string][] = [
    ['without a repository', {}, 'parameters.repository'],
    ['of a repository that is none', { repository: 'admin/none' }, undefined, 'NO_SUCH_REPOSITORY'],
    ['of a tag that is none', { repository: 'admin/web', reference: 'none' }, undefined, 'NO_SUCH_MANIFEST'],
    ['of what is no reference', { repository: 'admin/web', reference: 'a b' }, 'parameters.reference'],
    ['for what is no platform', { repository: 'admin/web', platforms: ['linux'] }, 'parameters.platforms'],
    [
      'at a cache that is none',
      { repository: 'admin/web', contentCaches: ['x'] },
      'parameters.contentCaches',
    ],
    ['with what belongs to a purge', { repository: 'admin/web', everything: true }, 'parameters.everything'],
  ];
  for (const [what, parameters, field, code = 'INVALID_PARAMETERS'] of cases) {
    it(what, async () => {
      const body = { action: 'content-cache-prefetch', parameters };
      const answer = await api.ask('POST', '/api/v0/jobs', { body });
      assert.equal(answer.code, code, answer.text);
      if (field !== undefined) assert.equal(answer.body.errors[0].detail.field, field);
    });
  }

  for (const deadline of ['soon', '0s', '10', '1000h']) {
    it(`until ${deadline}`, async () => {
      const body = { action: 'content-cache-prefetch', parameters: { repository: 'admin/web' }, deadline };
      const answer = await api.ask('POST', '/api/v0/jobs', { body });
      assert.equal(answer.body.errors[0].detail.field, 'deadline', answer.text);
    });
  }
});
