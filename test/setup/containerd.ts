/** A containerd of the test's own, ended by its process id. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, runClient, stop } from './processes.ts';

export interface Containerd {
  ctr(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

export async function startContainerd(directory: string): Promise<Containerd> {
  await mkdir(directory, { recursive: true });
  const address = join(directory, 'containerd.sock');
  const daemon = spawn(
    'containerd',
    ['--root', join(directory, 'root'), '--state', join(directory, 'state'), '--address', address],
    { stdio: 'ignore' },
  );
  const ctr = (...args: string[]) => runClient('ctr', ['--address', address, ...args]);
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
