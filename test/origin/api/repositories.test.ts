import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
await origin.api('POST', '/accounts', { name: 'jane', password: 'jane-password' });
await origin.api('POST', '/accounts', { name: 'eve', password: 'eve-password' });
await pushImage(origin, 'jane/app', '1', [Buffer.from('layer')]);
const [jane, eve] = ['jane:jane-password', 'eve:eve-password'];

async function anonymousPull(): Promise<number> {
  const token = await origin.token(undefined, '', 'repository:jane/app:pull');
  return (await origin.registry('GET', '/v2/jane/app/manifests/1', { token })).status;
}

it('a repository is private until its owner makes it public, and then anybody pulls from it', async () => {
  const before = await origin.api('GET', '/repositories/jane/app', undefined, jane);
  const { id, ...repository } = (await before.json()) as Record<string, unknown>;
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  assert.deepEqual(repository, {
    namespace: 'jane',
    namespaceType: 'user',
    name: 'app',
    visibility: 'private',
    shortDescription: '',
    longDescription: '',
    immutableTags: false,
    scanOnPush: false,
    enableManifestLists: true,
    tagLimit: 0,
    pulls: 0,
    pushes: 0,
  });
  assert.equal(await anonymousPull(), 401);
  const changed = await origin.api('PATCH', '/repositories/jane/app', { visibility: 'public' }, jane);
  assert.equal(changed.status, 200);
  assert.equal(((await changed.json()) as { visibility: string }).visibility, 'public');
  assert.equal(await anonymousPull(), 200);
  assert.equal((await origin.api('GET', '/repositories/jane/app', undefined, eve)).status, 200);
  assert.equal(
    (await origin.api('PATCH', '/repositories/jane/app', { visibility: 'private' }, eve)).status,
    403,
  );
  assert.equal((await origin.api('PATCH', '/repositories/jane/app', { visibility: 'private' })).status, 200);
  assert.equal(await anonymousPull(), 401);
});

it('who may not see a repository gets the same answer as for one that does not exist', async () => {
  const ask = async (method: string, path: string) => {
    const response = await origin.api(
      method,
      path,
      method === 'GET' ? undefined : { visibility: 'public' },
      eve,
    );
    return [response.status, await response.text()];
  };
  for (const method of ['GET', 'PATCH']) {
    const known = await ask(method, '/repositories/jane/app');
    assert.equal(known[0], 404);
    for (const unknown of [
      '/repositories/jane/none',
      '/repositories/none/none',
      '/repositories/jane/UPPER',
    ]) {
      assert.deepEqual(await ask(method, unknown), known);
    }
  }
});

it('another visibility is refused, naming the field', async () => {
  const refused = await origin.api('PATCH', '/repositories/jane/app', { visibility: 'secret' }, jane);
  assert.equal(refused.status, 400);
  const { errors } = (await refused.json()) as { errors: { code: string; detail: unknown }[] };
  assert.equal(errors[0]?.code, 'INVALID_REPOSITORY_VISIBILITY');
  assert.deepEqual(errors[0]?.detail, { field: 'visibility' });
});

it('nobody gets the same 401 for a repository that exists and for one that does not', async () => {
  for (const method of ['GET', 'PATCH']) {
    for (const path of ['jane/app', 'jane/none']) {
      const response = await fetch(`${origin.url}/api/v0/repositories/${path}`, { method });
      assert.equal(response.status, 401);
      assert.match(await response.text(), /"code":"NOT_AUTHENTICATED"/);
    }
  }
});

it('a repository in the namespace of an organization says so', async () => {
  await origin.api('POST', '/accounts', { name: 'acme', isOrg: true });
  await pushImage(origin, 'acme/builder', '1', [Buffer.from('layer')]);
  const answer = await origin.api('GET', '/repositories/acme/builder');
  assert.equal(answer.status, 200);
  const { namespace, namespaceType, name } = (await answer.json()) as Record<string, unknown>;
  assert.deepEqual([namespace, namespaceType, name], ['acme', 'organization', 'builder']);
});
