/** The origin as the only registry of real clients: each pushes and pulls each kind of image. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type OciImage, writeOciImage } from '../setup/oci-layout.ts';
import { missing } from '../setup/processes.ts';
import { clientKinds, type RegistryClient, startClient } from '../setup/registry-clients.ts';
import { startServedOrigin } from '../setup/served-origin.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const directory = await tempDirectory();
const origin = await startServedOrigin(directory);
after(() => origin.stop());

const layouts = join(directory, 'layouts');
const images: [what: string, image: OciImage][] = [
  ['an image', await writeOciImage(join(layouts, 'single'), { layers: ['one', 'two'] })],
  [
    'an index of images for two platforms',
    await writeOciImage(join(layouts, 'multi'), { layers: ['one'], architectures: ['amd64', 'arm64'] }),
  ],
  [
    'an image with zstd layers',
    await writeOciImage(join(layouts, 'zstd'), { layers: ['one', 'two'], compression: 'zstd' }),
  ],
  [
    'an image of 100 layers',
    await writeOciImage(join(layouts, 'hundred'), { layers: Array.from({ length: 100 }, (_, n) => `${n}`) }),
  ],
  ['an image with an empty layer', await writeOciImage(join(layouts, 'empty'), { layers: ['', 'one'] })],
];

/** What the origin holds under a tag: its digest, and that of the configuration of its image for linux/amd64. */
async function stored(repository: string, tag: string): Promise<{ digest: string; configDigest: string }> {
  const get = (reference: string) => origin.get(repository, `manifests/${reference}`);
  const response = await get(tag);
  assert.equal(response.status, 200);
  type Manifest = {
    config?: { digest: string };
    manifests?: { digest: string; platform: { architecture: string } }[];
  };
  let manifest = (await response.json()) as Manifest;
  if (manifest.manifests !== undefined) {
    assert.equal(manifest.manifests.length, 2);
    const amd64 = manifest.manifests.find(({ platform }) => platform.architecture === 'amd64');
    manifest = (await (await get(amd64?.digest ?? '')).json()) as Manifest;
  }
  return {
    digest: response.headers.get('docker-content-digest') as string,
    configDigest: manifest.config?.digest as string,
  };
}

const source = `${origin.host}/admin/source`;

before(async () => {
  const seed = clientKinds.find(({ name }) => name === 'skopeo') as (typeof clientKinds)[0];
  if (missing('skopeo') !== false) return;
  const client = await startClient(seed, origin, join(directory, 'seed'));
  for (const [, image] of images) await client.push(image, `${source}:${image.name}`, '');
});

for (const kind of clientKinds) {
  describe(kind.name, { skip: missing('skopeo', ...kind.commands) }, async () => {
    let client: RegistryClient;
    after(() => client?.stop?.());
    const repository = `admin/${kind.name}`;

    it('logs in', async () => {
      client = await startClient(kind, origin, directory);
    });

    for (const [what, image] of images.filter(([, { name }]) => kind.cannot?.[name] === undefined)) {
      it(`pushes and pulls ${what}`, async () => {
        await client.push(image, `${origin.host}/${repository}:${image.name}`, `${source}:${image.name}`);
        const pushed = await stored(repository, image.name);
        if (kind.keepsManifests) assert.equal(pushed.digest, image.digest);
        assert.equal(pushed.configDigest, image.configDigest);
        const pulled = await client.pull(`${origin.host}/${repository}:${image.name}`);
        assert.ok([image.digest, image.configDigest].includes(pulled), pulled);
      });
    }
  });
}
