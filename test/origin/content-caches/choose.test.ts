import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseContentCache } from '../../../src/origin/content-caches/choose.ts';

const cache = { id: 'c1', name: 'region-us', host: 'http://203.0.113.7:5000' };

describe('the choice of the content cache', () => {
  for (const [who, facts, choice] of [
    ['a user who chose one', { anonymous: false, chosen: cache }, { cache, because: 'user-setting' }],
    [
      'a user who chose none',
      { anonymous: false, chosen: undefined },
      { cache: undefined, because: 'no-user-setting' },
    ],
    ['nobody', { anonymous: true, chosen: undefined }, { cache: undefined, because: 'anonymous' }],
    [
      'nobody, whatever was found',
      { anonymous: true, chosen: cache },
      { cache: undefined, because: 'anonymous' },
    ],
  ] as const) {
    it(`for ${who} is ${choice.cache?.name ?? 'the origin'}, because ${choice.because}`, () => {
      assert.deepEqual(chooseContentCache(facts), choice);
    });
  }
});
