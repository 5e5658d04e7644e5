import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PieceBuffers } from '../../../src/shared/blob-store/piece-buffers.ts';

const kib = 1024;

it('pieces get smaller as readers come, and larger again as they go', () => {
  const buffers = new PieceBuffers(16 * 1024 * kib);
  const sizes: number[] = [];
  for (let readers = 1; readers <= 200; readers += 1) {
    buffers.enter();
    if ([1, 8, 9, 100, 200].includes(readers)) sizes.push(buffers.pieceBytes / kib);
  }
  assert.deepEqual(sizes, [1024, 1024, 512, 64, 32]);
  for (let readers = 199; readers >= 1; readers -= 1) buffers.leave();
  assert.equal(buffers.pieceBytes, 1024 * kib);
});

it('a buffer that was given back is used again, a short piece takes no more than it needs', () => {
  const buffers = new PieceBuffers();
  buffers.enter();
  const first = buffers.take(10 * 1024 * kib);
  assert.equal(first.byteLength, 1024 * kib);
  buffers.give(first);
  assert.equal(buffers.take(10 * 1024 * kib), first);
  assert.equal(buffers.take(70 * kib).byteLength, 70 * kib);
});

it('what is given back is kept up to a quarter of the capacity', () => {
  const buffers = new PieceBuffers(16 * 1024 * kib);
  buffers.enter();
  const taken = Array.from({ length: 10 }, () => buffers.take(10 * 1024 * kib));
  for (const buffer of taken) buffers.give(buffer);
  const again = Array.from({ length: 10 }, () => buffers.take(10 * 1024 * kib));
  assert.equal(again.filter((buffer) => taken.includes(buffer)).length, 4);
});
