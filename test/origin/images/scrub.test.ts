import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openDatabaseBeside } from '../../../src/origin/database.ts';
import { Scrub } from '../../../src/origin/images/scrub.ts';
import { DirectoryBlobStore } from '../../../src/shared/blob-store/directory.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import type { Digest } from '../../../src/shared/distribution/digest.ts';
import { pushBlob, pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
const database = await openDatabaseBeside(origin.dataDirectory);
after(() => database.close());
const scrub = new Scrub({
  database,
  blobStore: new DirectoryBlobStore(origin.dataDirectory),
  clock: systemClock,
});

function pathOf(digest: Digest): string {
  const hex = digest.slice('sha256:'.length);
  return join(origin.dataDirectory, 'blobs/sha256', hex.slice(0, 2), hex);
}

async function flipByte(digest: Digest): Promise<void> {
  const bytes = await readFile(pathOf(digest));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  await writeFile(pathOf(digest), bytes);
}

const layerOf = async (repository: string, sizeBytes = 300_000) => {
  const bytes = randomBytes(sizeBytes);
  const { layers, digest } = await pushImage(origin, repository, 'latest', [bytes]);
  return { layer: layers[0] as Digest, bytes, manifest: digest };
};

/** The bytes that a client gets of the blob before the connection is cut, if it is. */
async function pull(repository: string, digest: Digest): Promise<{ status: number; received: number }> {
  const response = await origin.registry('GET', `/v2/${repository}/blobs/${digest}`);
  let received = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) received += chunk.byteLength;
  } catch {
    // Cut short: what had come counts.
  }
  return { status: response.status, received };
}

describe('scrubbing', () => {
  it('finds nothing in what is sound', async () => {
    await layerOf('admin/sound');
    const { blobs, manifests, sizeBytes, findings } = await scrub.run();
    assert.deepEqual(findings, []);
    assert.equal(blobs, 2);
    assert.equal(manifests, 1);
    assert.ok(sizeBytes > 300_000);
  });

  it('finds a corrupted and a missing blob, names the images that need them, and a push repairs both (G19)', async () => {
    const corrupted = await layerOf('admin/corrupted');
    const missing = await layerOf('admin/missing');
    await flipByte(corrupted.layer);
    await rm(pathOf(missing.layer));
    const { findings } = await scrub.run();
    assert.deepEqual(
      new Set(findings),
      new Set([
        {
          what: 'blob',
          digest: corrupted.layer,
          problem: 'damaged',
          images: ['admin/corrupted:latest'],
        },
        { what: 'blob', digest: missing.layer, problem: 'missing', images: ['admin/missing:latest'] },
      ]),
    );
    for (const { repository, layer, bytes } of [
      { repository: 'admin/corrupted', ...corrupted },
      { repository: 'admin/missing', ...missing },
    ]) {
      // A client that pushes asks first, and must be told to bring it.
      assert.equal((await origin.registry('HEAD', `/v2/${repository}/blobs/${layer}`)).status, 404);
      assert.equal((await pull(repository, layer)).status, 404);
      await pushBlob(origin, repository, bytes);
      assert.deepEqual(await pull(repository, layer), { status: 200, received: 300_000 });
    }
    assert.deepEqual((await scrub.run()).findings, []);
  });

  it('finds a damaged manifest, which is never served, and a push repairs it', async () => {
    const { manifest } = await layerOf('admin/manifest');
    const row = () => database.queries('manifests').where({ digest: manifest });
    const { bytes } = await row().first();
    await row().update({ bytes: Buffer.from('{}') });
    assert.deepEqual((await scrub.run()).findings, [
      { what: 'manifest', digest: manifest, problem: 'damaged', images: ['admin/manifest:latest'] },
    ]);
    for (const reference of ['latest', manifest]) {
      const response = await origin.registry('GET', `/v2/admin/manifest/manifests/${reference}`);
      assert.equal(response.status, 404);
      assert.equal(JSON.parse(await response.text()).errors[0].code, 'MANIFEST_UNKNOWN');
    }
    const put = await origin.registry('PUT', '/v2/admin/manifest/manifests/latest', {
      body: bytes,
      headers: { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' },
    });
    assert.equal(put.status, 201);
    assert.equal((await origin.registry('GET', '/v2/admin/manifest/manifests/latest')).status, 200);
  });
});

describe('a damaged blob that is pulled before anybody scrubs', () => {
  for (const [size, sizeBytes, status] of [
    ['small', 300_000, 404],
    ['large', 3_000_000, 200],
  ] as const) {
    it(`never comes as a complete answer; then it is absent, and a push repairs it (${size}; P2)`, async () => {
      const repository = `admin/pulled-${size}`;
      const { layer, bytes } = await layerOf(repository, sizeBytes);
      await flipByte(layer);
      const first = await pull(repository, layer);
      assert.equal(first.status, status);
      assert.ok(first.received < sizeBytes, `${first.received} bytes came`);
      assert.equal((await origin.registry('HEAD', `/v2/${repository}/blobs/${layer}`)).status, 404);
      await pushBlob(origin, repository, bytes);
      assert.deepEqual(await pull(repository, layer), { status: 200, received: sizeBytes });
    });
  }

  it('is asked for with HEAD while its file is missing: 404, so that a client pushes it', async () => {
    const { layer } = await layerOf('admin/asked');
    await rm(pathOf(layer));
    assert.equal((await origin.registry('HEAD', `/v2/admin/asked/blobs/${layer}`)).status, 404);
  });

  it('cannot be named by a manifest, nor mounted', async () => {
    const { layer, manifest } = await layerOf('admin/named');
    await rm(pathOf(layer));
    await pull('admin/named', layer);
    const stored = await origin.registry('GET', `/v2/admin/named/manifests/${manifest}`);
    const put = await origin.registry('PUT', '/v2/admin/named/manifests/again', {
      body: await stored.text(),
      headers: { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' },
    });
    assert.equal(put.status, 404);
    const mount = `/v2/admin/mounting/blobs/uploads/?mount=${layer}&from=admin/named`;
    assert.equal((await origin.registry('POST', mount)).status, 202);
  });
});
