/** Garbage collection of a million blobs: how much memory, and how long it keeps a push waiting (threats P4). */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { openDatabase } from '../../src/origin/database.ts';
import { defaultPolicy, GarbageCollection } from '../../src/origin/images/garbage-collection.ts';
import { Removals } from '../../src/origin/images/removals.ts';
import { DirectoryBlobStore } from '../../src/shared/blob-store/directory.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const blobs = Number(process.env.DTR_GC_BLOBS ?? 1_000_000);
const unused = 2_000;

it(`marking ${blobs} blobs keeps no push waiting, and its memory does not grow with their number`, async (test) => {
  const directory = await tempDirectory();
  const database = await openDatabase(directory);
  const blobStore = new DirectoryBlobStore(directory);
  await blobStore.prepare();
  fill(join(directory, 'dtr.db'));
  const parts = { database, blobStore, clock: systemClock };
  const collection = new GarbageCollection({ ...parts, removals: new Removals(parts) });
  try {
    global.gc?.();
    const heapBefore = process.memoryUsage().heapUsed;
    let heapMost = 0;
    let running = true;
    const waits: number[] = [];
    // As a push does it: a short write, again and again, in the same process as the collection.
    const pushing = (async () => {
      for (let count = 0; running; count += 1) {
        const startedAt = performance.now();
        await database.transaction((tx) =>
          tx('blobs').where('digest', digestAt(count)).update({ last_used_at: systemClock() }),
        );
        waits.push(performance.now() - startedAt);
        heapMost = Math.max(heapMost, process.memoryUsage().heapUsed);
        await delay(5);
      }
    })();
    const startedAt = performance.now();
    const preview = await collection.preview(defaultPolicy);
    const previewed = performance.now();
    const report = await collection.collect(defaultPolicy);
    const collected = performance.now();
    running = false;
    await pushing;

    waits.sort((one, other) => one - other);
    const at = (fraction: number) => (waits[Math.floor((waits.length - 1) * fraction)] as number).toFixed(1);
    test.diagnostic(
      `dry run ${((previewed - startedAt) / 1000).toFixed(1)} s, collection ${((collected - previewed) / 1000).toFixed(1)} s`,
    );
    test.diagnostic(
      `${waits.length} pushes waited: median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`,
    );
    const grownMiB = (heapMost - heapBefore) / 1024 / 1024;
    test.diagnostic(`the heap grew by ${grownMiB.toFixed(0)} MiB at most`);
    assert.equal(preview.blobs, unused);
    assert.equal(report?.blobs, unused);
    assert.ok(Number(at(0.99)) < 50, `p99 is ${at(0.99)} ms`);
    assert.ok(grownMiB < 100, `the heap grew by ${grownMiB} MiB`);
  } finally {
    await database.close();
  }
});

function digestAt(index: number): string {
  return `sha256:${index.toString(16).padStart(64, '0')}`;
}

/** A hundred repositories, ten blobs a manifest, and some blobs at the end that no manifest names. */
function fill(path: string): void {
  const db = new BetterSqlite3(path);
  db.pragma('synchronous = OFF');
  const columns = (table: string) =>
    db.pragma(`table_info(${table})`) as { name: string; type: string; notnull: number }[];
  /** A value for each column that must have one. */
  const insert = (table: string, given: Record<string, string>, count: number, step = 1) => {
    const needed = columns(table)
      .filter(({ name, notnull }) => name in given || notnull === 1)
      .map(({ name, type }) => [name, given[name] ?? (/int|bool/i.test(type) ? '1' : "'x'")] as const);
    db.exec(`WITH RECURSIVE series(i) AS (SELECT 0 UNION ALL SELECT i + ${step} FROM series WHERE i + ${step} < ${count})
      INSERT INTO ${table} (${needed.map(([name]) => name).join(', ')})
      SELECT ${needed.map(([, value]) => value).join(', ')} FROM series`);
  };
  const digest = "printf('sha256:%064x', i)";
  const repository = "printf('r%d', (i / 10) % 100)";
  db.exec('BEGIN');
  insert('accounts', { id: "'a'", name: "'many'" }, 1);
  insert('repositories', { id: "printf('r%d', i)", namespace_id: "'a'", name: "printf('many/r%d', i)" }, 100);
  insert('blobs', { digest, size_bytes: '1' }, blobs);
  insert('repository_blobs', { repository_id: repository, digest }, blobs);
  insert('manifests', { repository_id: repository, digest, media_type: "'x'", bytes: "x'7b7d'" }, blobs, 10);
  insert(
    'manifest_references',
    {
      repository_id: repository,
      manifest_digest: "printf('sha256:%064x', i / 10 * 10)",
      digest,
      kind: "'blob'",
    },
    blobs - unused,
  );
  db.exec('COMMIT');
  // On the disk now: else the first write that is measured would wait for all of it.
  db.pragma('synchronous = FULL');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}
