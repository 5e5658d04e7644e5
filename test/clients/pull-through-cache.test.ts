/** The main job, with the clients that people use: push to the origin, pull through the content cache. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startContainerd } from '../setup/containerd.ts';
import { type DockerEngine, startDockerEngine } from '../setup/docker-engine.ts';
import type { LogLine } from '../setup/logger.ts';
import { basic } from '../setup/origin.ts';
import { type Pair, startPair } from '../setup/pair.ts';
import { missing, runClient } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const directory = await tempDirectory();
const layerSizesBytes = [120_000_000, 80_000_000, 60_000_000, 40_000_000, 1_000, 1];
const password = 'jane-password';

describe('a content cache and its origin', { skip: missing('dockerd', 'docker') }, () => {
  let pair: Pair;
  let engine: DockerEngine;
  let image: string;

  before(async () => {
    pair = await startPair(join(directory, 'pair'));
    for (const name of ['jane', 'eve', 'far']) await pair.api('POST', '/accounts', { name, password });
    await pair.api('PATCH', '/accounts/jane/settings', { contentCacheUUID: pair.cacheId });
    engine = await startDockerEngine(join(directory, 'docker'));
    image = `${pair.host}/jane/app:1`;
    await engine.build(image, layerSizesBytes);
  });

  after(async () => {
    await engine?.stop();
    await pair?.stop();
  });

  const docker = (...args: string[]) => engine.docker('jane', ...args);
  const requests = (logs: LogLine[], from: number) => logs.slice(from);

  /** Blob requests that the origin answered with bytes. */
  const originBytes = (from: number) =>
    requests(pair.originLogs, from)
      .filter((line) => line.method === 'GET' && String(line.path).includes('/blobs/'))
      .reduce((sum, line) => sum + Number(line.bytes), 0);

  /** The image's blobs, as the manifest at the origin lists them. */
  async function blobsOf(tag: string): Promise<string[]> {
    const token = await tokenOf('jane');
    const manifest = await pair.fetch(`${pair.originUrl}/v2/jane/app/manifests/${tag}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { config, layers } = (await manifest.json()) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    return [config.digest, ...layers.map((layer) => layer.digest)].sort();
  }

  async function tokenOf(user: string, at: Pair = pair): Promise<string> {
    const answer = await at.fetch(
      `${at.originUrl}/auth/token?service=${at.host}&scope=repository:jane/app:pull`,
      { headers: { Authorization: basic(`${user}:${password}`) } },
    );
    return ((await answer.json()) as { token: string }).token;
  }

  async function pullAnew(): Promise<{ cache: LogLine[]; originFrom: number }> {
    await docker('image', 'rm', '--force', image);
    await pair.logsSettled();
    const [cacheFrom, originFrom] = [pair.cacheLogs.length, pair.originLogs.length];
    await docker('pull', image);
    await pair.logsSettled();
    return { cache: requests(pair.cacheLogs, cacheFrom).filter((line) => line.msg === 'pull'), originFrom };
  }

  it('docker logs in and pushes an image of 300 MB', async () => {
    await docker('login', '--username', 'jane', '--password', password, pair.host);
    await docker('push', image);
    const digests = await blobsOf('1');
    assert.equal(digests.length, layerSizesBytes.length + 1);
    await pair.logsSettled();
    assert.equal(pair.cacheLogs.filter((line) => line.msg === 'pull').length, 0, 'a push touches no cache');
  });

  it('the first pull gets every layer from the cache, which fetches each once', async () => {
    const { cache, originFrom } = await pullAnew();
    const digests = await blobsOf('1');
    assert.deepEqual(cache.map((line) => line.digest).sort(), digests);
    const sent = requests(pair.originLogs, originFrom).filter(
      (line) => line.method === 'GET' && line.status === 200 && String(line.path).includes('/blobs/'),
    );
    assert.deepEqual(sent.map((line) => String(line.path).split('/').at(-1)).sort(), digests);
    for (const line of cache) {
      assert.equal(line.cache, 'miss');
      assert.equal(line.user, 'jane');
      assert.equal(line.repository, 'jane/app');
      assert.equal(line.status, 200);
      assert.ok(Number(line.durationMs) > 0);
    }
    const served = cache.reduce((sum, line) => sum + Number(line.bytes), 0);
    assert.ok(served > layerSizesBytes.reduce((sum, sizeBytes) => sum + sizeBytes));
  });

  it('the second pull takes no layer byte from the origin: manifests and redirects only', async () => {
    const { cache, originFrom } = await pullAnew();
    assert.deepEqual(cache.map((line) => line.digest).sort(), await blobsOf('1'));
    assert.ok(cache.every((line) => line.cache === 'hit'));
    assert.equal(originBytes(originFrom), 0);
    const blobs = requests(pair.originLogs, originFrom).filter((line) =>
      String(line.path).includes('/blobs/'),
    );
    assert.ok(blobs.length > 0 && blobs.every((line) => line.status === 307));
  });

  it('after the tag was pushed again, the next pull gets the new image', async () => {
    const newId = await engine.build(image, [30_000_000]);
    await docker('push', image);
    await pullAnew();
    const pulledId = (await docker('image', 'inspect', '--format', '{{.Id}}', image)).trim();
    assert.equal(pulledId, newId);
  });

  it('another user, and nobody, are refused at the origin', async () => {
    await docker('image', 'rm', '--force', image);
    await engine.docker('eve', 'login', '--username', 'eve', '--password', password, pair.host);
    await assert.rejects(engine.docker('eve', 'pull', image), /denied|unauthorized/);
    await assert.rejects(engine.docker('nobody', 'pull', image), /denied|unauthorized|no basic auth/);
    await assert.rejects(
      engine.docker('eve', 'login', '--username', 'jane', '--password', 'wrong', pair.host),
      /unauthorized|incorrect/,
    );
  });

  it('at the cache, a made-up or a foreign token and none at all are refused, although the blob is on its disk', async () => {
    const digest = (await blobsOf('1'))[0] as string;
    const url = `${pair.cacheUrl}/v2/jane/app/blobs/${digest}`;
    assert.equal((await fetch(url)).status, 401);
    assert.equal((await fetch(`${url}?token=made.up.token`)).status, 403);
    assert.equal((await fetch(`${url}?token=${await tokenOf('jane')}`)).status, 403);
    assert.equal(
      (await fetch(url, { headers: { Authorization: `Bearer ${await tokenOf('jane')}` } })).status,
      401,
    );
    const other = await startPair(join(directory, 'other'));
    try {
      await other.api('POST', '/accounts', { name: 'jane', password });
      const foreign = await foreignUrl(other, digest);
      const elsewhere = await fetch(`${other.cacheUrl}/v2/jane/app/blobs/${digest}${foreign}`);
      assert.equal(elsewhere.status, 200, 'it is good at a cache of its own origin');
      await elsewhere.body?.cancel();
      assert.equal((await fetch(`${url}${foreign}`)).status, 403);
    } finally {
      await other.stop();
    }
  });

  /** The query of a signed URL that another origin made for the same blob of a repository of the same name. */
  async function foreignUrl(other: Pair, digest: string): Promise<string> {
    await other.api('PATCH', '/accounts/jane/settings', { contentCacheUUID: other.cacheId });
    await runClient('skopeo', [
      ...['copy', '--src-tls-verify=false', '--src-creds', `jane:${password}`],
      ...['--dest-tls-verify=false', '--dest-creds', `jane:${password}`],
      ...[`docker://${image}`, `docker://${other.host}/jane/app:1`],
    ]);
    const redirect = await other.fetch(`${other.originUrl}/v2/jane/app/blobs/${digest}`, {
      headers: { Authorization: `Bearer ${await tokenOf('jane', other)}` },
      redirect: 'manual',
    });
    assert.equal(redirect.status, 307);
    return new URL(redirect.headers.get('location') as string).search;
  }

  /** Runs a pull and checks that each blob of the image came through the cache. */
  async function throughTheCache(pull: () => Promise<unknown>): Promise<void> {
    await pair.logsSettled();
    const [cacheFrom, originFrom] = [pair.cacheLogs.length, pair.originLogs.length];
    await pull();
    await pair.logsSettled();
    const pulls = requests(pair.cacheLogs, cacheFrom).filter((line) => line.msg === 'pull');
    assert.deepEqual([...new Set(pulls.map((line) => line.digest))].sort(), await blobsOf('1'));
    assert.ok(pulls.every((line) => line.cache === 'hit' && line.status === 200));
    assert.equal(originBytes(originFrom), 0);
  }

  it('skopeo pulls through the cache', { skip: missing('skopeo') }, () =>
    throughTheCache(() =>
      runClient('skopeo', [
        ...['copy', '--src-tls-verify=false', '--src-creds', `jane:${password}`],
        ...[`docker://${image}`, `dir:${join(directory, 'skopeo')}`],
      ]),
    ),
  );

  it('buildah pulls through the cache', { skip: missing('buildah') }, () =>
    throughTheCache(() =>
      runClient('buildah', [
        ...['--root', join(directory, 'buildah'), '--runroot', join(directory, 'buildah-run')],
        ...['--storage-driver', 'vfs', 'pull', '--tls-verify=false', '--creds', `jane:${password}`, image],
      ]),
    ),
  );

  it('crane pulls through the cache', { skip: missing('go') }, async () => {
    const home = join(directory, 'crane');
    await mkdir(home);
    await runClient('go', ['install', 'github.com/google/go-containerregistry/cmd/crane@v0.21.9'], {
      env: { GOBIN: home },
    });
    const crane = (...args: string[]) =>
      runClient(join(home, 'crane'), args, { env: { DOCKER_CONFIG: home, SSL_CERT_FILE: pair.caFile } });
    await crane('auth', 'login', '--username', 'jane', '--password', password, pair.host);
    await throughTheCache(() => crane('pull', image, join(home, 'image.tar')));
  });

  it('podman pulls through the cache', { skip: missing('podman') }, () =>
    throughTheCache(() =>
      runClient('podman', [
        ...['--root', join(directory, 'podman'), '--runroot', join(directory, 'podman-run')],
        ...['--storage-driver', 'vfs', 'pull', '--tls-verify=false', '--creds', `jane:${password}`, image],
      ]),
    ),
  );

  it('containerd pulls through the cache', { skip: missing('containerd', 'ctr') }, async () => {
    const home = join(directory, 'containerd');
    const { ctr, stop } = await startContainerd(home);
    try {
      // Without this it would speak plain HTTP to anything at 127.0.0.1.
      const hosts = join(home, 'hosts');
      await mkdir(join(hosts, pair.host), { recursive: true });
      await writeFile(
        join(hosts, pair.host, 'hosts.toml'),
        `server = "${pair.originUrl}"\n[host."${pair.originUrl}"]\nca = "${pair.caFile}"\n`,
      );
      await throughTheCache(() =>
        ctr(
          ...['images', 'pull', '--hosts-dir', hosts, '--snapshotter', 'native'],
          ...['--user', `jane:${password}`, image],
        ),
      );
    } finally {
      await stop();
    }
  });

  it('a user without a cache gets the layers from the origin', async () => {
    await pair.api('PATCH', '/accounts/jane/settings', { contentCacheUUID: '' });
    const { cache, originFrom } = await pullAnew();
    assert.deepEqual(cache, []);
    assert.ok(originBytes(originFrom) > 30_000_000);
    await pair.api('PATCH', '/accounts/jane/settings', { contentCacheUUID: pair.cacheId });
  });

  it('when the cache is deleted, its users get the layers from the origin', async () => {
    await pair.api('DELETE', `/content_caches/${pair.cacheId}`);
    const { cache, originFrom } = await pullAnew();
    assert.deepEqual(cache, []);
    assert.ok(originBytes(originFrom) > 30_000_000);
  });
});
