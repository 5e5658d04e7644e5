import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Breakers } from '../../src/cache/breakers.ts';
import { UpstreamOrder } from '../../src/cache/upstream-order.ts';

function at(time: { now: number }, lastResorts: string[] = []): Breakers {
  return new Breakers({ lastResorts, now: () => time.now, random: () => 1 });
}

it('a hop that fails rests for longer each time, a minute at most', () => {
  const time = { now: 0 };
  const breakers = at(time);
  const pauses: number[] = [];
  for (let failure = 0; failure < 12; failure += 1) {
    breakers.failed('b');
    pauses.push(breakers.restMs('b'));
    assert.equal(breakers.begin('b'), false);
    time.now += breakers.restMs('b');
  }
  assert.deepEqual(pauses.slice(0, 5), [250, 500, 1000, 2000, 4000]);
  assert.equal(pauses.at(-1), 60_000);
  assert.equal(breakers.rests('a'), false);
});

it('after its rest one request asks it, and the others follow once that one succeeded', () => {
  const time = { now: 0 };
  const breakers = at(time);
  breakers.failed('b');
  time.now += 250;
  assert.equal(breakers.begin('b'), true);
  assert.equal(breakers.begin('b'), false);
  breakers.succeeded('b');
  assert.equal(breakers.begin('b'), true);
  assert.equal(breakers.begin('b'), true);
});

it('a request that asks after a rest and is never heard of again does not keep the others away for ever', () => {
  const time = { now: 0 };
  const breakers = at(time);
  breakers.failed('b');
  time.now += 250;
  assert.equal(breakers.begin('b'), true);
  time.now += 20_000;
  assert.equal(breakers.begin('b'), true);
});

it('the last resort rests five seconds at most, so that those who wait for it see it come back', () => {
  const time = { now: 0 };
  const breakers = at(time, ['origin']);
  for (let failure = 0; failure < 20; failure += 1) breakers.failed('origin');
  assert.equal(breakers.restMs('origin'), 5_000);
});

it('pauses differ from cache to cache, by up to a half', () => {
  const breakers = new Breakers({ now: () => 0, random: () => 0 });
  breakers.failed('b');
  assert.equal(breakers.restMs('b'), 125);
});

it('hosts that answer are asked in turn with even shares, those that rest after them, the origin last', () => {
  const order = new UpstreamOrder({ originHost: 'o', hosts: ['a', 'b', 'c'] });
  const first = (rests: (host: string) => boolean, rounds: number) => {
    const counts: Record<string, number> = {};
    for (let round = 0; round < rounds; round += 1) {
      const hops = order.next(rests);
      assert.equal(hops.at(-1), 'o');
      assert.equal(hops.length, 4);
      counts[hops[0] as string] = (counts[hops[0] as string] ?? 0) + 1;
    }
    return counts;
  };
  assert.deepEqual(
    first(() => false, 300),
    { a: 100, b: 100, c: 100 },
  );
  assert.deepEqual(
    first((host) => host === 'b', 300),
    { a: 150, c: 150 },
  );
  assert.deepEqual(
    new UpstreamOrder({ originHost: 'o', hosts: [] }).next(() => false),
    ['o'],
  );
});
