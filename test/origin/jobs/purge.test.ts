import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '../../../src/shared/distribution/digest.ts';
import { startJobWorld } from '../../setup/jobs.ts';
import { pushImage } from '../../setup/origin.ts';

const { api, register, submit, ended } = await startJobWorld();
const cache = await register('near');
let pushed = 0;

/** An image that the cache stores; its layers. */
async function stored(repository: string, tag: string, count = 1): Promise<Digest[]> {
  const bytes = Array.from({ length: count }, () => {
    pushed += 1;
    return Buffer.alloc(1_000, `layer ${pushed} `);
  });
  const { layers } = await pushImage(api.origin, repository, tag, bytes);
  await ended(await submit('prefetch', { repository, reference: tag }));
  assert.deepEqual(await cache.stored(layers), layers);
  return layers;
}

describe('a purge', () => {
  it('of blobs removes these', async () => {
    const [gone, kept] = (await stored('admin/web', '1', 2)) as [Digest, Digest];
    const over = await ended(await submit('purge', { digests: [gone] }));
    assert.equal(over.status, 'done');
    assert.deepEqual(
      over.results?.map(({ doneBlobs, doneBytes }) => [doneBlobs, doneBytes]),
      [[1, 1_000]],
    );
    assert.deepEqual(await cache.stored([gone, kept]), [kept]);
  });

  it('of a repository removes its blobs', async () => {
    const gone = await stored('admin/gone', '1', 2);
    const kept = await stored('admin/kept', '1', 2);
    await ended(await submit('purge', { repository: 'admin/gone' }));
    assert.deepEqual(await cache.stored([...gone, ...kept]), kept);
  });

  it('of what the origin does not hold any more removes that', async () => {
    const gone = await stored('admin/old', '1', 2);
    const kept = await stored('admin/new', '1', 2);
    for (const digest of gone) {
      api.tamper(
        `delete from repository_blobs where digest = '${digest}'; delete from blobs where digest = '${digest}'`,
      );
    }
    const over = await ended(await submit('purge', { unreferenced: true }));
    assert.equal(over.status, 'done');
    assert.equal(over.results?.[0]?.doneBlobs, 2);
    assert.deepEqual(await cache.stored([...gone, ...kept]), kept);
  });

  it('of everything removes everything', async () => {
    const blobs = await stored('admin/all', '1', 3);
    const over = await ended(await submit('purge', { everything: true }));
    assert.ok((over.results?.[0]?.doneBlobs as number) >= 3);
    assert.deepEqual(await cache.stored(blobs), []);
  });
});

describe('a purge is refused', () => {
  const cases: [what: string, parameters: object, field: string | undefined, code?: string][] = [
    ['of nothing', {}, 'parameters.digests'],
    ['of two things', { everything: true, unreferenced: true }, 'parameters.digests'],
    ['of what is no digest', { digests: ['latest'] }, 'parameters.digests'],
    ['of no digests', { digests: [] }, 'parameters.digests'],
    ['of a repository that is none', { repository: 'admin/none' }, undefined, 'NO_SUCH_REPOSITORY'],
    ['at a cache that is none', { everything: true, contentCaches: ['none'] }, 'parameters.contentCaches'],
  ];
  for (const [what, parameters, field, code = 'INVALID_PARAMETERS'] of cases) {
    it(what, async () => {
      const body = { action: 'content-cache-purge', parameters };
      const answer = await api.ask('POST', '/api/v0/jobs', { body });
      assert.equal(answer.code, code, answer.text);
      if (field !== undefined) assert.equal(answer.body.errors[0].detail.field, field);
    });
  }
});
