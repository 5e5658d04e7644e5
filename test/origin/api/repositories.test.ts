import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { openDatabaseBeside } from '../../../src/origin/database.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
for (const name of ['jane', 'eve', 'reader', 'writer'])
  await origin.api('POST', '/accounts', { name, password: `${name}-password` });
await origin.api('POST', '/accounts', { name: 'acme', isOrg: true });
await pushImage(origin, 'jane/app', '1', [Buffer.from('layer')]);
const [jane, eve, reader, writer] = ['jane', 'eve', 'reader', 'writer'].map(
  (name) => `${name}:${name}-password`,
) as [string, string, string, string];
const database = await openDatabaseBeside(origin.dataDirectory);
after(() => database.close());

type Json = Record<string, unknown>;
const json = async (answer: Response) => (await answer.json()) as Json;
const codeOf = async (answer: Response) =>
  `${answer.status} ${((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code}`;

async function anonymousPull(): Promise<number> {
  const token = await origin.token(undefined, '', 'repository:jane/app:pull');
  return (await origin.registry('GET', '/v2/jane/app/manifests/1', { token })).status;
}

/** Gives a user access to a repository. */
async function give(user: string, repository: string, level: string): Promise<void> {
  const answer = await origin.api('PUT', `/repositories/${repository}/userAccess/${user}`, {
    accessLevel: level,
  });
  assert.equal(answer.status, 200);
}

describe('a repository', () => {
  it('is private until its owner makes it public, and then anybody pulls from it', async () => {
    const before = await origin.api('GET', '/repositories/jane/app', undefined, jane);
    const { id, ...repository } = await json(before);
    assert.match(String(id), /^[0-9a-f-]{36}$/);
    assert.deepEqual(repository, {
      namespace: 'jane',
      namespaceType: 'user',
      name: 'app',
      visibility: 'private',
      shortDescription: '',
      longDescription: '',
      immutableTags: false,
      redirect: true,
      scanOnPush: false,
      enableManifestLists: true,
      tagLimit: 0,
      pulls: 0,
      pushes: 1,
    });
    assert.equal(await anonymousPull(), 401);
    const changed = await origin.api('PATCH', '/repositories/jane/app', { visibility: 'public' }, jane);
    assert.equal(changed.status, 200);
    assert.equal((await json(changed)).visibility, 'public');
    assert.equal(await anonymousPull(), 200);
    assert.equal((await origin.api('GET', '/repositories/jane/app', undefined, eve)).status, 200);
    assert.equal(
      (await origin.api('PATCH', '/repositories/jane/app', { visibility: 'private' }, eve)).status,
      403,
    );
    assert.equal(
      (await origin.api('PATCH', '/repositories/jane/app', { visibility: 'private' })).status,
      200,
    );
    assert.equal(await anonymousPull(), 401);
  });

  it('is created by who has admin access to the namespace, with the fields of old scripts', async () => {
    const body = {
      name: 'created',
      shortDescription: 'What it is',
      longDescription: '# More',
      visibility: 'public',
      scanOnPush: true,
      immutableTags: true,
      enableManifestLists: false,
    };
    const created = await origin.api('POST', '/repositories/jane', body, jane);
    assert.equal(created.status, 201);
    assert.equal(created.headers.get('location'), '/api/v0/repositories/jane/created');
    const { id, ...repository } = await json(created);
    assert.deepEqual(repository, {
      namespace: 'jane',
      namespaceType: 'user',
      name: 'created',
      shortDescription: 'What it is',
      longDescription: '# More',
      visibility: 'public',
      immutableTags: true,
      redirect: true,
      scanOnPush: false,
      enableManifestLists: true,
      tagLimit: 0,
      pulls: 0,
      pushes: 0,
    });
    const read = await origin.api('GET', '/repositories/jane/created', undefined, eve);
    assert.deepEqual(await json(read), { id, ...repository });
    assert.equal(
      await codeOf(await origin.api('POST', '/repositories/jane', body, jane)),
      '400 REPOSITORY_EXISTS',
    );
    const others: [string, Json, string, string][] = [
      ['/repositories/jane', { name: 'other' }, eve, '403 NOT_AUTHORIZED'],
      ['/repositories/acme', { name: 'other' }, eve, '403 NOT_AUTHORIZED'],
      // Who may not is told so before their request is looked at.
      ['/repositories/acme', { name: 'NO NAME' }, eve, '403 NOT_AUTHORIZED'],
      ['/repositories/none', { name: 'other' }, eve, '404 NO_SUCH_ACCOUNT'],
      ['/repositories/jane', { name: 'NO NAME' }, jane, '400 INVALID_PARAMETERS'],
      ['/repositories/jane', { name: 'a/b' }, jane, '400 INVALID_PARAMETERS'],
      ['/repositories/jane', {}, jane, '400 INVALID_PARAMETERS'],
    ];
    for (const [path, wanted, user, expected] of others) {
      assert.equal(await codeOf(await origin.api('POST', path, wanted, user)), expected, path);
    }
  });

  it('has a name of at most 255 characters together with its namespace', async () => {
    const namespace = 'n'.repeat(128);
    await origin.api('POST', '/accounts', { name: namespace, isOrg: true });
    const create = (length: number) =>
      origin.api('POST', `/repositories/${namespace}`, { name: 'r'.repeat(length) });
    assert.equal(await codeOf(await create(127)), '400 INVALID_PARAMETERS');
    assert.equal((await create(126)).status, 201);
  });

  it('keeps what a change leaves out', async () => {
    const path = '/repositories/jane/app';
    await origin.api('PATCH', path, { shortDescription: 'The shop', longDescription: 'Long' }, jane);
    const changed = await json(await origin.api('PATCH', path, { immutableTags: true }, jane));
    const { shortDescription, longDescription, immutableTags, visibility } = changed;
    assert.deepEqual(
      { shortDescription, longDescription, immutableTags, visibility },
      { shortDescription: 'The shop', longDescription: 'Long', immutableTags: true, visibility: 'private' },
    );
    await origin.api('PATCH', path, { immutableTags: false }, jane);
  });

  it('refuses another visibility with the code of the original, naming the field', async () => {
    const refused = await origin.api('PATCH', '/repositories/jane/app', { visibility: 'secret' }, jane);
    assert.equal(refused.status, 400);
    const { errors } = (await refused.json()) as { errors: { code: string; detail: unknown }[] };
    assert.equal(errors[0]?.code, 'INVALID_REPOSITORY_VISIBILITY');
    assert.deepEqual(errors[0]?.detail, { field: 'visibility' });
  });

  it('is not changed by who read an older state of it, however often it was pulled from since', async () => {
    const headers = (tag: string | null) => ({
      Authorization: `Basic ${Buffer.from(jane).toString('base64')}`,
      'Content-Type': 'application/json',
      'If-Match': tag ?? '',
    });
    const send = (method: string, tag: string | null, body?: Json) =>
      fetch(`${origin.url}/api/v0/repositories/jane/app`, {
        method,
        headers: headers(tag),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const read = await origin.api('GET', '/repositories/jane/app', undefined, jane);
    const first = read.headers.get('etag');
    await pushImage(origin, 'jane/app', '1', [Buffer.from('layer')]);
    const changed = await send('PATCH', first, { shortDescription: 'Newer' });
    assert.equal(changed.status, 200);
    assert.notEqual(changed.headers.get('etag'), first);
    for (const [method, body] of [
      ['PATCH', { shortDescription: 'Lost' }],
      ['DELETE', undefined],
    ] as const) {
      assert.equal(await codeOf(await send(method, first, body)), '412 PRECONDITION_FAILED', method);
    }
    const { shortDescription } = await json(
      await origin.api('GET', '/repositories/jane/app', undefined, jane),
    );
    assert.equal(shortDescription, 'Newer');
  });

  it('is deleted with everything in it, and it is no error when it does not exist', async () => {
    await pushImage(origin, 'jane/gone', '1', [Buffer.from('layer')]);
    const remove = (user: string) => origin.api('DELETE', '/repositories/jane/gone', undefined, user);
    assert.equal((await remove(eve)).status, 204, 'who may not see it is told nothing');
    assert.equal((await origin.api('GET', '/repositories/jane/gone', undefined, jane)).status, 200);
    await give('writer', 'jane/gone', 'read-write');
    assert.equal((await remove(writer)).status, 403);
    assert.equal((await remove(jane)).status, 204);
    assert.equal((await remove(jane)).status, 204);
    assert.equal((await origin.api('GET', '/repositories/jane/gone', undefined, jane)).status, 404);
    for (const table of ['manifests', 'tags', 'repository_blobs']) {
      const orphans = await database
        .queries(table)
        .whereNotIn('repository_id', database.queries('repositories').select('id'));
      assert.deepEqual(orphans, [], table);
    }
  });

  it('made anew under the name of a deleted one does not open to tokens given before', async () => {
    const manifest = (tag: string) => `/v2/jane/again/manifests/${tag}`;
    await pushImage(origin, 'jane/again', '1', [Buffer.from('layer')]);
    await origin.api('PATCH', '/repositories/jane/again', { visibility: 'public' }, jane);
    const before = await origin.token('eve', 'eve-password', 'repository:jane/again:pull');
    assert.equal((await origin.registry('GET', manifest('1'), { token: before })).status, 200);
    await origin.api('DELETE', '/repositories/jane/again', undefined, jane);
    assert.equal((await origin.registry('GET', manifest('1'), { token: before })).status, 401);
    // Not with `pushImage`, whose token is of the time before, too.
    await origin.api('POST', '/repositories/jane', { name: 'again', visibility: 'public' }, jane);
    assert.equal((await origin.registry('GET', manifest('1'), { token: before })).status, 401);
    const anew = await origin.token('eve', 'eve-password', 'repository:jane/again:pull');
    assert.equal((await origin.registry('GET', manifest('1'), { token: anew })).status, 404);
  });

  it('says whether its namespace is an organization', async () => {
    await pushImage(origin, 'acme/builder', '1', [Buffer.from('layer')]);
    const answer = await origin.api('GET', '/repositories/acme/builder');
    assert.equal(answer.status, 200);
    const { namespace, namespaceType, name } = await json(answer);
    assert.deepEqual([namespace, namespaceType, name], ['acme', 'organization', 'builder']);
  });
});

describe('who may not see a repository', () => {
  const operations: [method: string, below: string, body?: Json][] = [
    ['GET', ''],
    ['PATCH', '', { visibility: 'public' }],
    // Not even what is wrong with the request is said.
    ['PATCH', '', { visibility: 'secret' }],
    ['DELETE', ''],
    ['GET', '/tags'],
    ['GET', '/tags?pageSize=1&count=true'],
    ['GET', '/tags/1'],
    ['GET', '/tags/none'],
    ['GET', '/tags/-not-a-tag'],
    ['DELETE', '/tags/1'],
    ['GET', '/manifests'],
    ['GET', '/manifests/1'],
    ['GET', '/manifests/sha256:short'],
    ['GET', '/manifests/1/referrers'],
    ['DELETE', `/manifests/sha256:${'0'.repeat(64)}`],
  ];

  it('gets the same answer as for one that does not exist', async () => {
    for (const [method, below, body] of operations) {
      const ask = async (path: string) => {
        const response = await origin.api(method, `/repositories/${path}${below}`, body, eve);
        return [response.status, await response.text()];
      };
      const known = await ask('jane/app');
      assert.equal(known[0], method === 'DELETE' && below === '' ? 204 : 404, `${method} ${below}`);
      for (const unknown of ['jane/none', 'none/none', 'jane/UPPER'])
        assert.deepEqual(await ask(unknown), known, `${method} ${unknown}${below}`);
    }
  });

  it('gets the same 401 when they are nobody', async () => {
    for (const [method, below] of operations) {
      for (const path of ['jane/app', 'jane/none']) {
        const response = await fetch(`${origin.url}/api/v0/repositories/${path}${below}`, { method });
        assert.equal(response.status, 401);
        assert.match(await response.text(), /"code":"NOT_AUTHENTICATED"/);
      }
    }
  });
});

it('what each level may do in a repository', async () => {
  await pushImage(origin, 'jane/levels', '1', [Buffer.from('layer')]);
  await give('reader', 'jane/levels', 'read-only');
  await give('writer', 'jane/levels', 'read-write');
  const { digest } = await pushImage(origin, 'jane/levels', '2', [Buffer.from('another')]);
  const path = '/repositories/jane/levels';
  const ask = async (user: string, method: string, below: string, body?: Json) =>
    (await origin.api(method, `${path}${below}`, body, user)).status;
  for (const below of ['', '/tags', '/tags/1', '/manifests', `/manifests/${digest}/referrers`])
    assert.equal(await ask(reader, 'GET', below), 200, below);
  assert.equal(await ask(reader, 'DELETE', '/tags/1'), 403);
  assert.equal(await ask(reader, 'DELETE', `/manifests/${digest}`), 403);
  assert.equal(await ask(reader, 'PATCH', '', { visibility: 'public' }), 403);
  assert.equal(await ask(writer, 'PATCH', '', { visibility: 'public' }), 403);
  assert.equal(await ask(writer, 'DELETE', '/tags/1'), 204);
  assert.equal(await ask(writer, 'DELETE', `/manifests/${digest}`), 204);
  assert.equal(await ask(writer, 'DELETE', ''), 403);
  assert.equal(await ask(jane, 'DELETE', ''), 204);
});

describe('lists of repositories', () => {
  it('hold what the caller may pull from, by name, in pages, without long descriptions', async () => {
    const names = ['l1', 'l2', 'l3'];
    for (const name of names) {
      const body = { name, longDescription: 'long', visibility: name === 'l3' ? 'private' : 'public' };
      await origin.api('POST', '/repositories/acme', body);
    }
    await give('reader', 'acme/l3', 'read-only');
    const list = async (path: string, user: string) => {
      const answer = await origin.api('GET', path, undefined, user);
      const { repositories } = (await answer.json()) as { repositories: Json[] };
      assert.ok(repositories.every((repository) => !('longDescription' in repository)));
      const next = answer.headers.get('x-next-page-start');
      const count = answer.headers.get('x-resource-count');
      return { names: repositories.map(({ namespace, name }) => `${namespace}/${name}`), next, count };
    };
    assert.deepEqual(await list('/repositories/acme?count=true', eve), {
      names: ['acme/l1', 'acme/l2'],
      next: null,
      count: '2',
    });
    const first = await list('/repositories/acme?pageSize=2&count=true', reader);
    assert.deepEqual(first, { names: ['acme/l1', 'acme/l2'], next: 'acme/l3', count: '3' });
    assert.deepEqual(await list(`/repositories/acme?pageSize=2&pageStart=${first.next}`, reader), {
      names: ['acme/l3'],
      next: null,
      count: null,
    });
    assert.deepEqual((await list('/repositories?query=ME/L', reader)).names, [
      'acme/l1',
      'acme/l2',
      'acme/l3',
    ]);
    assert.deepEqual((await list('/repositories?query=%25', reader)).names, [], 'no wildcards');
    assert.deepEqual((await list('/repositories?query=l_', reader)).names, [], 'no wildcards');
    assert.ok((await list('/repositories', jane)).names.includes('jane/app'));
    assert.ok(!(await list('/repositories?pageSize=1000', eve)).names.includes('jane/app'));
    assert.equal(
      await codeOf(await origin.api('GET', '/repositories/none', undefined, eve)),
      '404 NO_SUCH_ACCOUNT',
    );
  });
});

it('the trail tells who created, changed and deleted a repository', async () => {
  const name = `r-${randomUUID()}`;
  await origin.api('POST', '/repositories/jane', { name }, jane);
  await origin.api('PATCH', `/repositories/jane/${name}`, { visibility: 'public' }, jane);
  await origin.api('PATCH', `/repositories/jane/${name}`, {}, jane);
  await origin.api('DELETE', `/repositories/jane/${name}`, undefined, jane);
  const events = await database
    .queries('events')
    .where({ object_name: `jane/${name}` })
    .orderBy('id')
    .select('type', 'actor_name', 'door', 'object_type', 'content');
  assert.deepEqual(
    events.map(({ content, ...event }) => ({ ...event, content: JSON.parse(content ?? 'null') })),
    [
      ['CREATE', { visibility: 'private', immutableTags: false }],
      ['UPDATE', { visibility: 'public' }],
      ['DELETE', null],
    ].map(([type, content]) => ({
      type,
      actor_name: 'jane',
      door: 'api',
      object_type: 'repository',
      content,
    })),
  );
});
