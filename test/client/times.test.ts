import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseFuture, parsePast } from '../../src/client/times.ts';

const noon = () => Date.parse('2026-11-25T12:00:00Z');

it('a duration is from now on, or before now', () => {
  assert.equal(parseFuture('--expires', '90d', noon), '2027-02-23T12:00:00.000Z');
  assert.equal(parsePast('--after', '90m', noon), '2026-11-25T10:30:00.000Z');
});

it('a time says where it is, or is here', () => {
  assert.equal(parsePast('--after', '2026-11-25T09:30:00+01:00', noon), '2026-11-25T08:30:00.000Z');
  assert.equal(parsePast('--after', '2026-11-25', noon), new Date(2026, 10, 25).toISOString());
});

for (const wrong of ['', 'soon', '90', '-1d', '1y', '2026-13-01', '2026-11-25T99:00', '25.11.2026']) {
  it(`"${wrong}" is none`, () => {
    assert.throws(
      () => parsePast('--after', wrong, noon),
      /^Failure: --after: a duration such as 90d or 12h, or a time such as /,
    );
  });
}
