import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { startTestCache, type TestCache } from '../setup/cache.ts';
import { type Commander, commanderOf } from '../setup/cache-commands.ts';
import { answerWell, repository, startFakeOrigin } from '../setup/fake-origin.ts';
import { eventually } from '../setup/processes.ts';

const origin = await startFakeOrigin();
let ahead = 0;
const clock = () => Date.now() + ahead;

beforeEach(() => {
  origin.answer = answerWell;
  origin.blobRequests.length = 0;
});

async function start(options: { maxFills?: number } = {}): Promise<{ cache: TestCache; ask: Commander }> {
  const cache = await startTestCache({ origin: origin.url, cas: [origin.ca], clock, ...options });
  return { cache, ask: commanderOf(cache.url, origin, clock) };
}

/** As an origin asks for it: with a token of now. */
const blobOf = (digest: Digest, token = origin.token(digest, { now: clock() })) => ({
  repository,
  digest,
  size: origin.blobs.get(digest)?.byteLength ?? 0,
  token,
});

async function stateOf(ask: Commander, digest: Digest): Promise<string | undefined> {
  return (await ask.prefetch([blobOf(digest)]))[0]?.state;
}

/** Holds every answer of the origin back until it is let go; says for which blobs it was asked, in order. */
function holdBack(): { asked: Digest[]; release: (digest: Digest) => void; releaseAll: () => void } {
  const gates = new Map<Digest, PromiseWithResolvers<void>>();
  const asked: Digest[] = [];
  let open = false;
  origin.answer = async (request, response, bytes) => {
    const digest = digestOf(bytes);
    asked.push(digest);
    const gate = Promise.withResolvers<void>();
    gates.set(digest, gate);
    if (!open) await gate.promise;
    answerWell(request, response, bytes);
  };
  return {
    asked,
    release: (digest) => gates.get(digest)?.resolve(),
    releaseAll: () => {
      open = true;
      for (const gate of gates.values()) gate.resolve();
    },
  };
}

describe('a prefetched blob', () => {
  it('is fetched once, and then a hit; its bytes are charged to nobody', async () => {
    const { cache, ask } = await start();
    const bytes = randomBytes(100_000);
    const digest = origin.add(bytes);
    assert.match((await stateOf(ask, digest)) ?? '', /waiting|filling/);
    await eventually('it is stored', async () => (await stateOf(ask, digest)) === 'stored');
    assert.equal(origin.blobRequests.length, 1);
    const response = await fetch(cache.url + origin.signedPath(digest, { now: clock() }));
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes));
    assert.equal(origin.blobRequests.length, 1);
    await eventually('it is logged', () =>
      cache.logs.some(({ msg, cache: how }) => msg === 'pull' && how === 'hit'),
    );
    ahead += 60_000;
    const { records } = (await ask.status()).usage;
    const counted = records.map(({ user, cache: chosen, hits, misses, bytesServed, bytesFetched }) => {
      return { user, chosen, hits, misses, bytesServed, bytesFetched };
    });
    assert.deepEqual(
      counted.sort((one, other) => one.user.localeCompare(other.user)),
      [
        { user: '', chosen: 'cache-1', hits: 0, misses: 0, bytesServed: 0, bytesFetched: 100_000 },
        { user: 'alice', chosen: 'cache-1', hits: 1, misses: 0, bytesServed: 100_000, bytesFetched: 0 },
      ],
    );
  });

  it('that is stored already is said to be, and does not count as pulled', async () => {
    const { cache, ask } = await start();
    const digest = origin.add(randomBytes(10));
    await (await fetch(cache.url + origin.signedPath(digest, { now: clock() }))).arrayBuffer();
    const lastPull = async () => {
      // Which writes down what was pulled.
      await ask.status();
      const entries = new SqliteDatabase(join(cache.rootDirectory, 'entries.sqlite'), { readonly: true });
      try {
        return entries.prepare('SELECT last_pull FROM entries WHERE digest = ?').pluck().get(digest);
      } finally {
        entries.close();
      }
    };
    await eventually('it is stored', async () => (await lastPull()) !== undefined);
    const before = await lastPull();
    ahead += 5_000;
    assert.deepEqual(await ask.prefetch([blobOf(digest)]), [{ digest, state: 'stored' }]);
    assert.equal(await lastPull(), before);
    assert.equal(origin.blobRequests.length, 1);
  });

  it('says how far it is, however often it is asked for, and who pulls it joins', async () => {
    const { cache, ask } = await start();
    const bytes = randomBytes(1_000_000);
    const digest = origin.add(bytes);
    const rest = Promise.withResolvers<void>();
    origin.answer = async (_request, response) => {
      response.writeHead(200, { 'Content-Length': bytes.byteLength });
      response.write(bytes.subarray(0, 400_000));
      await rest.promise;
      response.end(bytes.subarray(400_000));
    };
    await eventually('half of it has come', async () => {
      const [progress] = await ask.prefetch([blobOf(digest)]);
      return progress?.state === 'filling' && progress.bytes === 400_000;
    });
    const pull = fetch(cache.url + origin.signedPath(digest, { now: clock() }));
    assert.equal((await pull).status, 200);
    rest.resolve();
    assert.ok(Buffer.from(await (await pull).arrayBuffer()).equals(bytes));
    await eventually('it is stored', async () => (await stateOf(ask, digest)) === 'stored');
    assert.equal(origin.blobRequests.length, 1);
  });
});

describe('a prefetch that fails', () => {
  it('says why, for half a minute; then it is tried again', async () => {
    const { ask } = await start();
    const digest = origin.add(randomBytes(10));
    origin.answer = (_request, response) => response.writeHead(403).end();
    await eventually('it fails', async () => (await stateOf(ask, digest)) === 'failed');
    const [progress] = await ask.prefetch([blobOf(digest)]);
    assert.ok(progress?.state === 'failed');
    assert.match(progress.reason, new RegExp(`^no upstream gave the blob: ${origin.url}: it answered 403`));
    const { length } = origin.blobRequests;
    origin.answer = answerWell;
    ahead += 29_000;
    assert.equal(await stateOf(ask, digest), 'failed');
    assert.equal(origin.blobRequests.length, length);
    ahead += 2_000;
    await eventually('it is stored', async () => (await stateOf(ask, digest)) === 'stored');
  });

  it('by its token is refused at once, and nobody is asked', async () => {
    const { ask } = await start();
    const other = await startFakeOrigin();
    const digest = origin.add(randomBytes(10));
    const another = origin.add(randomBytes(11));
    const tokens: [token: string, reason: RegExp][] = [
      ['a.b.c', /not a JSON Web Token/],
      [origin.token(another, { now: clock() }), /for another blob/],
      [origin.token(digest, { now: clock(), repository: 'library/other' }), /for another repository/],
      [origin.token(digest, { now: clock() - 700_000 }), /expired/],
      [other.token(digest, { now: clock() }), /signature/],
    ];
    for (const [token, reason] of tokens) {
      const [progress] = await ask.prefetch([blobOf(digest, token)]);
      assert.ok(progress?.state === 'failed');
      assert.match(progress.reason, reason);
    }
    assert.equal(origin.blobRequests.length, 0);
  });

  it('cannot be asked for in the name of another origin', async () => {
    const other = await startFakeOrigin();
    other.issuer = 'https://other.example';
    const cache = await startTestCache({
      origin: origin.url,
      cas: [origin.ca, other.ca],
      upstreams: [
        { originHost: origin.url, hosts: [] },
        { originHost: other.url, hosts: [] },
      ],
      clock,
    });
    const digest = origin.add(randomBytes(10));
    const [progress] = await commanderOf(cache.url, other, clock).prefetch([blobOf(digest)]);
    assert.ok(progress?.state === 'failed');
    assert.match(progress.reason, /of another origin/);
  });

  it('leaves the others alone', async () => {
    const { ask } = await start();
    const digests = [
      origin.add(randomBytes(10)),
      digestOf(Buffer.from('nowhere')),
      origin.add(randomBytes(11)),
    ];
    const blobs = digests.map((digest) => blobOf(digest));
    await eventually('all are at their end', async () =>
      (await ask.prefetch(blobs)).every(({ state }) => state === 'stored' || state === 'failed'),
    );
    const progress = await ask.prefetch(blobs);
    assert.deepEqual(
      progress.map(({ digest, state }) => [digest, state]),
      [
        [digests[0], 'stored'],
        [digests[1], 'failed'],
        [digests[2], 'stored'],
      ],
    );
  });
});

describe('many prefetches', () => {
  it('run four at a time, in the order in which they were asked for', async () => {
    const { ask } = await start();
    const digests = Array.from({ length: 10 }, () => origin.add(randomBytes(1000)));
    const { asked, release, releaseAll } = holdBack();
    await ask.prefetch(digests.map((digest) => blobOf(digest)));
    await eventually('four are asked for', () => asked.length === 4);
    assert.deepEqual(new Set(asked), new Set(digests.slice(0, 4)));
    const states = async () =>
      (await ask.prefetch(digests.map((digest) => blobOf(digest)))).map(({ state }) => state);
    assert.deepEqual(await states(), [...Array(4).fill('filling'), ...Array(6).fill('waiting')]);
    release(digests[2] as Digest);
    await eventually('the fifth is asked for', () => asked.length === 5);
    assert.equal(asked[4], digests[4]);
    releaseAll();
    await eventually('all are stored', async () => (await states()).every((state) => state === 'stored'));
    assert.equal(asked.length, 10);
  });

  it('wait behind the pulls that wait', async () => {
    const { cache, ask } = await start({ maxFills: 1 });
    const [first, second, pulled] = Array.from({ length: 3 }, () => origin.add(randomBytes(1000))) as [
      Digest,
      Digest,
      Digest,
    ];
    const { asked, release, releaseAll } = holdBack();
    await ask.prefetch([blobOf(first), blobOf(second)]);
    await eventually('the first is asked for', () => asked.length === 1);
    const pull = fetch(`${cache.url}${origin.signedPath(pulled, { now: clock() })}&request=pull`);
    await eventually('the pull waits', async () => (await ask.deliveries(['pull'])).pull === 'running');
    release(first);
    await eventually('the next is asked for', () => asked.length === 2);
    assert.equal(asked[1], pulled);
    releaseAll();
    assert.equal((await pull).status, 200);
    await eventually('the second is stored', async () => (await stateOf(ask, second)) === 'stored');
  });

  it('whose tokens expire before their turn wait for new ones', async () => {
    const { ask } = await start();
    const digests = Array.from({ length: 5 }, () => origin.add(randomBytes(1000)));
    const { asked, releaseAll } = holdBack();
    await ask.prefetch(digests.map((digest) => blobOf(digest)));
    await eventually('four are asked for', () => asked.length === 4);
    ahead += 700_000;
    releaseAll();
    await eventually('four are stored', async () => (await ask.status()).stored.blobs === 4);
    assert.equal(asked.length, 4, 'nobody is asked with a token that is of no use');
    const last = digests[4] as Digest;
    await eventually('it is stored', async () => (await stateOf(ask, last)) === 'stored');
  });
});
