/** What `npm start` sets up, and what it tells to do next, done by a real Docker client. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { type DockerEngine, startDockerEngine } from '../setup/docker-engine.ts';
import type { LogLine } from '../setup/logger.ts';
import { eventually, missing, stop } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const host = 'localhost:8443';
const image = `${host}/admin/app:1`;
const layerSizesBytes = [5_000_000, 1_000_000];

const directory = await tempDirectory();

describe('npm start', { skip: missing('dockerd', 'docker') || (await taken(8443, 5000)) }, () => {
  let quickstart: ChildProcess;
  let engine: DockerEngine;

  before(async () => {
    engine = await startDockerEngine(join(directory, 'docker'));
    quickstart = spawn(process.execPath, [join(import.meta.dirname, '../../src/quickstart.ts')], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let ready = false;
    createInterface(quickstart.stdout as NodeJS.ReadableStream).on('line', (line) => {
      if (line === 'Ctrl-C stops both.') ready = true;
    });
    await eventually(
      'npm start says what to do next',
      () => {
        if (quickstart.exitCode !== null) throw new Error('npm start ended');
        return ready;
      },
      30_000,
    );
  });

  after(async () => {
    if (quickstart !== undefined) await stop(quickstart);
    await engine?.stop();
  });

  it('docker logs in, pushes, and pulls every layer from the cache on localhost', async () => {
    const docker = (...args: string[]) => engine.docker('admin', ...args);
    const password = (await readFile(join(directory, 'data/admin-password'), 'utf8')).trim();
    const id = await engine.build(image, layerSizesBytes);
    await docker('login', '--username', 'admin', '--password', password, host);
    await docker('push', image);
    await docker('image', 'rm', '--force', image);
    await docker('pull', image);
    assert.equal((await docker('image', 'inspect', '--format', '{{.Id}}', image)).trim(), id);
    const pulls = async () =>
      (await readFile(join(directory, 'data/logs/content-cache.log'), 'utf8'))
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line) as LogLine)
        .filter((line) => line.msg === 'pull');
    await eventually(
      'a line for each layer and the config',
      async () => (await pulls()).length > layerSizesBytes.length,
    );
    const lines = await pulls();
    assert.equal(new Set(lines.map((line) => line.digest)).size, layerSizesBytes.length + 1);
    assert.deepEqual([...new Set(lines.map((line) => line.status))], [200], 'docker took each to its end');
  });
});

/** Why the test cannot run beside what uses its ports; they are fixed, so it is never skipped with CI=true. */
async function taken(...ports: number[]): Promise<string | false> {
  if (process.env.CI === 'true') return false;
  for (const port of ports) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, 'localhost');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (answered) return `NOT TESTED: port ${port} is in use`;
  }
  return false;
}
