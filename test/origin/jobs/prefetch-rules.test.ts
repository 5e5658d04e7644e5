import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startJobWorld } from '../../setup/jobs.ts';
import { pushImage } from '../../setup/origin.ts';
import { eventually } from '../../setup/processes.ts';

const { api, register } = await startJobWorld();
const rules = '/api/v0/content_cache_prefetch_rules';
const [near, far] = [await register('near'), await register('far')];
let pushed = 0;

async function push(repository: string, tag: string) {
  pushed += 1;
  const { layers } = await pushImage(api.origin, repository, tag, [Buffer.alloc(1_000, `layer ${pushed} `)]);
  return layers;
}

/** What the jobs of rules are to do, in no order: they may be of the same moment. */
async function started(): Promise<Record<string, unknown>[]> {
  const { body } = await api.ask('GET', '/api/v0/jobs');
  return body.jobs
    .map(({ parameters }: { parameters: Record<string, unknown> }) => parameters)
    .sort((one: { reference: string }, other: { reference: string }) =>
      one.reference.localeCompare(other.reference),
    );
}

describe('a prefetch rule', () => {
  it('has each image that fits fetched when its tag is pushed, once, and no other', async () => {
    await push('admin/web', 'v0');
    const body = { repository: 'admin/*', tag: 'v*', contentCaches: [near.id], platforms: ['linux/amd64'] };
    const created = await api.ask('POST', rules, { body });
    assert.equal(created.status, 201, created.text);
    assert.deepEqual(created.body, { id: created.body.id, ...body, isEnabled: true });
    const layers = await push('admin/web', 'v1');
    await push('admin/web', 'latest');
    await push('ann/web', 'v1');
    await push('admin/other', 'v2');
    await eventually('both are there', async () => (await started()).length === 2);
    const common = { contentCaches: [near.id], platforms: ['linux/amd64'] };
    assert.deepEqual(await started(), [
      { repository: 'admin/web', reference: 'v1', ...common },
      { repository: 'admin/other', reference: 'v2', ...common },
    ]);
    await eventually('they are fetched', async () => (await near.stored(layers)).length === 1);
    assert.deepEqual(await far.stored(layers), []);
    // A second tag after them shows that nothing of before came again.
    await push('admin/web', 'v3');
    await eventually('the next one is there', async () => (await started()).length === 3);
    await api.origin.restart();
    await push('admin/web', 'v4');
    await eventually('and after a restart', async () => (await started()).length === 4);
    assert.equal((await api.ask('DELETE', `${rules}/${created.body.id}`)).status, 204);
  });

  it('is changed, read, listed and removed', async () => {
    const created = await api.ask('POST', rules, { body: { repository: 'acme/web' } });
    const { id } = created.body;
    const rule = { id, repository: 'acme/web', tag: '*', contentCaches: [], platforms: [], isEnabled: true };
    assert.deepEqual(created.body, rule);
    assert.equal(created.headers.location, `${rules}/${id}`);
    const read = await api.ask('GET', `${rules}/${id}`);
    assert.deepEqual(read.body, rule);
    assert.deepEqual((await api.ask('GET', rules)).body, [rule]);
    const headers = { 'If-Match': read.headers.etag as string };
    const body = { isEnabled: false, tag: '1.*' };
    const changed = await api.ask('PATCH', `${rules}/${id}`, { body, headers });
    assert.deepEqual(changed.body, { ...rule, ...body });
    assert.equal((await api.ask('PATCH', `${rules}/${id}`, { body, headers })).status, 412);
    for (let time = 0; time < 2; time += 1) {
      assert.equal((await api.ask('DELETE', `${rules}/${id}`)).status, 204);
    }
    assert.equal((await api.ask('GET', `${rules}/${id}`)).code, 'NO_SUCH_PREFETCH_RULE');
    assert.equal((await api.ask('PATCH', `${rules}/${id}`, { body })).code, 'NO_SUCH_PREFETCH_RULE');
  });

  const refused: [object, string][] = [
    [{ repository: 'web' }, 'repository'],
    [{ repository: 'acme/*/web' }, 'repository'],
    [{ repository: '*-*-*-*-*/x' }, 'repository'],
    [{ repository: 'acme/web', tag: 'a b' }, 'tag'],
    [{ repository: 'acme/web', contentCaches: ['none'] }, 'contentCaches'],
    [{ repository: 'acme/web', platforms: ['amd64'] }, 'platforms'],
  ];
  for (const [body, field] of refused) {
    it(`is refused as ${JSON.stringify(body)}`, async () => {
      const answer = await api.ask('POST', rules, { body });
      assert.equal(answer.status, 400);
      assert.equal(answer.body.errors[0].detail.field, field, answer.text);
    });
  }

  it('is for admins', async () => {
    for (const [method, path, body] of [
      ['GET', rules, undefined],
      ['POST', rules, { repository: 'ann/web' }],
      ['GET', `${rules}/x`, undefined],
      ['PATCH', `${rules}/x`, {}],
      ['DELETE', `${rules}/x`, undefined],
    ] as const) {
      assert.equal((await api.ask(method, path, { as: 'ann', body })).status, 403, `${method} ${path}`);
    }
  });
});
