/** Three caches in a row with a real docker at the end: far → near → first → origin. Each trusts and reaches its next hop only. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type DockerEngine, startDockerEngine } from '../setup/docker-engine.ts';
import { freePort } from '../setup/free-port.ts';
import type { LogLine } from '../setup/logger.ts';
import { type Pair, startPair } from '../setup/pair.ts';
import { missing, type RunningProgram, startProgram } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const directory = await tempDirectory();
const layerSizesBytes = [30_000_000, 10_000_000, 1];
const password = 'jane-password';

describe('a chain of three caches', { skip: missing('dockerd', 'docker') }, () => {
  let pair: Pair;
  let engine: DockerEngine;
  let image: string;
  const caches: RunningProgram[] = [];

  before(async () => {
    pair = await startPair(join(directory, 'pair'));
    // The pair's cache is the first; of the others nobody has the origin's CA.
    let next = pair.cacheUrl;
    for (const name of ['near', 'far']) {
      const port = await freePort();
      const config = join(directory, `${name}.yml`);
      await writeFile(
        config,
        `version: 0.1
storage: { delete: { enabled: true }, filesystem: { rootdirectory: ${join(directory, name)} } }
http: { addr: "127.0.0.1:${port}" }
middleware:
  registry:
    - name: downstream
      options:
        blobttl: 24h
        upstreams:
          - originhost: ${pair.originUrl}
            upstreamhosts:
              - ${next}
`,
      );
      caches.push(await startProgram('dtr-content-cache', [config]));
      next = `http://127.0.0.1:${port}`;
    }
    const created = await pair.api('POST', '/content_caches', { name: 'far', host: next });
    const { id } = (await created.json()) as { id: string };
    await pair.api('POST', '/accounts', { name: 'jane', password });
    await pair.api('PATCH', '/accounts/jane/settings', { contentCacheUUID: id });
    engine = await startDockerEngine(join(directory, 'docker'));
    image = `${pair.host}/jane/chained:1`;
    await engine.build(image, layerSizesBytes);
    await docker('login', '--username', 'jane', '--password', password, pair.host);
    await docker('push', image);
  });

  after(async () => {
    await engine?.stop();
    for (const cache of [...caches].reverse()) await cache.stop();
    await pair?.stop();
  });

  const docker = (...args: string[]) => engine.docker('jane', ...args);
  const pulls = (logs: LogLine[]) => logs.filter(({ msg }) => msg === 'pull');
  const logsOf = () => [pair.cacheLogs, ...caches.map(({ logs }) => logs)];

  it('serves a cold pull: each asks the next for each blob once', async () => {
    await docker('image', 'rm', '--force', image);
    await docker('pull', image);
    await pair.logsSettled();
    for (const logs of logsOf()) {
      assert.deepEqual(
        pulls(logs).map(({ cache, status }) => `${cache} ${status}`),
        Array(layerSizesBytes.length + 1).fill('miss 200'),
      );
    }
  });

  it('serves a warm pull from the last one alone', async () => {
    await docker('image', 'rm', '--force', image);
    const before = logsOf().map((logs) => pulls(logs).length);
    await docker('pull', image);
    await pair.logsSettled();
    const [first, near, far] = logsOf().map((logs, index) => pulls(logs).slice(before[index])) as LogLine[][];
    assert.deepEqual([first?.length, near?.length], [0, 0]);
    assert.equal(far?.length, layerSizesBytes.length + 1);
    assert.ok(far?.every(({ cache }) => cache === 'hit'));
  });
});
