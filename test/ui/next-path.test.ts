import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextPath } from '../../src/ui/session/next-path.ts';

const origin = 'https://dtr.example.com';

describe('where one goes after signing in (B14)', () => {
  const table: [next: string, goesTo: string][] = [
    ['/repositories', '/repositories'],
    ['/repositories?query=web&start=a', '/repositories?query=web&start=a'],
    ['/users/jane/settings#cache', '/users/jane/settings#cache'],
    ['/a/../admin', '/admin'],
    ['', '/'],
    ['//evil.example', '/'],
    ['///evil.example', '/'],
    ['/\\evil.example', '/'],
    ['\\\\evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['/\n/evil.example', '/'],
    ['\t//evil.example', '/'],
    ['https:evil.example', '/'],
    ['https://evil.example/', '/'],
    ['https://dtr.example.com.evil.example/', '/'],
    ['javascript:alert(1)', '/'],
    ['data:text/html,hi', '/'],
    ['evil.example', '/'],
    ['/..//evil.example', '/'],
  ];
  for (const [next, goesTo] of table) {
    it(`${JSON.stringify(next)} → ${goesTo}`, () => {
      assert.equal(nextPath(`?next=${encodeURIComponent(next)}`, origin), goesTo);
    });
  }

  it('nothing said → /', () => assert.equal(nextPath('', origin), '/'));
});
