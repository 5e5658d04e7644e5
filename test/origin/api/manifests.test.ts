import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openDatabaseBeside } from '../../../src/origin/database.ts';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { imageMediaType, pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
const database = await openDatabaseBeside(origin.dataDirectory);
after(() => database.close());
const path = '/repositories/admin/app/manifests';
const image = await pushImage(origin, 'admin/app', '1.4', [Buffer.from('layer')]);

type Json = Record<string, unknown>;
const list = async (below = '') => {
  const answer = await origin.api('GET', `${path}${below}`);
  assert.equal(answer.status, 200, await answer.clone().text());
  const next = answer.headers.get('x-next-page-start');
  const count = answer.headers.get('x-resource-count');
  return { records: (await answer.json()) as (Json & { digest: string })[], next, count };
};
const codeOf = async (answer: Response) =>
  `${answer.status} ${((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code}`;

async function refer(annotations: Json, artifactType = 'application/spdx+json'): Promise<string> {
  const empty = 'application/vnd.oci.empty.v1+json';
  const config = Buffer.from('{}');
  await origin.registry('POST', `/v2/admin/app/blobs/uploads/?digest=${digestOf(config)}`, { body: config });
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: imageMediaType,
    artifactType,
    config: { mediaType: empty, digest: digestOf(config), size: 2 },
    layers: [],
    subject: { mediaType: imageMediaType, digest: image.digest, size: image.manifest.length },
    annotations,
  });
  const digest = digestOf(Buffer.from(body));
  const answer = await origin.registry('PUT', `/v2/admin/app/manifests/${digest}`, {
    body,
    headers: { 'Content-Type': imageMediaType },
  });
  assert.equal(answer.status, 201, await answer.text());
  return digest;
}

describe('manifests', () => {
  it('are listed by digest, in pages', async () => {
    const { digest } = await pushImage(origin, 'admin/app', 'latest', [Buffer.from('another layer')]);
    const sorted = [image.digest, digest].sort();
    const first = await list('?pageSize=1&count=true');
    assert.deepEqual([first.records.map((one) => one.digest), first.count], [[sorted[0]], '2']);
    const second = await list(`?pageSize=1&pageStart=${first.next}`);
    assert.deepEqual([second.records.map((one) => one.digest), second.next], [[sorted[1]], null]);
    const { size, os, architecture, author } = first.records[0] as Json;
    assert.ok(Number(size) > 0);
    assert.deepEqual([os, architecture, author], ['linux', 'amd64', 'admin']);
  });

  it('say by tag or digest which tags they have, and how many manifests refer to them', async () => {
    await refer({});
    const read = async (reference: string) =>
      (await (await origin.api('GET', `${path}/${reference}`)).json()) as Json;
    const manifest = await read('1.4');
    assert.deepEqual(await read(image.digest), manifest);
    const { digest, tags, referrersCount, annotations } = manifest;
    assert.deepEqual([digest, tags, referrersCount, annotations], [image.digest, ['1.4'], 1, {}]);
    assert.equal(await codeOf(await origin.api('GET', `${path}/none`)), '404 NO_SUCH_MANIFEST');
    assert.equal(await codeOf(await origin.api('GET', `${path}/sha256:abc`)), '400 INVALID_DIGEST');
    const unknown = digestOf(Buffer.from('unknown'));
    assert.equal(await codeOf(await origin.api('GET', `${path}/${unknown}`)), '404 NO_SUCH_MANIFEST');
  });

  it('are deleted by digest, with their tags, and the trail names those', async () => {
    const { digest } = await pushImage(origin, 'admin/app', 'deleted', [Buffer.from('deleted')]);
    assert.equal(await codeOf(await origin.api('DELETE', `${path}/deleted`)), '400 INVALID_DIGEST');
    assert.equal((await origin.api('DELETE', `${path}/${digest}`)).status, 204);
    assert.equal(await codeOf(await origin.api('DELETE', `${path}/${digest}`)), '404 NO_SUCH_MANIFEST');
    assert.equal((await origin.registry('HEAD', '/v2/admin/app/manifests/deleted')).status, 404);
    const [event] = await database
      .queries('events')
      .where({ type: 'DELETE', object_name: `admin/app@${digest}` })
      .select('content', 'door');
    assert.deepEqual(event, { content: '{"tags":["deleted"]}', door: 'api' });
  });
});

describe('referrers', () => {
  it('come with their type and annotations, by digest, in pages', async () => {
    const digest = await refer({ 'org.example.kind': 'sbom', odd: 7 });
    const { records, count } = await list('/1.4/referrers?count=true');
    assert.equal(count, String(records.length));
    const digests = records.map((one) => one.digest);
    assert.deepEqual(digests, [...digests].sort());
    const { artifactType, annotations } = records.find((one) => one.digest === digest) as Json;
    assert.equal(artifactType, 'application/spdx+json');
    assert.deepEqual(annotations, { 'org.example.kind': 'sbom' }, 'annotations are texts');
    const first = await list('/1.4/referrers?pageSize=1');
    const second = await list(`/1.4/referrers?pageSize=1&pageStart=${first.next}`);
    assert.deepEqual([...first.records, ...second.records], records.slice(0, 2));
    assert.equal(await codeOf(await origin.api('GET', `${path}/none/referrers`)), '404 NO_SUCH_MANIFEST');
  });

  it('fill a page with at most a mebibyte of annotations, and none is left out', async () => {
    const before = (await list('/1.4/referrers')).records.map((one) => one.digest);
    const long = ['a', 'b', 'c'].map((letter) => ({ long: letter.repeat(700_000) }));
    const added = [];
    for (const annotations of [...long, { tooLong: 'x'.repeat(2_000_000) }])
      added.push(await refer(annotations));
    const seen: Json[] = [];
    let next = '';
    let pages = 0;
    do {
      const page = await list(`/1.4/referrers?pageSize=100&pageStart=${next}`);
      assert.ok(JSON.stringify(page.records).length < 1024 * 1024 + 50_000);
      seen.push(...page.records);
      next = page.next ?? '';
      pages += 1;
    } while (next !== '');
    assert.ok(pages >= 3);
    assert.deepEqual(
      seen.map(({ digest }) => digest),
      [...before, ...added].sort(),
    );
  });
});
