import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openDatabaseBeside } from '../../../src/origin/database.ts';
import { type Digest, digestOf } from '../../../src/shared/distribution/digest.ts';
import { imageMediaType, pushBlob, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
const database = await openDatabaseBeside(origin.dataDirectory);
after(() => database.close());
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const indexMediaType = 'application/vnd.oci.image.index.v1+json';

type Json = Record<string, unknown>;
const tagsOf = async (path: string) => {
  const answer = await origin.api('GET', `/repositories/admin/${path}`);
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as (Json & { name: string; digest: string; manifest: Json })[];
};

async function put(repository: string, reference: string, manifest: Json, mediaType = imageMediaType) {
  const body = JSON.stringify(manifest);
  const answer = await origin.registry('PUT', `/v2/${repository}/manifests/${reference}`, {
    body,
    headers: { 'Content-Type': mediaType },
  });
  assert.equal(answer.status, 201, await answer.text());
  return { digest: digestOf(Buffer.from(body)), size: body.length };
}

/** An image with that configuration, byte by byte. */
async function image(repository: string, reference: string, config: string, layers: string[] = ['layer']) {
  const blob = async (mediaType: string, text: string) => ({
    mediaType,
    digest: await pushBlob(origin, repository, Buffer.from(text)),
    size: Buffer.byteLength(text),
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: imageMediaType,
    config: await blob(ociConfig, config),
    layers: await Promise.all(layers.map((layer) => blob('application/vnd.oci.image.layer.v1.tar', layer))),
  };
  return { ...(await put(repository, reference, manifest)), configDigest: manifest.config.digest };
}

async function fileOf(digest: Digest): Promise<string> {
  const shard = join(origin.dataDirectory, 'blobs/sha256', digest.slice(7, 9));
  assert.ok((await readdir(shard)).includes(digest.slice(7)));
  return join(shard, digest.slice(7));
}

describe('tags', () => {
  it('are listed by name with who pushed them and when, and the image only if asked for', async () => {
    const linux = '{"os":"linux","architecture":"amd64"}';
    const { digest, configDigest } = await image('admin/app', '1.4', linux, ['one', 'other', 'one']);
    await put('admin/app', 'latest', JSON.parse(await bytesOf(digest)));
    const times = { createdAt: '2026-11-25T09:30:00.000Z', updatedAt: '2026-11-25T10:00:00.000Z' };
    const { queries } = database;
    await queries('tags')
      .where({ digest })
      .update({ created_at: Date.parse(times.createdAt), updated_at: Date.parse(times.updatedAt) });
    await queries('manifests')
      .where({ digest })
      .update({ created_at: Date.parse('2026-11-24T00:00:00Z') });
    const brief = {
      author: 'admin',
      ...times,
      hashMismatch: false,
      inNotary: false,
      components: [],
      licenses: [],
    };
    const manifest = {
      digest,
      mediaType: imageMediaType,
      artifactType: ociConfig,
      author: 'admin',
      createdAt: '2026-11-24T00:00:00.000Z',
    };
    assert.deepEqual(await tagsOf('app/tags'), [
      { name: '1.4', digest, ...brief, manifest },
      { name: 'latest', digest, ...brief, manifest },
    ]);
    const facts = {
      size: linux.length + 'one'.length + 'other'.length,
      os: 'linux',
      architecture: 'amd64',
      configDigest,
      configMediaType: ociConfig,
    };
    const [first] = await tagsOf('app/tags?includeManifests=true');
    assert.deepEqual(first?.manifest, { ...manifest, ...facts });
    assert.deepEqual(await tagsOf('app/tags/1.4'), [first]);
  });

  async function bytesOf(digest: string): Promise<string> {
    return (await origin.registry('GET', `/v2/admin/app/manifests/${digest}`)).text();
  }

  it('come in pages, and those that begin with something by themselves', async () => {
    const { digest } = await image('admin/many', '1.0', '{}');
    const [{ repository_id }] = await database.queries('tags').where({ digest }).select('repository_id');
    const rows = ['1.1', '1.10', '1.1_a', '1.2', '2.0', '2.1'].map((name) => ({
      repository_id,
      name,
      digest,
      created_at: 0,
      updated_at: 0,
    }));
    await database.queries('tags').insert(rows);
    const page = async (query: string) => {
      const answer = await origin.api('GET', `/repositories/admin/many/tags?${query}`);
      const tags = (await answer.json()) as { name: string }[];
      const [next, count] = ['x-next-page-start', 'x-resource-count'].map((name) => answer.headers.get(name));
      return [tags.map(({ name }) => name).join(' '), next, count];
    };
    assert.deepEqual(await page('pageSize=3&count=true'), ['1.0 1.1 1.10', '1.1_a', '7']);
    assert.deepEqual(await page('pageSize=3&pageStart=1.1_a'), ['1.1_a 1.2 2.0', '2.1', null]);
    assert.deepEqual(await page('query=1.1&count=true'), ['1.1 1.10 1.1_a', null, '3']);
    assert.deepEqual(await page('query=1.&pageSize=2&pageStart=1.10'), ['1.10 1.1_a', '1.2', null]);
    assert.deepEqual(await page('query=2.&pageStart=1.10'), ['2.0 2.1', null, null]);
    assert.deepEqual(await page('query=1.&pageStart=2.0'), ['', null, null]);
    assert.deepEqual(await page('query=%25'), ['', null, null]);
  });

  it('are deleted, and the image stays', async () => {
    const { digest } = await image('admin/untag', '1', '{}');
    const remove = () => origin.api('DELETE', '/repositories/admin/untag/tags/1');
    assert.equal((await remove()).status, 204);
    const again = await remove();
    assert.equal(again.status, 404);
    assert.match(await again.text(), /"code":"NO_SUCH_TAG"/);
    assert.equal((await origin.registry('HEAD', `/v2/admin/untag/manifests/${digest}`)).status, 200);
    const [event] = await database
      .queries('events')
      .where({ type: 'DELETE', object_name: 'admin/untag:1' })
      .select('object_type', 'object_id', 'target_name', 'door', 'actor_name');
    assert.deepEqual(event, {
      object_type: 'tag',
      object_id: digest,
      target_name: 'admin/untag',
      door: 'api',
      actor_name: 'admin',
    });
  });

  it('that cannot be, and that are not there, are told apart', async () => {
    const read = async (tag: string) => {
      const answer = await origin.api('GET', `/repositories/admin/app/tags/${tag}`);
      const { errors } = (await answer.json()) as { errors: { code: string }[] };
      return `${answer.status} ${errors[0]?.code}`;
    };
    assert.equal(await read('none'), '404 NO_SUCH_TAG');
    assert.equal(await read('-none'), '400 INVALID_TAG_NAME');
    assert.equal(await read('t'.repeat(129)), '400 INVALID_TAG_NAME');
  });
});

describe('what an image is', () => {
  const manifestOf = async (path: string) => (await tagsOf(path))[0]?.manifest as Json;

  it('is left out when its configuration is broken, too large, or of another kind', async () => {
    const broken = ['not JSON', '[]', 'null', '{"os":7,"architecture":{}}', `{"os":"${'x'.repeat(65)}"}`];
    broken.push('['.repeat(100_000), `{"os":"linux","padding":"${'x'.repeat(1024 * 1024)}"}`);
    for (const [index, config] of broken.entries()) {
      await image('admin/broken', `${index}`, config);
      const { digest, size, os, architecture } = await manifestOf(`broken/tags/${index}`);
      assert.match(String(digest), /^sha256:/);
      assert.equal(size, config.length + 'layer'.length);
      assert.deepEqual([os, architecture], [undefined, undefined], config.slice(0, 30));
    }
    const all = await tagsOf('broken/tags?includeManifests=true&pageSize=100');
    assert.equal(all.length, broken.length);
  });

  it('is found out again when a configuration that was missing or damaged is pushed again', async () => {
    const config = `{"os":"plan9","architecture":"amd64","padding":"${'x'.repeat(70_000)}"}`;
    const { configDigest } = await image('admin/healed', '1', config);
    const path = await fileOf(configDigest);
    const osOf = async () => (await manifestOf('healed/tags/1')).os;
    await writeFile(path, 'damaged');
    assert.equal(await osOf(), undefined);
    await rm(path);
    assert.equal(await osOf(), undefined);
    await pushBlob(origin, 'admin/healed', Buffer.from(config));
    assert.equal(await osOf(), 'plan9');
  });

  it('of an index are the platforms that run, and their images with what they take', async () => {
    const layers = { amd64: ['shared', 'amd64 only'], arm64: ['shared', 'arm only'] };
    const amd64 = await image('admin/multi', 'x', '{"os":"linux","architecture":"amd64"}', layers.amd64);
    const arm64 = await image('admin/multi', 'y', '{"os":"linux","architecture":"arm64"}', layers.arm64);
    const provenance = await image('admin/multi', 'z', '{}', []);
    const list = (one: { digest: string; size: number }, platform: Json) => ({
      mediaType: imageMediaType,
      digest: one.digest,
      size: one.size,
      platform,
    });
    const index = {
      schemaVersion: 2,
      mediaType: indexMediaType,
      manifests: [
        list(amd64, { os: 'linux', architecture: 'amd64' }),
        list(arm64, { os: 'linux', architecture: 'arm64', variant: 'v8' }),
        list(provenance, { os: 'unknown', architecture: 'unknown' }),
      ],
    };
    await put('admin/multi', 'latest', index, indexMediaType);
    const [tag] = await tagsOf('multi/tags/latest');
    const size = { amd64: 37 + 6 + 10, arm64: 37 + 6 + 8 };
    assert.equal(tag?.manifest.size, 37 + 37 + 6 + 10 + 8 + '{}'.length, 'what is shared counts once');
    assert.deepEqual(tag?.manifest.platforms, [
      { os: 'linux', architecture: 'amd64', digest: amd64.digest, size: size.amd64 },
      { os: 'linux', architecture: 'arm64', variant: 'v8', digest: arm64.digest, size: size.arm64 },
    ]);
    const forPlatform = async (query: string) => {
      const found = await tagsOf(`multi/tags/latest?${query}`);
      return found.map(({ name, digest, manifest }) => [name, digest, manifest.architecture]);
    };
    assert.deepEqual(await forPlatform('os=linux'), [['latest', amd64.digest, 'amd64']]);
    assert.deepEqual(await forPlatform('arch=arm64'), [['latest', arm64.digest, 'arm64']]);
    assert.deepEqual(await forPlatform('os=windows'), []);
    assert.equal((await tagsOf('multi/tags/x?os=linux&arch=amd64')).length, 1);
    assert.equal((await tagsOf('multi/tags/x?arch=s390x')).length, 0);
    await origin.registry('DELETE', `/v2/admin/multi/manifests/${arm64.digest}`);
    const [, without] = (await manifestOf('multi/tags/latest')).platforms as Json[];
    assert.equal(without?.size, undefined, 'an image that is not here');
    assert.deepEqual(await forPlatform('arch=arm64'), []);
  });
});
