import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { openDatabase } from '../../../src/origin/database.ts';
import { appendLog, insertJob, listLog } from '../../../src/origin/jobs/job-records.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const noon = Date.UTC(2026, 10, 25, 12);

it('a log ends where it is as long as it may be, and says so', async () => {
  const database = await openDatabase(await tempDirectory());
  after(() => database.close());
  const id = '00000000-0000-4000-8000-000000000001';
  const job = {
    id,
    action: 'content-cache-purge',
    parameters: { everything: true },
    createdBy: 'admin',
  } as const;
  await insertJob(database.queries, { ...job, createdAt: noon, deadlineAt: noon }, undefined);
  await database.transaction(async (tx) => {
    for (let line = 1; line <= 1_002; line += 1) await appendLog(tx, id, noon, `line ${line}`);
  });
  assert.deepEqual(await listLog(database.queries, id, { offset: 998, limit: 10 }), [
    { lineNum: 999, data: '2026-11-25T12:00:00.000Z line 999' },
    { lineNum: 1_000, data: '2026-11-25T12:00:00.000Z the log ends here: it is as long as it may be' },
  ]);
});
