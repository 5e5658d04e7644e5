import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type CacheStatus,
  cacheStatus,
  cacheStatusTarget,
  type DeliveriesAnswer,
  type DeliveriesRequest,
  deliveriesAnswer,
  deliveriesRequest,
  type PrefetchAnswer,
  type PrefetchRequest,
  type PurgeAnswer,
  type PurgeRequest,
  prefetchAnswer,
  prefetchRequest,
  purgeAnswer,
  purgeRequest,
  type UsageRecord,
} from '../../src/shared/cache-command-bodies.ts';
import { digestOf } from '../../src/shared/distribution/digest.ts';
import type { RepositoryName } from '../../src/shared/distribution/repository-name.ts';

const digest = digestOf(Buffer.from('layer'));
const record: UsageRecord = {
  sequence: 8,
  minute: 1_767_225_600_000,
  repository: 'acme/app',
  user: 'alice',
  cache: 'cache-1',
  hits: 1,
  misses: 0,
  bytesServed: 5_000_000_000,
  bytesFetched: 0,
  errors: 0,
};
const status: CacheStatus = {
  protocol: '1',
  version: '0.1.0',
  processId: 'ab12',
  now: 1_767_225_700_000,
  origins: ['https://dtr.example'],
  health: { healthy: true, reasons: [] },
  disk: { sizeBytes: 100, freeBytes: 50 },
  stored: { blobs: 1, bytes: 50 },
  usage: { records: [record], next: 8, more: false },
};

describe('the status of a cache', () => {
  it('is read by its shape, and what is new in it is left out', () => {
    assert.deepEqual(cacheStatus.parse({ ...status, moonPhase: 'full' }), status);
  });

  it('is refused with numbers that are none', () => {
    for (const bytesServed of [-1, 1.5, '5', Number.POSITIVE_INFINITY, 2 ** 60, null]) {
      const usage = { ...status.usage, records: [{ ...record, bytesServed }] };
      assert.equal(cacheStatus.safeParse({ ...status, usage }).success, false, String(bytesServed));
    }
  });

  it('is asked for after the last record of a process that was kept', () => {
    assert.equal(cacheStatusTarget(), '/.well-known/dtr-content-cache/status');
    assert.equal(
      cacheStatusTarget({ processId: 'ab12', sequence: 8 }),
      '/.well-known/dtr-content-cache/status?after=8&process=ab12',
    );
  });
});

describe('requests', () => {
  const deliveries: DeliveriesRequest = { requests: ['Az09_-'] };
  const purges: PurgeRequest[] = [{ digests: [digest] }, { everything: true }];
  const prefetch: PrefetchRequest = {
    blobs: [{ repository: 'acme/app' as RepositoryName, digest, size: 5, token: 'a.b.c' }],
  };

  it('are read by their shapes', () => {
    assert.deepEqual(deliveriesRequest.parse(deliveries), deliveries);
    for (const purge of purges) assert.deepEqual(purgeRequest.parse(purge), purge);
    assert.deepEqual(prefetchRequest.parse(prefetch), prefetch);
  });

  it('are refused when anything in them is not understood', () => {
    const wrong: [string, { safeParse: (value: unknown) => { success: boolean } }, unknown][] = [
      ['more than a hundred ids', deliveriesRequest, { requests: Array(101).fill('a') }],
      ['an id that is none', deliveriesRequest, { requests: ['a b'] }],
      ['an id that is too long', deliveriesRequest, { requests: ['a'.repeat(33)] }],
      ['a purge of nothing', purgeRequest, {}],
      ['a purge of both', purgeRequest, { everything: true, digests: [digest] }],
      ['a purge that is not meant', purgeRequest, { everything: false }],
      ['a purge of less than it says', purgeRequest, { everything: true, butNot: [digest] }],
      ['a path instead of a digest', purgeRequest, { digests: ['../../etc/passwd'] }],
      ['a name that is none', prefetchRequest, { blobs: [{ ...prefetch.blobs[0], repository: '../x' }] }],
      ['a blob without its token', prefetchRequest, { blobs: [{ ...prefetch.blobs[0], token: undefined }] }],
    ];
    for (const [what, shape, value] of wrong) assert.equal(shape.safeParse(value).success, false, what);
  });
});

it('answers are read by their shapes', () => {
  const deliveries: DeliveriesAnswer = { deliveries: { a: 'completed', b: 'unknown' }, rememberedMs: 5 };
  const purge: PurgeAnswer = { blobs: 3, bytes: 12, more: true };
  const prefetch: PrefetchAnswer = {
    blobs: [
      { digest, state: 'stored' },
      { digest, state: 'filling', bytes: 3 },
      { digest, state: 'waiting' },
      { digest, state: 'failed', reason: 'no upstream gave the blob' },
    ],
  };
  assert.deepEqual(deliveriesAnswer.parse(deliveries), deliveries);
  assert.deepEqual(purgeAnswer.parse(purge), purge);
  assert.deepEqual(prefetchAnswer.parse(prefetch), prefetch);
});
