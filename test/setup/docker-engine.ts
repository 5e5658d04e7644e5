/** A Docker engine of the test's own: its own socket, its own images, ended by its pid. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, runClient, stop } from './processes.ts';

export interface DockerEngine {
  /** Runs `docker <args>` as a user of its own; `home` keeps logins apart. */
  docker(home: string, ...args: string[]): Promise<string>;
  /** Builds an image of one layer of random bytes per size, and returns its id. */
  build(tag: string, layerSizesBytes: readonly number[]): Promise<string>;
  stop(): Promise<void>;
}

/** `timeoutMs` bounds each command; three minutes by default. */
export async function startDockerEngine(
  directory: string,
  options: { timeoutMs?: number } = {},
): Promise<DockerEngine> {
  const socket = join(directory, 'docker.sock');
  for (const name of ['root', 'exec']) await mkdir(join(directory, name), { recursive: true });
  const engine = spawn(
    'dockerd',
    [
      '--bridge=none',
      '--iptables=false',
      '--ip6tables=false',
      '--storage-driver=vfs',
      `--data-root=${join(directory, 'root')}`,
      `--exec-root=${join(directory, 'exec')}`,
      `--host=unix://${socket}`,
      `--pidfile=${join(directory, 'dockerd.pid')}`,
    ],
    { stdio: 'ignore' },
  );
  let failure: Error | undefined;
  engine.once('error', (error) => {
    failure = error;
  });
  const docker = async (home: string, ...args: string[]) => {
    await mkdir(join(directory, 'homes', home), { recursive: true });
    return runClient('docker', args, {
      ...options,
      env: { DOCKER_HOST: `unix://${socket}`, HOME: join(directory, 'homes', home), DOCKER_BUILDKIT: '0' },
    });
  };
  await eventually(
    'the Docker engine answers',
    async () => {
      if (failure !== undefined || engine.exitCode !== null)
        throw failure ?? new Error('the Docker engine ended');
      return (
        existsSync(socket) &&
        (await docker('nobody', 'version').then(
          () => true,
          () => false,
        ))
      );
    },
    60_000,
  );
  return {
    docker,
    build: async (tag, layerSizesBytes) => {
      const context = join(directory, 'context');
      await mkdir(context, { recursive: true });
      const files = layerSizesBytes.map((_, index) => `layer-${index}`);
      for (const [index, file] of files.entries()) {
        await writeFile(join(context, file), randomBytes(layerSizesBytes[index] as number));
      }
      await writeFile(
        join(context, 'Dockerfile'),
        ['FROM scratch', ...files.map((file) => `COPY ${file} /`)].join('\n'),
      );
      await docker('builder', 'build', '--quiet', '--tag', tag, context);
      await rm(context, { recursive: true });
      return (await docker('builder', 'image', 'inspect', '--format', '{{.Id}}', tag)).trim();
    },
    stop: () => stop(engine),
  };
}
