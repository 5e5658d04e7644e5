import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startJobWorld } from '../../setup/jobs.ts';
import { pushImage } from '../../setup/origin.ts';
import { eventually } from '../../setup/processes.ts';

const { api, register, submit, read, ended } = await startJobWorld();
const jobs = '/api/v0/jobs';
const near = await register('near');
await pushImage(api.origin, 'admin/web', '1', [Buffer.alloc(1_000, 'x')]);
const image = { repository: 'admin/web', reference: '1' };

describe('a job', () => {
  it('has the shape of the original, and says who asked for it and where to look', async () => {
    const body = { action: 'content-cache-prefetch', parameters: image };
    const answer = await api.ask('POST', jobs, { body });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers.location, `${jobs}/${answer.body.id}`);
    const { id, status, workerID, scheduledAt, lastUpdated, deadline, ...rest } = answer.body;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(Date.parse(deadline) - Date.parse(scheduledAt), 3_600_000);
    assert.deepEqual([status, workerID, lastUpdated], ['waiting', '', scheduledAt]);
    assert.deepEqual(rest, {
      ...body,
      createdBy: 'admin',
      capacityMap: {},
      retriesLeft: 0,
      retriesTotal: 0,
      retryFromID: '',
      stopTimeout: '',
    });
    const over = await ended(answer.body);
    assert.equal(over.status, 'done');
  });

  it('writes down what happened, for who reads on', async () => {
    const job = await ended(await submit('prefetch', image));
    const { body: lines } = await api.ask('GET', `${jobs}/${job.id}/logs`);
    assert.deepEqual(
      lines.map(({ lineNum, data }: { lineNum: number; data: string }) => [
        lineNum,
        data.replace(/^\S+ /, ''),
      ]),
      [
        [1, 'begun at 1 content cache'],
        [2, 'near: done: 2 blobs, 1047 bytes'],
      ],
    );
    const rest = await api.ask('GET', `${jobs}/${job.id}/logs?offset=1&limit=5`);
    assert.deepEqual(rest.body, lines.slice(1));
  });

  it('is listed, the newest first, by what was asked for', async () => {
    const purge = await ended(await submit('purge', { everything: true }));
    const list = async (query: string) => {
      const answer = await api.ask('GET', `${jobs}?${query}`);
      assert.equal(answer.status, 200, answer.text);
      return answer.body.jobs.map(({ id }: { id: string }) => id);
    };
    const all = await list('');
    assert.equal(all[0], purge.id);
    assert.ok(all.length >= 3);
    assert.deepEqual(await list('action=content-cache-purge'), [purge.id]);
    assert.deepEqual(await list('running=true'), []);
    assert.deepEqual(await list('running=false'), all);
    assert.deepEqual(await list('start=1&limit=1'), [all[1]]);
    const { body } = await api.ask('GET', `${jobs}/${purge.id}`);
    assert.deepEqual(await list(`worker=${body.workerID}`), all);
    assert.deepEqual(await list('worker=nobody'), []);
  });

  it('that is canceled does nothing more, and stays to be seen', async () => {
    await near.stop();
    const job = await submit('purge', { everything: true });
    await eventually('it waits', async () => (await read(job.id)).results?.[0]?.status === 'waiting');
    assert.equal((await api.ask('POST', `${jobs}/${job.id}/cancel`)).status, 204);
    const canceled = await read(job.id);
    assert.deepEqual([canceled.status, canceled.results?.[0]?.status], ['canceled', 'canceled']);
    await near.start();
    assert.equal((await api.ask('POST', `${jobs}/${job.id}/cancel`)).status, 204, 'and again');
    const later = await ended(await submit('prefetch', image));
    assert.equal(later.status, 'done');
    assert.equal((await read(job.id)).status, 'canceled');
  });

  it('that is deleted is gone, running or not', async () => {
    await near.stop();
    const job = await submit('purge', { everything: true });
    await eventually('it waits', async () => (await read(job.id)).results?.[0]?.status === 'waiting');
    for (let time = 0; time < 2; time += 1) {
      assert.equal((await api.ask('DELETE', `${jobs}/${job.id}`)).status, 204);
    }
    assert.equal((await api.ask('GET', `${jobs}/${job.id}`)).code, 'NO_SUCH_JOB');
    assert.equal((await api.ask('GET', `${jobs}/${job.id}/logs`)).code, 'NO_SUCH_JOB');
    assert.equal((await api.ask('POST', `${jobs}/${job.id}/cancel`)).code, 'NO_SUCH_JOB');
    await near.start();
  });

  it('whose time is over fails with why it waited', async () => {
    await near.stop();
    const over = await ended(await submit('prefetch', image, { deadline: '1s' }));
    assert.equal(over.status, 'errored');
    assert.deepEqual(
      over.results?.map(({ status, message }) => [status, message]),
      [['errored', 'it refuses connections: is it running, and is the port right?']],
    );
    await near.start();
  });

  it('at a cache that is removed meanwhile ends there', async () => {
    const gone = await register('gone');
    await gone.stop();
    const job = await submit('prefetch', { ...image, contentCaches: [gone.id] });
    await eventually('it waits', async () => (await read(job.id)).results?.[0]?.status === 'waiting');
    await api.ask('DELETE', `/api/v0/content_caches/${gone.id}`);
    const over = await ended(job);
    assert.deepEqual(
      over.results?.map(({ name, status, message }) => [name, status, message]),
      [['gone', 'errored', 'it is not registered any more']],
    );
  });

  it('goes to caches that are switched off only if they are named', async () => {
    const off = await register('off');
    await api.ask('PATCH', `/api/v0/content_caches/${off.id}`, { body: { isEnabled: false } });
    const names = async (parameters: object) =>
      (await ended(await submit('prefetch', parameters))).results?.map(({ name }) => name);
    assert.deepEqual(await names(image), ['near']);
    assert.deepEqual(await names({ ...image, contentCaches: [off.id] }), ['off']);
  });

  it('is for admins, and leaves a trail', async () => {
    const body = { action: 'content-cache-purge', parameters: { everything: true } };
    for (const [method, path, sent] of [
      ['GET', jobs, undefined],
      ['POST', jobs, body],
      ['GET', `${jobs}/x`, undefined],
      ['GET', `${jobs}/x/logs`, undefined],
      ['POST', `${jobs}/x/cancel`, undefined],
      ['DELETE', `${jobs}/x`, undefined],
    ] as const) {
      assert.equal((await api.ask(method, path, { as: 'ann', body: sent })).status, 403, `${method} ${path}`);
    }
    const types = ['CREATE', 'CANCEL', 'DELETE'].map((type) =>
      api.look(`select count(*) from events where type = '${type}' and object_type = 'job'`),
    );
    assert.ok(
      types.every((count) => Number(count) >= 1),
      String(types),
    );
  });
});
