import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NameResolution } from '../../../src/origin/content-caches/name-resolution.ts';
import type { Lookup } from '../../../src/origin/content-caches/permitted-addresses.ts';

type Answer = Parameters<Parameters<Lookup>[2]>;

/** A resolver whose answers a test gives by hand. */
function scripted(now = () => 0) {
  const asked: Parameters<Lookup>[2][] = [];
  const names = new NameResolution({ lookup: (_hostname, _options, callback) => asked.push(callback), now });
  const resolve = () =>
    new Promise<string>((done, fail) =>
      names.lookup('cache.example.com', { all: true }, (error, found) =>
        error === null ? done(found.map(({ address }) => address).join()) : fail(error),
      ),
    );
  return { asked, resolve };
}
const to = (address: string): Answer => [null, [{ address, family: 4 }]];
const failing = (code: string): Answer => [Object.assign(new Error(code), { code }), []];

describe('names of caches', () => {
  it('are asked for once however many wait, and again afterwards', async () => {
    const { asked, resolve } = scripted();
    const waiting = [resolve(), resolve(), resolve()];
    assert.equal(asked.length, 1);
    asked[0]?.(...to('203.0.113.7'));
    assert.deepEqual(await Promise.all(waiting), ['203.0.113.7', '203.0.113.7', '203.0.113.7']);
    const moved = resolve();
    asked[1]?.(...to('203.0.113.8'));
    assert.equal(await moved, '203.0.113.8');
  });

  it('resolve as before while the resolver cannot be reached, for an hour', async () => {
    let now = 0;
    const { asked, resolve } = scripted(() => now);
    const first = resolve();
    asked[0]?.(...to('203.0.113.7'));
    await first;
    const second = resolve();
    asked[1]?.(...failing('EAI_AGAIN'));
    assert.equal(await second, '203.0.113.7');
    now = 3_600_001;
    const third = resolve();
    asked[2]?.(...failing('EAI_AGAIN'));
    await assert.rejects(third, { code: 'EAI_AGAIN' });
  });

  it('resolve as before when the resolver does not answer in a second', async () => {
    const { asked, resolve } = scripted();
    const first = resolve();
    asked[0]?.(...to('203.0.113.7'));
    await first;
    assert.equal(await resolve(), '203.0.113.7');
  });

  it('are gone when the resolver says so', async () => {
    const { asked, resolve } = scripted();
    const first = resolve();
    asked[0]?.(...to('203.0.113.7'));
    await first;
    const second = resolve();
    asked[1]?.(...failing('ENOTFOUND'));
    await assert.rejects(second, { code: 'ENOTFOUND' });
  });
});
