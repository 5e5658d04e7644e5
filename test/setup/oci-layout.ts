/** Images made byte by byte, as directories in the OCI image layout, which every client reads. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

export interface OciImage {
  /** The directory; its only image has the tag `name`. */
  readonly directory: string;
  readonly name: string;
  /** Of the manifest or index. */
  readonly digest: string;
  readonly platforms: number;
  /** What docker and podman call the image's id; of an index, its image for linux/amd64. */
  readonly configDigest: string;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

type Compression = 'gzip' | 'zstd';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

/** An image per architecture, each of layers with one file per text; an empty text is a layer without files. */
export async function writeOciImage(
  directory: string,
  options: { layers: readonly string[]; architectures?: readonly string[]; compression?: Compression },
): Promise<OciImage> {
  const { layers, architectures = ['amd64'], compression = 'gzip' } = options;
  const name = directory.split('/').at(-1) as string;
  const addBlob = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    await mkdir(join(directory, 'blobs/sha256'), { recursive: true });
    await writeFile(join(directory, 'blobs/sha256', hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.byteLength };
  };
  const addJson = (mediaType: string, value: object) =>
    addBlob(mediaType, Buffer.from(JSON.stringify(value)));
  const images: (Descriptor & { platform: object; configDigest: string })[] = [];
  for (const architecture of architectures) {
    const tars = layers.map((text, index) =>
      tar(text === '' ? [] : [[`file-${index}`, `${architecture} ${text}`]]),
    );
    const config = await addJson('application/vnd.oci.image.config.v1+json', {
      architecture,
      os: 'linux',
      config: {},
      history: layers.map(() => ({ created_by: 'a test' })),
      rootfs: {
        type: 'layers',
        diff_ids: tars.map((bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`),
      },
    });
    const compress = compression === 'gzip' ? gzipSync : zstdCompressSync;
    const described: Descriptor[] = [];
    for (const bytes of tars) {
      described.push(await addBlob(`application/vnd.oci.image.layer.v1.tar+${compression}`, compress(bytes)));
    }
    const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: described };
    const descriptor = await addJson(manifestType, manifest);
    images.push({ ...descriptor, platform: { os: 'linux', architecture }, configDigest: config.digest });
  }
  const [first] = images as [(typeof images)[0]];
  const manifests = images.map(({ configDigest: _, ...descriptor }) => descriptor);
  const top =
    images.length === 1
      ? first
      : await addJson(indexType, { schemaVersion: 2, mediaType: indexType, manifests });
  const tagged = {
    mediaType: top.mediaType,
    digest: top.digest,
    size: top.size,
    annotations: { 'org.opencontainers.image.ref.name': name },
  };
  await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [tagged] }));
  return { directory, name, digest: top.digest, platforms: images.length, configDigest: first.configDigest };
}

/** A ustar archive of small files; of none, just its end. */
function tar(files: readonly (readonly [name: string, text: string])[]): Buffer {
  const parts = files.map(([name, text]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\x000000000\x000000000\0', 100);
    header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        0', 148);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const content = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    content.write(text);
    return Buffer.concat([header, content]);
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
