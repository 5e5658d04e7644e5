/** What a push and a pull leave behind: a repository, tags that do not move, counts, lines in the trail. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openDatabaseBeside } from '../../../src/origin/database.ts';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { imageMediaType, pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
for (const name of ['jane', 'eve'])
  await origin.api('POST', '/accounts', { name, password: `${name}-password` });
const database = await openDatabaseBeside(origin.dataDirectory);
after(() => database.close());
const jane = 'jane:jane-password';

const put = async (repository: string, reference: string, body: string, token?: string) =>
  origin.registry('PUT', `/v2/${repository}/manifests/${reference}`, {
    body,
    headers: { 'Content-Type': imageMediaType },
    ...(token === undefined ? {} : { token }),
  });
const errorOf = async (answer: Response) => {
  const { errors } = (await answer.json()) as { errors: { code: string; message: string }[] };
  return { status: answer.status, ...(errors[0] as { code: string; message: string }) };
};
const repositoryOf = async (name: string) => {
  const { pulls, pushes } = (await (await origin.api('GET', `/repositories/${name}`)).json()) as {
    pulls: number;
    pushes: number;
  };
  return { pulls, pushes };
};

describe('immutable tags', async () => {
  const repository = 'jane/fixed';
  const first = await pushImage(origin, repository, '1', [Buffer.from('first')]);
  const other = await pushImage(origin, repository, 'other', [Buffer.from('other')]);
  await origin.api('PATCH', `/repositories/${repository}`, { immutableTags: true });

  it('are not moved, by whichever way, and the refusal says what to do', async () => {
    const refused = await errorOf(await put(repository, '1', other.manifest));
    assert.deepEqual([refused.status, refused.code], [409, 'TAG_INVALID']);
    assert.match(refused.message, /the tag 1 of jane\/fixed is there already .* push under another tag/);
    const byDigest = await put(repository, `${other.digest}?tag=new&tag=1`, other.manifest);
    assert.equal((await errorOf(byDigest)).code, 'TAG_INVALID');
    const pulled = await origin.registry('HEAD', `/v2/${repository}/manifests/1`);
    assert.equal(pulled.headers.get('docker-content-digest'), first.digest);
    assert.equal((await origin.registry('HEAD', `/v2/${repository}/manifests/new`)).status, 404);
  });

  it('take the same image again, and other tags', async () => {
    assert.equal((await put(repository, '1', first.manifest)).status, 201);
    assert.equal((await put(repository, `${first.digest}?tag=1&tag=3`, first.manifest)).status, 201);
    assert.equal((await put(repository, '2', other.manifest)).status, 201);
  });

  it('can be deleted, and pushed again then', async () => {
    assert.equal((await origin.registry('DELETE', `/v2/${repository}/manifests/1`)).status, 202);
    assert.equal((await put(repository, '1', other.manifest)).status, 201);
  });

  it('move again when they are no longer immutable', async () => {
    await origin.api('PATCH', `/repositories/${repository}`, { immutableTags: false });
    assert.equal((await put(repository, '1', first.manifest)).status, 201);
  });
});

describe('a push to a repository that does not exist', () => {
  const begin = async (repository: string, token: string) =>
    origin.registry('POST', `/v2/${repository}/blobs/uploads/`, { token });
  const tokenOf = (repository: string) =>
    origin.token('jane', 'jane-password', `repository:${repository}:pull,push`);
  const allow = (createRepositoryOnPush: boolean | null) =>
    origin.api('PATCH', '/accounts/jane/settings', { createRepositoryOnPush }, jane);
  const system = async (value: boolean) => {
    await database
      .queries('system_settings')
      .insert({ key: 'createRepositoryOnPush', value: JSON.stringify(value) })
      .onConflict('key')
      .merge();
  };

  it('creates it, private, where the namespace allows that, else the system', async () => {
    const cases: [own: boolean | null, system: boolean, status: number][] = [
      [null, true, 202],
      [null, false, 401],
      [true, false, 202],
      [false, true, 401],
    ];
    for (const [index, [own, everywhere, expected]] of cases.entries()) {
      assert.equal((await allow(own)).status, 200);
      await system(everywhere);
      const repository = `jane/new-${index}`;
      const answer = await begin(repository, await tokenOf(repository));
      assert.equal(answer.status, expected, `${own} ${everywhere}`);
      const made = await origin.api('GET', `/repositories/${repository}`);
      assert.equal(made.status, expected === 202 ? 200 : 404);
      if (expected === 202)
        assert.equal(((await made.json()) as { visibility: string }).visibility, 'private');
    }
  });

  it('looks like one to a repository of somebody else where it is not allowed', async () => {
    await allow(false);
    const ask = async (repository: string) => {
      const answer = await begin(repository, await tokenOf(repository));
      const challenge = answer.headers.get('www-authenticate')?.replaceAll(repository, '<name>');
      return [answer.status, challenge, await answer.text()];
    };
    assert.deepEqual(await ask('jane/unknown'), await ask('eve/app'));
  });

  it('is refused when it is no longer allowed, also to who holds a token from before', async () => {
    await allow(true);
    const token = await tokenOf('jane/late');
    await allow(false);
    assert.equal((await errorOf(await begin('jane/late', token))).code, 'NAME_UNKNOWN');
    assert.equal((await origin.api('GET', '/repositories/jane/late')).status, 404);
    await allow(null);
    await system(true);
  });
});

it('the trail tells who pushed and deleted what, and which repository a push created', async () => {
  const { digest, manifest } = await pushImage(origin, 'jane/told', '1', [Buffer.from('layer')]);
  const token = await origin.token('jane', 'jane-password', 'repository:jane/told:*');
  await put('jane/told', digest, manifest, token);
  await origin.registry('DELETE', '/v2/jane/told/manifests/1', { token });
  await origin.registry('DELETE', `/v2/jane/told/manifests/${digest}`, { token });
  await origin.registry('DELETE', `/v2/jane/told/manifests/${digest}`, { token });
  const events = await database
    .queries('events')
    .whereLike('object_name', 'jane/told%')
    .orderBy('id')
    .select('type', 'object_type', 'object_name', 'target_name', 'actor_name', 'actor_id', 'door', 'client');
  const [{ id: janeId }] = await database.queries('accounts').where({ name: 'jane' }).select('id');
  const [{ id: adminId }] = await database.queries('accounts').where({ name: 'admin' }).select('id');
  const by = (name: string, id: string) => ({
    actor_name: name,
    actor_id: id,
    door: 'registry',
    client: '127.0.0.1',
  });
  const [admin, owner] = [by('admin', adminId), by('jane', janeId)];
  const manifestEvent = {
    object_type: 'manifest',
    object_name: `jane/told@${digest}`,
    target_name: 'jane/told',
  };
  const tagEvent = { object_type: 'tag', object_name: 'jane/told:1', target_name: 'jane/told' };
  assert.deepEqual(events, [
    { type: 'CREATE', object_type: 'repository', object_name: 'jane/told', target_name: null, ...admin },
    { type: 'PUSH', ...tagEvent, ...admin },
    { type: 'PUSH', ...manifestEvent, ...owner },
    { type: 'DELETE', ...tagEvent, ...owner },
    { type: 'DELETE', ...manifestEvent, ...owner },
  ]);
});

it('an upload whose repository is deleted meanwhile is unknown, and its blob goes nowhere', async () => {
  await pushImage(origin, 'jane/race', '1', [Buffer.from('layer')]);
  const token = await origin.token('jane', 'jane-password', 'repository:jane/race:pull,push');
  const begun = await origin.registry('POST', '/v2/jane/race/blobs/uploads/', { token });
  const session = begun.headers.get('location') as string;
  let push: (chunk: Uint8Array) => void = () => {};
  let end = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      push = (chunk) => controller.enqueue(chunk);
      end = () => controller.close();
    },
  });
  const url = `${origin.url}${session}?digest=${digestOf(Buffer.from('late'))}`;
  const finished = fetch(url, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${token}` },
    body,
    duplex: 'half',
  } as RequestInit);
  push(Buffer.from('late'));
  // Until the session is being written to.
  for (let size = 0; size < 4; ) {
    const at = await origin.registry('GET', session, { token });
    size = Number(/0-(\d+)/.exec(at.headers.get('range') ?? '')?.[1] ?? -1) + 1;
  }
  assert.equal((await origin.api('DELETE', '/repositories/jane/race')).status, 204);
  end();
  assert.equal((await errorOf(await finished)).code, 'BLOB_UPLOAD_UNKNOWN');
});

describe('pulls and pushes are counted', () => {
  it('a manifest given whole is a pull, one taken is a push; looking is neither', async () => {
    const repository = 'jane/counted';
    const { digest, manifest } = await pushImage(origin, repository, '1', [Buffer.from('layer')]);
    await put(repository, '2', manifest);
    assert.deepEqual(await repositoryOf(repository), { pulls: 0, pushes: 2 });
    const get = (reference: string, headers: Record<string, string> = {}, method = 'GET') =>
      origin.registry(method, `/v2/${repository}/manifests/${reference}`, { headers });
    for (const reference of ['1', '2', digest]) assert.equal((await get(reference)).status, 200);
    assert.equal((await get('1', {}, 'HEAD')).status, 200);
    assert.equal((await get('1', { 'If-None-Match': `"${digest}"` })).status, 304);
    assert.equal((await get('none')).status, 404);
    await (await origin.registry('GET', `/v2/${repository}/tags/list`)).arrayBuffer();
    // What was counted is written at the end, if not before.
    await origin.restart();
    assert.deepEqual(await repositoryOf(repository), { pulls: 3, pushes: 2 });
  });
});
