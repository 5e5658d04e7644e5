/** The clients that people use, each behind the same two questions: push this image, pull that one. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startContainerd } from './containerd.ts';
import { startDockerEngine } from './docker-engine.ts';
import type { OciImage } from './oci-layout.ts';
import { runClient } from './processes.ts';
import type { ServedOrigin } from './served-origin.ts';

/** Where the clients push to. */
type Registry = Pick<ServedOrigin, 'host' | 'user' | 'password'>;

export interface RegistryClient {
  /** `source` is where the image already is, for clients that cannot read a layout. */
  push(image: OciImage, reference: string, source: string): Promise<void>;
  /** Pulls anew and returns the digest of the manifest, or of the configuration, as the client knows the image. */
  pull(reference: string): Promise<string>;
  stop?(): Promise<void>;
}

export interface ClientKind {
  readonly name: string;
  readonly commands: readonly string[];
  /** Whether it pushes manifests byte by byte, and not its own of the same image. */
  readonly keepsManifests: boolean;
  /** Images that it cannot read or write, by name, with the reason. */
  readonly cannot?: Readonly<Record<string, string>>;
  start(registry: Registry, home: string): Promise<RegistryClient>;
}

/** Installs a client from the Go module proxy and returns the path of its program. */
export async function installGoProgram(home: string, module: string): Promise<string> {
  await runClient('go', ['install', module], { env: { GOBIN: home, CGO_ENABLED: '0' }, timeoutMs: 900_000 });
  return join(home, (module.split('@')[0] as string).split('/').at(-1) as string);
}

/** The digest of the only image in a layout that a client wrote. */
async function digestIn(layout: string): Promise<string> {
  const { manifests } = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[];
  };
  return manifests[0]?.digest ?? '';
}

/** A new directory for each pull: nothing is left of the one before. */
function counter(home: string): () => string {
  let count = 0;
  return () => {
    count += 1;
    return join(home, `pulled-${count}`);
  };
}

const skopeo: ClientKind = {
  name: 'skopeo',
  commands: ['skopeo'],
  keepsManifests: true,
  start: async ({ user, password }, home) => {
    const next = counter(home);
    const creds = `${user}:${password}`;
    return {
      push: async (image, reference) => {
        const source = `oci:${image.directory}:${image.name}`;
        // It would replace a layer by one that it knows to unpack to the same, from a cache for the whole machine.
        const to = ['--preserve-digests', '--dest-tls-verify=false', '--dest-creds', creds];
        await runClient('skopeo', ['copy', '--all', ...to, source, `docker://${reference}`]);
      },
      pull: async (reference) => {
        const layout = next();
        const from = ['--src-tls-verify=false', '--src-creds', creds];
        await runClient('skopeo', [
          'copy',
          '--all',
          ...from,
          `docker://${reference}`,
          `oci:${layout}:pulled`,
        ]);
        return digestIn(layout);
      },
    };
  },
};

const crane: ClientKind = {
  name: 'crane',
  commands: ['go'],
  keepsManifests: true,
  start: async ({ host, user, password }, home) => {
    const program = await installGoProgram(home, 'github.com/google/go-containerregistry/cmd/crane@v0.21.9');
    const run = (...args: string[]) => runClient(program, args, { env: { DOCKER_CONFIG: home } });
    await run('auth', 'login', '--username', user, '--password', password, host);
    const next = counter(home);
    return {
      push: async (image, reference) => void (await run('push', image.directory, reference)),
      pull: async (reference) => {
        const layout = next();
        await run('pull', '--format', 'oci', reference, layout);
        return digestIn(layout);
      },
    };
  },
};

const oras: ClientKind = {
  name: 'oras',
  commands: ['go'],
  keepsManifests: true,
  start: async ({ host, user, password }, home) => {
    const program = await installGoProgram(home, 'oras.land/oras/cmd/oras@v1.3.6');
    const config = join(home, 'config.json');
    const run = (...args: string[]) => runClient(program, args);
    await run('login', '--plain-http', '--registry-config', config, '-u', user, '-p', password, host);
    const next = counter(home);
    return {
      push: async ({ directory, name }, reference) => {
        const to = ['--to-plain-http', '--to-registry-config', config];
        await run('cp', '--from-oci-layout', `${directory}:${name}`, ...to, reference);
      },
      pull: async (reference) => {
        const layout = next();
        const from = ['--from-plain-http', '--from-registry-config', config];
        await run('cp', ...from, reference, '--to-oci-layout', `${layout}:pulled`);
        return digestIn(layout);
      },
    };
  },
};

const regctl: ClientKind = {
  name: 'regctl',
  commands: ['go'],
  keepsManifests: true,
  start: async ({ host, user, password }, home) => {
    const program = await installGoProgram(home, 'github.com/regclient/regclient/cmd/regctl@v0.11.7');
    const run = (...args: string[]) => runClient(program, args, { env: { HOME: home } });
    await run('registry', 'set', '--tls', 'disabled', host);
    await run('registry', 'login', '--user', user, '--pass', password, host);
    const next = counter(home);
    return {
      push: async ({ directory, name }, reference) =>
        void (await run('image', 'copy', `ocidir://${directory}:${name}`, reference)),
      pull: async (reference) => {
        const layout = next();
        await run('image', 'copy', reference, `ocidir://${layout}:pulled`);
        return digestIn(layout);
      },
    };
  },
};

function lines(output: string): string[] {
  return output.split('\n').filter((line) => line !== '');
}

/** Warnings come after what was asked for. */
function firstLine(output: string): string {
  return output.split('\n')[0] as string;
}

/** podman and buildah: the same library, nearly the same words. */
function containersStorage(name: 'podman' | 'buildah'): ClientKind {
  return {
    name,
    commands: [name],
    keepsManifests: false,
    start: async ({ user, password }, home) => {
      const run = (...args: string[]) =>
        runClient(name, [
          ...['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--storage-driver', 'vfs'],
          ...args,
        ]);
      const access = ['--tls-verify=false', '--creds', `${user}:${password}`];
      const pull = async (reference: string) =>
        firstLine(await run('pull', '--quiet', ...access, `docker://${reference}`));
      return {
        push: async (image, reference, source) => {
          if (image.platforms === 1) {
            await run('push', ...access, await pull(source), `docker://${reference}`);
            return;
          }
          await run('manifest', 'create', image.name);
          await run('manifest', 'add', '--all', image.name, `oci:${image.directory}:${image.name}`);
          await run('manifest', 'push', ...access, '--all', image.name, `docker://${reference}`);
          await run('manifest', 'rm', image.name);
        },
        pull: async (reference) => {
          await run('rmi', '--all', '--force');
          return `sha256:${await pull(reference)}`;
        },
      };
    },
  };
}

const containerd: ClientKind = {
  name: 'containerd',
  commands: ['containerd', 'ctr', 'tar'],
  keepsManifests: true,
  start: async ({ user, password }, home) => {
    const { ctr, stop } = await startContainerd(home);
    const access = ['--plain-http', '--user', `${user}:${password}`];
    const forget = async () => {
      const names = lines(await ctr('images', 'ls', '--quiet'));
      if (names.length > 0) await ctr('images', 'rm', '--sync', ...names);
    };
    return {
      push: async ({ directory, name }, reference) => {
        await forget();
        const archive = join(home, `${name}.tar`);
        await runClient('tar', ['-C', directory, '-cf', archive, '.']);
        const base = 'example.test/image';
        await ctr(...['images', 'import', '--base-name', base, '--all-platforms', '--no-unpack', archive]);
        await ctr('images', 'tag', `${base}:${name}`, reference);
        await ctr('images', 'push', ...access, reference);
      },
      pull: async (reference) => {
        await forget();
        await ctr('images', 'pull', ...access, '--all-platforms', '--snapshotter', 'native', reference);
        return /sha256:[0-9a-f]{64}/.exec(await ctr('images', 'ls', `name==${reference}`))?.[0] ?? '';
      },
      stop,
    };
  },
};

const version2 = 'github.com/containerd/containerd/v2/cmd';
const fetchingPieces = `[plugins."io.containerd.transfer.v1.local"]
concurrent_layer_fetch_buffer = 1048576
max_concurrent_downloads = 4
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
platform = "linux/amd64"
snapshotter = "native"`;

/** It pulls only; blobs in pieces of a mebibyte, several at a time. */
export const containerd2: ClientKind = {
  name: 'containerd 2',
  commands: ['go'],
  keepsManifests: true,
  start: async ({ user, password }, home) => {
    for (const name of ['containerd', 'ctr']) await installGoProgram(home, `${version2}/${name}@v2.3.4`);
    const next = counter(home);
    const access = ['--plain-http', '--user', `${user}:${password}`];
    return {
      push: () => Promise.reject(new Error('not tried')),
      pull: async (reference) => {
        // Each time another one: what was pulled or begun before stays for long.
        const { ctr, stop } = await startContainerd(next(), { programs: home, plugins: fetchingPieces });
        try {
          await ctr('images', 'pull', ...access, '--snapshotter', 'native', reference);
          return /sha256:[0-9a-f]{64}/.exec(await ctr('images', 'ls', `name==${reference}`))?.[0] ?? '';
        } finally {
          await stop();
        }
      },
    };
  },
};

const docker: ClientKind = {
  name: 'docker',
  commands: ['dockerd', 'docker'],
  keepsManifests: false,
  cannot: { zstd: 'the engine of Debian 12 is older than 23.0, which learned to unpack zstd' },
  start: async ({ host, user, password }, home) => {
    const engine = await startDockerEngine(home);
    const run = (...args: string[]) => engine.docker('jane', ...args);
    await run('login', '--username', user, '--password', password, host);
    const pull = async (reference: string) => {
      await run('pull', '--quiet', reference);
      return (await run('image', 'inspect', '--format', '{{.Id}}', reference)).trim();
    };
    return {
      push: async (image, reference, source) => {
        if (image.platforms === 1) {
          await run('tag', await pull(source), reference);
          await run('push', '--quiet', reference);
          return;
        }
        const index = JSON.parse(await readFile(join(image.directory, 'index.json'), 'utf8')) as {
          manifests: { digest: string }[];
        };
        const hex = index.manifests[0]?.digest.split(':')[1] as string;
        const { manifests } = JSON.parse(
          await readFile(join(image.directory, 'blobs/sha256', hex), 'utf8'),
        ) as {
          manifests: { digest: string }[];
        };
        const repository = source.slice(0, source.lastIndexOf(':'));
        const images = manifests.map(({ digest }) => `${repository}@${digest}`);
        await run('manifest', 'create', '--insecure', reference, ...images);
        await run('manifest', 'push', '--insecure', '--purge', reference);
      },
      pull: async (reference) => {
        const ids = lines(await run('image', 'ls', '--quiet'));
        if (ids.length > 0) await run('image', 'rm', '--force', ...new Set(ids));
        return pull(reference);
      },
      stop: () => engine.stop(),
    };
  },
};

export const clientKinds: readonly ClientKind[] = [
  docker,
  containersStorage('podman'),
  skopeo,
  containersStorage('buildah'),
  containerd,
  crane,
  oras,
  regctl,
];

/** A client with a directory of its own. */
export async function startClient(
  kind: ClientKind,
  registry: Registry,
  directory: string,
): Promise<RegistryClient> {
  const home = join(directory, kind.name);
  await mkdir(home, { recursive: true });
  return kind.start(registry, home);
}
