/** A containerd of the test's own, ended by its process id. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, runClient, stop } from './processes.ts';

export interface Containerd {
  ctr(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** `programs`: the directory of other programs than the system's. `plugins`: more of its configuration, in TOML. */
export async function startContainerd(
  directory: string,
  options: { programs?: string; plugins?: string } = {},
): Promise<Containerd> {
  await mkdir(directory, { recursive: true });
  const address = join(directory, 'containerd.sock');
  const configuration = join(directory, 'containerd.toml');
  await writeFile(configuration, options.plugins === undefined ? '' : `version = 3\n${options.plugins}\n`);
  const program = (name: string) => (options.programs === undefined ? name : join(options.programs, name));
  const daemon = spawn(
    program('containerd'),
    [
      ...['--config', configuration, '--address', address],
      ...['--root', join(directory, 'root'), '--state', join(directory, 'state')],
    ],
    { stdio: 'ignore' },
  );
  const ctr = (...args: string[]) => runClient(program('ctr'), ['--address', address, ...args]);
  try {
    await eventually(
      'containerd answers',
      () =>
        ctr('version').then(
          () => true,
          () => false,
        ),
      30_000,
    );
  } catch (error) {
    await stop(daemon);
    throw error;
  }
  return { ctr, stop: () => stop(daemon) };
}
