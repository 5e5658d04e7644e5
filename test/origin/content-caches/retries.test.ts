import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContentCache } from '../../../src/origin/content-caches/content-caches.ts';
import type { BlobAsk } from '../../../src/origin/content-caches/pulls.ts';
import { type DeliveryState, Retries } from '../../../src/origin/content-caches/retries.ts';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import type { RepositoryName } from '../../../src/shared/distribution/repository-name.ts';
import { keepingLogger } from '../../setup/logger.ts';

const cacheNamed = (id: string): ContentCache => ({
  id,
  name: id,
  host: `https://${id}.example`,
  caPem: undefined,
  isEnabled: true,
});
const near = cacheNamed('near');
const layer = (name: string) => digestOf(Buffer.from(name));

type Request = Partial<BlobAsk> & { readonly pull: string; readonly layer?: string };

/** A cache that tells what the test says, and a clock that stands still unless the test, or a pause, moves it. */
function start() {
  let now = 1_700_000_000_000;
  /** What became of each redirect, in their order; what is not said never came. */
  const became = new Map<string, DeliveryState>();
  const questions: string[][] = [];
  const pauses: number[] = [];
  const sent: string[] = [];
  const suspected: string[] = [];
  const world = {
    silent: false,
    late: false,
    rememberedMs: 300_000,
    health: 'healthy' as 'healthy' | 'unknown',
    suspected,
    questions,
    pauses,
    became,
    pass: (ms: number) => {
      now += ms;
    },
    /** A client asks for a blob: sent to the cache, by an id in the order of all redirects, or why it is not. */
    ask: async ({ layer: name = 'layer', ...request }: Request, cache = near): Promise<string> => {
      const ask: BlobAsk = {
        user: 'jane',
        client: '192.0.2.1',
        userAgent: 'docker/20.10',
        repository: 'acme/app' as RepositoryName,
        digest: layer(name),
        range: undefined,
        ...request,
      };
      const exclusion = await retries.assess(ask, cache);
      if (exclusion !== undefined) return exclusion;
      const id = `redirect-${sent.length}`;
      sent.push(id);
      retries.sent(ask, cache, id);
      return id;
    },
    /** The same, and what becomes of it at the cache. */
    pulled: async (request: Request, state: DeliveryState): Promise<string> => {
      const id = await world.ask(request);
      assert.match(id, /^redirect-/);
      became.set(id, state);
      return id;
    },
  };
  const retries = new Retries({
    askDeliveries: async (_cache, ids) => {
      questions.push([...ids]);
      if (world.silent) throw new Error('connect ECONNREFUSED');
      if (world.late) throw new DOMException('the operation was aborted', 'TimeoutError');
      const { rememberedMs } = world;
      return {
        deliveries: Object.fromEntries(ids.map((id) => [id, became.get(id) ?? 'unknown'])),
        rememberedMs,
      };
    },
    health: {
      stateOf: () => world.health,
      suspect: (id) => void suspected.push(id),
    },
    pause: async (ms) => {
      pauses.push(ms);
      now += ms;
    },
    clock: () => now,
    logger: keepingLogger().logger,
  });
  return world;
}

const isSent = (answer: string) => assert.match(answer, /^redirect-/);

describe('a blob that the same pull asks for again', () => {
  for (const [state, expected] of [
    ['completed', 'sent'],
    ['running', 'sent'],
    ['aborted', 'broke-off'],
    ['unknown', 'not-reached'],
  ] as const) {
    it(`whose first delivery is ${state}: ${expected}`, async () => {
      const world = start();
      await world.pulled({ pull: 'one' }, state);
      world.pass(5_000);
      const answer = await world.ask({ pull: 'one' });
      if (expected === 'sent') isSent(answer);
      else assert.equal(answer, expected);
    });
  }

  it('is not sent to a cache that does not answer', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'completed');
    world.silent = true;
    assert.equal(await world.ask({ pull: 'one' }), 'no-answer');
  });

  it('keeps the pull from that cache, for other blobs too, but not from another cache', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'aborted');
    assert.equal(await world.ask({ pull: 'one' }), 'broke-off');
    assert.equal(await world.ask({ pull: 'one', layer: 'other' }), 'broke-off');
    isSent(await world.ask({ pull: 'one' }, cacheNamed('next')));
    assert.equal(world.questions.length, 1);
  });

  it('that was sent to two caches in vain is sent to neither again', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'aborted');
    assert.equal(await world.ask({ pull: 'one' }), 'broke-off');
    const next = cacheNamed('next');
    isSent(await world.ask({ pull: 'one' }, next));
    world.pass(5_000);
    assert.equal(await world.ask({ pull: 'one' }), 'broke-off');
    assert.equal(await world.ask({ pull: 'one' }, next), 'not-reached');
  });

  it('at the same moment waits a little for the first to come to the cache', async () => {
    const world = start();
    const first = await world.ask({ pull: 'one' });
    const second = world.ask({ pull: 'one' });
    const third = world.ask({ pull: 'one' });
    world.became.set(first, 'running');
    isSent(await second);
    isSent(await third);
  });

  it('at the same moment, and the first never comes: another choice after less than a second', async () => {
    const world = start();
    await world.ask({ pull: 'one' });
    world.pass(5);
    assert.equal(await world.ask({ pull: 'one' }), 'not-reached');
    assert.deepEqual(world.pauses, [895]);
  });

  it('over and over by a client that gets it each time costs the cache few questions', async () => {
    const world = start();
    for (let round = 0; round < 100; round += 1) await world.pulled({ pull: 'one' }, 'completed');
    assert.ok(world.questions.length <= 1, `${world.questions.length} questions`);
  });
});

describe('the rest of a blob', () => {
  it('asked for by a client that wanted the whole is not sent again, whatever the cache says', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'running');
    assert.equal(await world.ask({ pull: 'one', range: 'bytes=2000000-' }), 'broke-off');
    assert.deepEqual(world.questions, []);
  });

  it('with its end, as regctl asks, neither', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'aborted');
    assert.equal(await world.ask({ pull: 'one', range: 'bytes=2000000-6002274' }), 'broke-off');
  });

  it('asked for with a new token neither', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'running');
    world.pass(290_000);
    assert.equal(await world.ask({ pull: 'two', range: 'bytes=2000000-' }), 'broke-off');
  });
});

describe('a client that fetches a blob in pieces, each by a request that it breaks off', () => {
  const pieces = Array.from({ length: 64 }, (_, n) => `bytes=${n * 1_000_000}-`);

  it('is sent to the cache for each of them, and the cache is asked nothing', async () => {
    const world = start();
    for (const range of pieces) {
      await world.pulled({ pull: 'one', range }, range === pieces.at(-1) ? 'completed' : 'aborted');
      world.pass(50);
    }
    assert.deepEqual(world.questions, []);
  });

  it('and its next pull, too', async () => {
    const world = start();
    for (const range of pieces) {
      await world.pulled({ pull: 'one', range }, range === pieces.at(-1) ? 'completed' : 'aborted');
      world.pass(50);
    }
    world.pass(5_000);
    for (const range of pieces) await world.pulled({ pull: 'two', range }, 'aborted');
  });

  it('is not sent again for a piece that it asks for again in vain', async () => {
    const world = start();
    await world.pulled({ pull: 'one', range: 'bytes=0-' }, 'unknown');
    world.pass(2_000);
    assert.equal(await world.ask({ pull: 'one', range: 'bytes=0-' }), 'not-reached');
  });

  it('and whose first piece is not remembered, is sent for the others', async () => {
    const world = start();
    for (const range of pieces.slice(10)) await world.pulled({ pull: 'one', range }, 'aborted');
    assert.deepEqual(world.questions, []);
  });

  it('of known length, as lazy snapshotters do, is sent for each of them', async () => {
    const world = start();
    for (const range of ['bytes=0-1', 'bytes=900-999', 'bytes=100-199', 'bytes=500-599']) {
      await world.pulled({ pull: 'one', range }, 'completed');
    }
    assert.deepEqual(world.questions, []);
  });
});

describe('a pull after one that failed at the cache', () => {
  for (const [state, expected] of [
    ['aborted', 'broke-off'],
    ['unknown', 'not-reached'],
  ] as const) {
    it(`with a delivery ${state} is not sent there, for no blob of it`, async () => {
      const world = start();
      await world.pulled({ pull: 'one', layer: 'small' }, 'completed');
      await world.pulled({ pull: 'one', layer: 'large' }, state);
      world.pass(1_000);
      assert.equal(await world.ask({ pull: 'two', layer: 'small' }), expected);
      assert.equal(await world.ask({ pull: 'two', layer: 'large' }), expected);
      assert.equal(await world.ask({ pull: 'two', layer: 'never asked for before' }), expected);
      assert.equal(world.questions.length, 1);
    });
  }

  it('and got its blob from another cache is not sent to the first either', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'aborted');
    assert.equal(await world.ask({ pull: 'one' }), 'broke-off');
    const next = cacheNamed('next');
    const second = await world.ask({ pull: 'one' }, next);
    world.became.set(second, 'completed');
    world.pass(60_000);
    assert.equal(await world.ask({ pull: 'two' }), 'broke-off');
    isSent(await world.ask({ pull: 'two' }, next));
  });

  it('is sent there when the one before went well, or still goes on', async () => {
    const world = start();
    await world.pulled({ pull: 'one', layer: 'small' }, 'completed');
    await world.pulled({ pull: 'one', layer: 'large' }, 'running');
    world.pass(1_000);
    isSent(await world.ask({ pull: 'two', layer: 'small' }));
    isSent(await world.ask({ pull: 'two', layer: 'large' }));
    assert.equal(world.questions.length, 1);
  });

  it('is sent there after five minutes: it may be well again', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'aborted');
    world.pass(301_000);
    isSent(await world.ask({ pull: 'two' }));
  });

  it('that did not reach it is not sent there for another image or with another client either', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'unknown');
    world.pass(1_000);
    assert.equal(await world.ask({ pull: 'two' }), 'not-reached');
    const other = { pull: 'three', layer: 'other', userAgent: 'podman', repository: 'a/b' as RepositoryName };
    assert.equal(await world.ask(other), 'not-reached');
    isSent(await world.ask({ ...other, pull: 'four', client: '192.0.2.2' }));
    isSent(await world.ask({ ...other, pull: 'five', user: 'joe' }));
    world.pass(181_000);
    isSent(await world.ask({ ...other, pull: 'six' }));
  });

  it('that broke off is sent there for another image', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'aborted');
    world.pass(1_000);
    isSent(await world.ask({ pull: 'two', layer: 'other', repository: 'a/b' as RepositoryName }));
  });

  it('is not kept away by pulls that were kept away', async () => {
    const world = start();
    await world.pulled({ pull: 'failed' }, 'aborted');
    for (let minute = 0; minute < 5; minute += 1) {
      world.pass(59_000);
      assert.equal(await world.ask({ pull: `at minute ${minute}` }), 'broke-off');
    }
    world.pass(10_000);
    isSent(await world.ask({ pull: 'later' }));
  });
});

describe('many machines of one user behind one address', () => {
  it('that begin in the same second are all sent, and the cache is asked nothing', async () => {
    const world = start();
    for (let machine = 0; machine < 50; machine += 1) {
      await world.ask({ pull: `${machine}` });
      await world.ask({ pull: `${machine}`, layer: 'other' });
      world.pass(10);
    }
    assert.deepEqual(world.questions, []);
  });

  it('that begin one after the other are all sent, with one question for each pull at most', async () => {
    const world = start();
    for (let machine = 0; machine < 50; machine += 1) {
      await world.pulled({ pull: `${machine}` }, 'running');
      await world.pulled({ pull: `${machine}`, layer: 'other' }, 'completed');
      world.pass(1_000);
    }
    assert.ok(world.questions.length < 50);
    assert.ok(world.questions.every((ids) => ids.length <= 100));
  });

  it('are sent although one of them was interrupted', async () => {
    const world = start();
    for (const machine of ['one', 'two', 'three']) await world.pulled({ pull: machine }, 'running');
    await world.pulled({ pull: 'interrupted' }, 'aborted');
    world.pass(2_000);
    isSent(await world.ask({ pull: 'five' }));
  });

  it('are sent although one of them cannot reach the cache, and that one is not', async () => {
    const world = start();
    for (const machine of ['one', 'two', 'three']) await world.pulled({ pull: machine }, 'running');
    await world.pulled({ pull: 'cut off' }, 'unknown');
    world.pass(2_000);
    assert.equal(await world.ask({ pull: 'cut off' }), 'not-reached');
    isSent(await world.ask({ pull: 'four' }));
    isSent(await world.ask({ pull: 'five', layer: 'other', repository: 'a/b' as RepositoryName }));
  });

  it('are not sent when none of them reaches it', async () => {
    const world = start();
    for (const machine of ['one', 'two', 'three']) await world.pulled({ pull: machine }, 'unknown');
    world.pass(2_000);
    assert.equal(await world.ask({ pull: 'four' }), 'not-reached');
    assert.equal(await world.ask({ pull: 'five' }), 'not-reached');
    assert.equal(world.questions.length, 1);
  });
});

describe('a cache that was started anew, or had too much to remember', () => {
  it('is not suspected for what it would not know any more', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'unknown');
    world.pass(60_000);
    world.rememberedMs = 59_000;
    isSent(await world.ask({ pull: 'one' }));
    isSent(await world.ask({ pull: 'two' }));
  });

  it('is, for what it would know', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'unknown');
    world.pass(60_000);
    world.rememberedMs = 61_000;
    assert.equal(await world.ask({ pull: 'two' }), 'not-reached');
  });
});

describe('a cache that is late to answer', () => {
  it('is kept from a pull that asks again, but from no other, when it is known to live', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'completed');
    world.late = true;
    world.pass(2_000);
    isSent(await world.ask({ pull: 'two' }));
    assert.equal(await world.ask({ pull: 'one' }), 'no-answer');
    isSent(await world.ask({ pull: 'three' }));
    assert.deepEqual(new Set(world.suspected), new Set(['near']));
  });

  it('is as one that does not answer when nothing is known of it', async () => {
    const world = start();
    await world.pulled({ pull: 'one' }, 'completed');
    world.late = true;
    world.health = 'unknown';
    world.pass(2_000);
    assert.equal(await world.ask({ pull: 'two' }), 'no-answer');
  });
});

it('a cache that does not answer is asked once in ten seconds, not by everybody', async () => {
  const world = start();
  for (let machine = 0; machine < 5; machine += 1) await world.ask({ pull: `${machine}` });
  world.pass(2_000);
  world.silent = true;
  for (let machine = 0; machine < 5; machine += 1) {
    assert.equal(await world.ask({ pull: `${machine}` }), 'no-answer');
  }
  assert.equal(world.questions.length, 1);
  world.pass(10_000);
  await world.ask({ pull: 'later' });
  assert.equal(world.questions.length, 2);
});
