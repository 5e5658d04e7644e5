import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseByteRange } from '../../../src/shared/http/byte-range.ts';

const cases: [header: string | undefined, expected: ReturnType<typeof parseByteRange>][] = [
  [undefined, undefined],
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=10-', { start: 10, end: 99 }],
  ['bytes=10-20', { start: 10, end: 20 }],
  ['bytes=10-100', { start: 10, end: 99 }],
  ['bytes=0-999999', { start: 0, end: 99 }],
  ['bytes=-30', { start: 70, end: 99 }],
  ['bytes=-1000', { start: 0, end: 99 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=50-10', 'unsatisfiable'],
  ['bytes=0-1,5-6', undefined],
  ['bytes=-', undefined],
  ['bytes=a-b', undefined],
  ['lines=0-1', undefined],
];
for (const [header, expected] of cases) {
  it(`of 100 bytes, "${header}" means ${JSON.stringify(expected) ?? 'everything'}`, () =>
    assert.deepEqual(parseByteRange(header, 100), expected));
}

it('no range of an empty blob can be satisfied', () => {
  assert.equal(parseByteRange('bytes=0-', 0), 'unsatisfiable');
  assert.equal(parseByteRange('bytes=-5', 0), 'unsatisfiable');
});
