/**
 * `npm run test:large-layer [-- <GiB>]`: an image with one layer of 5 GiB, pushed and pulled by skopeo, read
 * in part, and pulled and pushed by docker. Takes minutes and eight times the layer on the disk of the temporary directory;
 * as root on Debian with the packages that `.ci/run` installs. Ends with the line `N passed, N failed`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDockerEngine } from '../test/setup/docker-engine.ts';
import { missing, runClient } from '../test/setup/processes.ts';
import { type ServedOrigin, startServedOrigin } from '../test/setup/served-origin.ts';

const layerBytes = Math.round(Number(process.argv[2] ?? 5) * 1024 ** 3);
const timeoutMs = 30 * 60_000;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

interface Layout {
  readonly directory: string;
  readonly layerDigest: string;
  readonly configDigest: string;
}

async function main(): Promise<void> {
  const absent = missing('skopeo', 'docker', 'dockerd');
  if (absent !== false) throw new Error(absent);
  const directory = await mkdtemp(join(tmpdir(), 'dtr-large-'));
  const origin = await startServedOrigin(directory);
  let failed = 0;
  let passed = 0;
  const step = async (what: string, work: () => Promise<unknown>) => {
    const start = performance.now();
    try {
      await work();
      passed += 1;
      console.log(`ok   ${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${what}: ${(error as Error).message}`);
    }
  };
  try {
    const layout = await writeLayout(join(directory, 'layout'));
    await step('skopeo pushes', () => pushBySkopeo(origin, layout));
    await step('skopeo pulls every byte', () => pullBySkopeo(origin, layout, join(directory, 'pulled')));
    await step('a range gives the last MiB', () => readEnd(origin, layout));
    // Docker mounts a layer that the registry already holds: only another one makes it send the bytes.
    const other = await startServedOrigin(join(directory, 'other'));
    const engine = await startDockerEngine(join(directory, 'docker'), { timeoutMs });
    const docker = (...args: string[]) => engine.docker('jane', ...args);
    try {
      for (const { host, user, password } of [origin, other]) {
        await docker('login', '--username', user, '--password', password, host);
      }
      const image = `${origin.host}/admin/large:1`;
      await step('docker pulls', async () => {
        await docker('pull', '--quiet', image);
        const id = (await docker('image', 'inspect', '--format', '{{.Id}}', image)).trim();
        if (id !== layout.configDigest) throw new Error(`it has the image ${id}`);
      });
      await step('docker pushes, compressing the layer', async () => {
        await docker('tag', image, `${other.host}/admin/large:1`);
        await docker('push', '--quiet', `${other.host}/admin/large:1`);
      });
    } finally {
      await engine.stop();
      await other.stop();
    }
    const status = await readFile(`/proc/${origin.pid}/status`, 'utf8');
    console.log(`the origin's memory was at most ${/VmHWM:\s+(\d+ kB)/.exec(status)?.[1]}`);
  } finally {
    await origin.stop();
    await rm(directory, { recursive: true, force: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

/** An OCI layout with an image of one uncompressed layer: a tar with one file of random bytes. */
async function writeLayout(directory: string): Promise<Layout> {
  const blobs = join(directory, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const layer = await writeLayer(join(directory, 'layer'), layerBytes);
  await runClient('mv', [join(directory, 'layer'), join(blobs, layer.hex)]);
  const add = async (mediaType: string, value: object) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(blobs, hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.byteLength };
  };
  const layerDigest = `sha256:${layer.hex}`;
  const config = await add('application/vnd.oci.image.config.v1+json', {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [layerDigest] },
  });
  const layers = [
    { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layerDigest, size: layer.sizeBytes },
  ];
  const manifest = await add(manifestType, { schemaVersion: 2, mediaType: manifestType, config, layers });
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const tagged = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': '1' } };
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [tagged] }));
  return { directory, layerDigest, configDigest: config.digest };
}

async function writeLayer(path: string, sizeBytes: number): Promise<{ hex: string; sizeBytes: number }> {
  const header = Buffer.alloc(512);
  header.write('large', 0);
  header.write('0000644\x000000000\x000000000\0', 100);
  header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0        0', 136);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const hash = createHash('sha256');
  await using file = await open(path, 'w');
  const write = async (bytes: Uint8Array) => {
    hash.update(bytes);
    await file.write(bytes);
  };
  await write(header);
  const pieceBytes = 8 * 1024 * 1024;
  for (let written = 0; written < sizeBytes; written += pieceBytes) {
    await write(randomBytes(Math.min(pieceBytes, sizeBytes - written)));
  }
  await write(Buffer.alloc(1024));
  return { hex: hash.digest('hex'), sizeBytes: sizeBytes + 512 + 1024 };
}

function pushBySkopeo(origin: ServedOrigin, layout: Layout): Promise<string> {
  const to = ['--dest-tls-verify=false', '--dest-creds', `${origin.user}:${origin.password}`];
  return runClient(
    'skopeo',
    // Without this it would compress the layer, which takes longer than everything else.
    [
      'copy',
      '--preserve-digests',
      ...to,
      `oci:${layout.directory}:1`,
      `docker://${origin.host}/admin/large:1`,
    ],
    { timeoutMs },
  );
}

async function pullBySkopeo(origin: ServedOrigin, layout: Layout, into: string): Promise<void> {
  const from = ['--src-tls-verify=false', '--src-creds', `${origin.user}:${origin.password}`];
  await runClient('skopeo', ['copy', ...from, `docker://${origin.host}/admin/large:1`, `dir:${into}`], {
    timeoutMs,
  });
  const hash = createHash('sha256');
  for await (const piece of createReadStream(join(into, layout.layerDigest.slice(7)))) hash.update(piece);
  if (`sha256:${hash.digest('hex')}` !== layout.layerDigest) throw new Error('the pulled layer differs');
  await rm(into, { recursive: true });
}

async function readEnd(origin: ServedOrigin, layout: Layout): Promise<void> {
  const wanted = 1024 * 1024;
  const response = await origin.get('admin/large', `blobs/${layout.layerDigest}`, {
    Range: `bytes=-${wanted}`,
  });
  const got = Buffer.from(await response.arrayBuffer());
  await using file = await open(join(layout.directory, 'blobs/sha256', layout.layerDigest.slice(7)));
  const { size } = await file.stat();
  const { buffer } = await file.read(Buffer.alloc(wanted), 0, wanted, size - wanted);
  if (response.status !== 206 || !got.equals(buffer))
    throw new Error(`status ${response.status}, other bytes`);
}

await main();
