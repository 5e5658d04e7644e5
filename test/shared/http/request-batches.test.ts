import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { nextBatch } from '../../../src/shared/http/request-batches.ts';

describe('a batch of requests', () => {
  it('goes on step by step: the first step of all, then the second of all', async () => {
    const steps: string[] = [];
    const handle = async (name: string) => {
      await nextBatch();
      for (const step of [1, 2, 3]) {
        steps.push(`${name}${step}`);
        await undefined;
      }
    };
    await Promise.all([handle('a'), handle('b'), handle('c')]);
    assert.deepEqual(steps, ['a1', 'b1', 'c1', 'a2', 'b2', 'c2', 'a3', 'b3', 'c3']);
  });

  it('begins when the event loop has read what there is, also for one alone', async () => {
    await nextTurn();
    let begun = false;
    nextBatch().then(() => {
      begun = true;
    });
    await undefined;
    assert.equal(begun, false);
    await nextTurn();
    assert.equal(begun, true);
  });

  it('waits for no more than 64 requests; the next ones are another batch', async () => {
    await nextTurn();
    let begun = 0;
    for (let request = 0; request < 70; request += 1)
      nextBatch().then(() => {
        begun += 1;
      });
    await undefined;
    assert.equal(begun, 64);
    await nextTurn();
    assert.equal(begun, 70);
  });

  it('is not held up by a request of it that fails', async () => {
    const failing = nextBatch().then(() => {
      throw new Error('bad');
    });
    const other = nextBatch().then(() => 'good');
    await assert.rejects(failing, { message: 'bad' });
    assert.equal(await other, 'good');
  });
});
