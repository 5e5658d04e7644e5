import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageLedger } from '../../src/cache/usage-ledger.ts';
import type { UsageRecord } from '../../src/shared/cache-command-bodies.ts';

const minute = 60_000;

/** Everything that is kept, in as many answers as it takes; nothing of it is acknowledged. */
function collectAll(ledger: UsageLedger): UsageRecord[] {
  const saved = new UsageLedger({ maximumRecords: 1_000_000, saved: ledger.save() });
  const all: UsageRecord[] = [];
  let kept: number | undefined;
  for (;;) {
    const { records, next, more } = saved.collect(kept);
    all.push(...records);
    kept = next;
    if (!more) return all;
  }
}

const bytes = (records: readonly UsageRecord[]) =>
  records.reduce((total, { bytesServed }) => total + bytesServed, 0);

/** One byte for each of some users of a repository, in a minute of its own. */
function serve(ledger: UsageLedger, at: number, users: readonly string[], repository = 'acme/app'): void {
  for (const user of users) ledger.countsOf({ repository, user, cache: 'c' }, at * minute).bytesServed += 1;
  ledger.closeMinute((at + 1) * minute);
}

describe('a ledger that nobody collects', () => {
  it('merges the oldest minutes of each user and repository, and loses no byte', () => {
    const ledger = new UsageLedger({ maximumRecords: 100 });
    for (let at = 0; at < 1000; at += 1) serve(ledger, at, ['alice', 'bob']);
    const records = collectAll(ledger);
    assert.ok(records.length <= 100);
    assert.equal(bytes(records), 2000);
    assert.deepEqual(new Set(records.map(({ user }) => user)), new Set(['alice', 'bob']));
    // What is merged has the minute in which it began; the latest are as they were.
    assert.equal(Math.min(...records.map((record) => record.minute)), 0);
    assert.equal(Math.max(...records.map((record) => record.minute)), 999 * minute);
    const numbers = records.map(({ sequence }) => sequence);
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((one, other) => one - other),
    );
  });

  it('merges users when minutes are not enough, and then repositories', () => {
    const ledger = new UsageLedger({ maximumRecords: 100 });
    for (let at = 0; at < 50; at += 1)
      serve(
        ledger,
        at,
        Array.from({ length: 40 }, (_, index) => `u${at}-${index}`),
      );
    assert.equal(bytes(collectAll(ledger)), 2000);
    assert.ok(collectAll(ledger).length <= 140);
    assert.ok(collectAll(ledger).some(({ user, repository }) => user === '*' && repository === 'acme/app'));
    for (let at = 50; at < 300; at += 1) serve(ledger, at, ['alice'], `acme/r${at}`);
    const records = collectAll(ledger);
    assert.equal(bytes(records), 2250);
    assert.ok(records.length <= 140);
    assert.ok(records.some(({ user, repository }) => user === '*' && repository === '*'));
  });

  it('counts together who comes last in a minute with very many', () => {
    const ledger = new UsageLedger({ maximumRecords: 100 });
    const users = Array.from({ length: 500 }, (_, index) => `user-${index}`);
    for (const user of users) ledger.countsOf({ repository: 'a/b', user, cache: 'c' }, 0).bytesServed += 1;
    for (const user of users) ledger.countsOf({ repository: 'a/b', user, cache: 'c' }, 1).bytesServed += 1;
    ledger.closeMinute(minute);
    const records = collectAll(ledger);
    assert.equal(bytes(records), 1000);
    assert.equal(records.find(({ user }) => user === '*')?.bytesServed, 800);
  });

  it('does not change what was told: the origin may have kept it', () => {
    const ledger = new UsageLedger({ maximumRecords: 10 });
    for (let at = 0; at < 8; at += 1) serve(ledger, at, ['alice']);
    const told = ledger.collect(undefined);
    assert.equal(told.records.length, 8);
    for (let at = 8; at < 100; at += 1) serve(ledger, at, ['alice']);
    const all = collectAll(ledger);
    assert.deepEqual(all.slice(0, 8), told.records);
    assert.equal(bytes(all), 100);
    assert.ok(all.length <= 18);
    // Kept now: the rest is what was not told.
    assert.equal(bytes(ledger.collect(told.next).records), 92);
  });
});

describe('an answer', () => {
  it('has at most 64 KiB, and says that there is more', () => {
    const ledger = new UsageLedger({ maximumRecords: 5_000 });
    serve(
      ledger,
      0,
      Array.from({ length: 3_000 }, (_, index) => `user-${index}`),
      'acme/'.padEnd(200, 'x'),
    );
    let collected = 0;
    let kept: number | undefined;
    for (;;) {
      const { records, next, more } = ledger.collect(kept);
      assert.ok(Buffer.byteLength(JSON.stringify(records)) < 64 * 1024);
      collected += bytes(records);
      kept = next;
      if (!more) break;
    }
    assert.equal(collected, 3_000);
    assert.deepEqual(ledger.collect(kept), { records: [], next: kept, more: false });
  });

  it('leaves out who was not served anything', () => {
    const ledger = new UsageLedger({ maximumRecords: 10 });
    ledger.countsOf({ repository: 'a/b', user: 'alice', cache: 'c' }, 0);
    ledger.closeMinute(minute);
    assert.deepEqual(ledger.collect(undefined).records, []);
  });

  it('has names that are not too long for who reads it', () => {
    const ledger = new UsageLedger({ maximumRecords: 10 });
    serve(ledger, 0, ['x'.repeat(5000)]);
    assert.equal(ledger.collect(undefined).records[0]?.user.length, 255);
  });
});

it('tells of a pull in a quiet minute at once, of busy minutes when they are over, and of nothing twice', () => {
  const ledger = new UsageLedger({ maximumRecords: 10 });
  let kept: number | undefined;
  /** A pull, and what an origin is told then. */
  const pullAt = (time: number) => {
    ledger.countsOf({ repository: 'a/b', user: 'alice', cache: 'c' }, time).bytesServed += 1;
    return tellAt(time);
  };
  const tellAt = (time: number) => {
    ledger.closeIfQuiet(time);
    const { records, next } = ledger.collect(kept);
    kept = next;
    return records.map((record) => [record.minute / minute, record.bytesServed]);
  };
  const second = 1_000;
  assert.deepEqual(pullAt(10 * minute), [[10, 1]]);
  assert.deepEqual(pullAt(10 * minute + 20 * second), [], 'once a minute');
  assert.deepEqual(pullAt(10 * minute + 30 * second), []);
  assert.deepEqual(pullAt(11 * minute), [[10, 2]]);
  assert.deepEqual(pullAt(11 * minute + 20 * second), []);
  assert.deepEqual(tellAt(12 * minute), [[11, 2]]);
  assert.deepEqual(tellAt(13 * minute), []);
  assert.deepEqual(pullAt(14 * minute), [[14, 1]], 'it was quiet for a while');
});

it('closes a minute when the clock goes back, too', () => {
  const ledger = new UsageLedger({ maximumRecords: 10 });
  ledger.countsOf({ repository: 'a/b', user: 'alice', cache: 'c' }, 5 * minute).bytesServed += 1;
  ledger.countsOf({ repository: 'a/b', user: 'alice', cache: 'c' }, 2 * minute).bytesServed += 1;
  ledger.closeMinute(3 * minute);
  assert.deepEqual(
    ledger.collect(undefined).records.map((record) => record.minute),
    [5 * minute, 2 * minute],
  );
});
