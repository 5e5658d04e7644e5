import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BlobAsk, Pulls, startOf } from '../../../src/origin/content-caches/pulls.ts';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import type { RepositoryName } from '../../../src/shared/distribution/repository-name.ts';

const now = 1_700_000_000_000;
const digest = digestOf(Buffer.from('layer'));
const askOf = (pull: string, changes: Partial<BlobAsk> = {}): BlobAsk => ({
  pull,
  user: 'jane',
  client: '192.0.2.1',
  userAgent: 'docker/20.10',
  repository: 'acme/app' as RepositoryName,
  digest,
  range: undefined,
  ...changes,
});
const digestNumber = (n: number) => digestOf(Buffer.from(`${n}`));

/** Remembers a redirect to the cache `near`. */
function add(pulls: Pulls, ask: BlobAsk, id = 'id', at = now): void {
  pulls.add(pulls.of(ask, at), ask, { id, cacheId: 'near', now: at });
}

describe('what is remembered of pulls', () => {
  it('belongs together by the token, and to the user at the address', () => {
    const pulls = new Pulls();
    add(pulls, askOf('one'));
    assert.equal(pulls.of(askOf('one'), now).blobs.size, 1);
    assert.equal(pulls.of(askOf('two'), now).pair, pulls.of(askOf('one'), now).pair);
    assert.notEqual(pulls.of(askOf('three', { user: 'joe' }), now).pair, pulls.of(askOf('one'), now).pair);
  });

  it('is of a whole blob the last redirect, of pieces the one nearest to the end', () => {
    const pulls = new Pulls();
    add(pulls, askOf('whole'), 'first');
    add(pulls, askOf('whole'), 'second');
    for (const [range, id] of [
      ['bytes=0-', 'start'],
      ['bytes=900-', 'end'],
      ['bytes=500-', 'middle'],
    ] as const) {
      add(pulls, askOf('pieces', { range }), id);
    }
    const telling = (pull: string) => pulls.of(askOf(pull), now).blobs.get(digest)?.telling.id;
    assert.deepEqual([telling('whole'), telling('pieces')], ['second', 'end']);
  });

  it('is forgotten six minutes after the pull began', () => {
    const pulls = new Pulls();
    add(pulls, askOf('one'));
    pulls.of(askOf('other'), now + 359_000);
    assert.equal(pulls.of(askOf('one'), now + 359_000).blobs.size, 1);
    const { pair } = pulls.of(askOf('yet another'), now + 360_000);
    assert.equal(pulls.of(askOf('one'), now + 360_000).blobs.size, 0);
    assert.equal(pair.pulls.length, 3);
  });

  it('is at most 100,000 pulls and redirects: the oldest make room', () => {
    const pulls = new Pulls();
    for (let pull = 0; pull < 101; pull += 1) {
      for (let blob = 0; blob < 1_000; blob += 1)
        add(pulls, askOf(`${pull}`, { digest: digestNumber(blob) }));
    }
    assert.equal(pulls.of(askOf('0'), now).blobs.size, 0);
    assert.equal(pulls.of(askOf('5'), now).blobs.size, 1_000);
    assert.ok(pulls.size <= 100_000);
    // Also of those that were never redirected.
    for (let pull = 0; pull < 100_100; pull += 1) pulls.of(askOf(`nowhere ${pull}`), now);
    assert.ok(pulls.size <= 100_000);
  });

  it('of what clients say about themselves is not much', () => {
    const pulls = new Pulls();
    add(pulls, askOf('one', { userAgent: 'x'.repeat(10_000), range: `bytes=0-1,${'2-3,'.repeat(4_000)}` }));
    const { userAgent, blobs } = pulls.of(askOf('one'), now);
    assert.equal(userAgent.length, 200);
    assert.ok([...(blobs.get(digest)?.pieces.keys() ?? [])].every((key) => key.length <= 200));
  });

  it('of one pull is no more than that either, however many blobs or pieces it asks for', () => {
    const pulls = new Pulls();
    for (let blob = 0; blob < 100_100; blob += 1) add(pulls, askOf('one', { digest: digestNumber(blob) }));
    assert.ok(pulls.size <= 100_000);
    for (let piece = 0; piece < 5_000; piece += 1) add(pulls, askOf('two', { range: `bytes=${piece}-` }));
    assert.ok((pulls.of(askOf('two'), now).blobs.get(digest)?.pieces.size ?? 0) <= 1_000);
  });
});

describe('a range', () => {
  for (const [text, start] of [
    [undefined, 0],
    ['bytes=0-', 0],
    ['bytes=0-1', 0],
    ['bytes=5-', 5],
    ['bytes=5-9', 5],
    ['bytes=-5', 0],
    ['bytes=1-2,5-9', 0],
    ['lines=5-', 0],
    ['bytes=99999999999999999999-', 0],
  ] as const) {
    it(`${text} starts at ${start}`, () => assert.equal(startOf(text), start));
  }
});
