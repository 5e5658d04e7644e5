import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { CacheClient } from '../../../src/origin/content-caches/cache-client.ts';
import { createContentCache } from '../../../src/origin/content-caches/content-caches.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import { claimJobs, listJobs } from '../../../src/origin/jobs/job-records.ts';
import { Jobs } from '../../../src/origin/jobs/jobs.ts';
import { submitJob } from '../../../src/origin/jobs/submit.ts';
import { SigningKeys } from '../../../src/origin/keys/signing-keys.ts';
import { issuer, originKeys, startFakeContentCache } from '../../setup/fake-content-cache.ts';
import { keepingLogger } from '../../setup/logger.ts';
import { eventually } from '../../setup/processes.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

/** Two origins on one database, and a cache that counts what it is told. */
async function startTwo() {
  const database = await openDatabase(await tempDirectory());
  const time = { now: Date.now() };
  const clock = () => time.now;
  const keys = await SigningKeys.load(database, clock);
  const policy = { privateNetworks: true };
  const client = new CacheClient({ keys: originKeys, issuer, ownCa: undefined, policy, clock });
  const cache = await startFakeContentCache();
  cache.answers.purge = () => ({ blobs: 1, bytes: 10, more: false });
  await createContentCache(database.queries, { name: 'near', host: cache.url }, clock());
  const { logger } = keepingLogger();
  const pauses = { tickMs: 10, stepMs: 10, failureMs: 10 };
  const origins = [1, 2].map(() => new Jobs({ database, client, keys, logger, clock, pauses }));
  after(async () => {
    for (const jobs of origins) await jobs.stop();
    await client.close();
    await database.close();
  });
  return {
    database,
    cache,
    time,
    origins,
    submit: () =>
      database.transaction((tx) =>
        submitJob(
          tx,
          { action: 'content-cache-purge', parameters: { everything: true } },
          { name: 'admin', now: time.now },
        ),
      ),
    allDone: async () => {
      const jobs = await listJobs(database.queries, {}, { start: 0, limit: 100 });
      return jobs.every(({ status }) => status === 'done');
    },
  };
}

it('several origins run each job once between them', async () => {
  const { cache, origins, submit, allDone } = await startTwo();
  for (let job = 0; job < 20; job += 1) await submit();
  for (const jobs of origins) jobs.start();
  await eventually('all are done', allDone);
  assert.equal(cache.commands.length, 20);
});

it('a job of an origin that was killed is gone on with when its lease is over', async () => {
  const { database, cache, time, origins, submit, allDone } = await startTwo();
  await submit();
  const lease = { worker: 'killed', now: time.now, until: time.now + 30_000, limit: 1 };
  assert.equal((await claimJobs(database.queries, lease)).length, 1);
  for (const jobs of origins) jobs.start();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(cache.commands.length, 0, 'not before');
  time.now += 30_000;
  await eventually('it is done', allDone);
  assert.equal(cache.commands.length, 1);
});
