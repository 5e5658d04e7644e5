/** The cache as a process: killed in the middle of a fill, stalled by its upstream, and on storage that refuses (threats F16, F22, G08). */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { type FakeOrigin, startFakeOrigin } from '../setup/fake-origin.ts';
import { freePort } from '../setup/free-port.ts';
import { eventually, missing, type RunningProgram, startProgram } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const run = promisify(execFile);
const origin = await startFakeOrigin();
const inOrder = origin.answer;
const sizeBytes = 8_000_000;

async function configure(options = '', root?: string): Promise<{ file: string; url: string; root: string }> {
  const directory = await tempDirectory();
  const address = `127.0.0.1:${await freePort()}`;
  const rootDirectory = root ?? join(directory, 'registry');
  await writeFile(join(directory, 'ca.pem'), origin.ca);
  const file = join(directory, 'config.yml');
  await writeFile(
    file,
    `version: 0.1
storage: { delete: { enabled: true }, filesystem: { rootdirectory: ${rootDirectory} } }
http: { addr: "${address}", draintimeout: 1s }
middleware:
  registry:
    - name: downstream
      options:
        upstreams: [{ originhost: "${origin.url}" }]
        cas: [${join(directory, 'ca.pem')}]
        ${options}
`,
  );
  return { file, url: `http://${address}`, root: rootDirectory };
}

/** Gives the first half of the blob, and then nothing. */
const halfAndStall: FakeOrigin['answer'] = (_request, response, bytes) => {
  response.writeHead(200, { 'Content-Length': bytes.byteLength });
  response.write(bytes.subarray(0, bytes.byteLength / 2));
};

const pull = async (url: string, digest: Digest) => {
  const response = await fetch(url + origin.signedPath(digest));
  return { status: response.status, digest: digestOf(Buffer.from(await response.arrayBuffer())) };
};

const rangesAsked = (digest: Digest) =>
  origin.blobRequests.filter(({ url }) => url?.includes(digest)).map(({ headers }) => headers.range);

it('a fill that kill -9 interrupted goes on from what is on the disk', async () => {
  const { file, url, root } = await configure();
  const bytes = randomBytes(sizeBytes);
  const digest = origin.add(bytes);
  origin.answer = halfAndStall;
  const first = await startProgram('dtr-content-cache', [file]);
  const response = await fetch(url + origin.signedPath(digest));
  let received = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    received += chunk.byteLength;
    if (received >= sizeBytes / 2) break;
  }
  process.kill(first.pid, 'SIGKILL');
  await eventually('it is gone', () =>
    fetch(url).then(
      () => false,
      () => true,
    ),
  );
  assert.equal((await readdir(join(root, 'sessions'))).length, 1);

  origin.answer = inOrder;
  const second = await startProgram('dtr-content-cache', [file]);
  try {
    assert.deepEqual(await pull(url, digest), { status: 200, digest });
    const [, range] = rangesAsked(digest);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
    assert.ok(from >= sizeBytes / 4, `it went on from byte ${from}`);
    assert.deepEqual(await readdir(join(root, 'sessions')), []);
  } finally {
    await second.stop();
  }
});

it('an upstream that stalls in the middle is left, and the fill goes on by Range', async () => {
  const { file, url } = await configure('timeouts: { idle: 300ms }');
  const cache = await startProgram('dtr-content-cache', [file]);
  try {
    const digest = origin.add(randomBytes(sizeBytes));
    origin.answer = (request, response, bytes) => {
      origin.answer = inOrder;
      halfAndStall(request, response, bytes);
    };
    assert.deepEqual(await pull(url, digest), { status: 200, digest });
    const [first, second] = rangesAsked(digest);
    assert.equal(first, undefined);
    assert.match(second ?? '', /^bytes=[1-9]\d+-$/);
  } finally {
    origin.answer = inOrder;
    await cache.stop();
  }
});

const notRoot =
  process.getuid?.() === 0 || process.env.CI === 'true' ? false : 'NOT TESTED: only root can mount';

it('a directory that became read-only costs the storing, not the pull', { skip: notRoot }, async () => {
  const { file, url, root } = await configure();
  const stored = origin.add(randomBytes(sizeBytes));
  const cache = await startProgram('dtr-content-cache', [file]);
  const sessions = join(root, 'sessions');
  try {
    await pull(url, stored);
    await run('mount', ['--bind', sessions, sessions]);
    await run('mount', ['-o', 'remount,bind,ro', sessions]);
    const cold = origin.add(randomBytes(sizeBytes));
    assert.deepEqual(await pull(url, cold), { status: 200, digest: cold });
    assert.deepEqual(await pull(url, stored), { status: 200, digest: stored });
    assert.ok(cache.logs.some(({ msg }) => String(msg).includes('cannot be stored')));
  } finally {
    await run('umount', ['--lazy', sessions]).catch(() => {});
    await cache.stop();
  }
});

it('at the limit of open files a signed request is never refused with a 4xx, and it recovers', {
  skip: missing('prlimit'),
}, async () => {
  const { file, url } = await configure();
  const stored = origin.add(randomBytes(sizeBytes));
  const cache: RunningProgram = await startProgram('dtr-content-cache', [file]);
  try {
    await pull(url, stored);
    const open = (await readdir(`/proc/${cache.pid}/fd`)).length;
    await run('prlimit', ['--pid', String(cache.pid), `--nofile=${open + 12}:`]);
    const blobs = Array.from({ length: 10 }, () => origin.add(randomBytes(200_000)));
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        fetch(url + origin.signedPath(blobs[index % 10] as Digest), { signal: AbortSignal.timeout(4_000) })
          .then(async (response) => ({
            status: response.status,
            bytes: (await response.arrayBuffer()).byteLength,
          }))
          .catch(() => undefined),
      ),
    );
    for (const answer of answers) {
      if (answer === undefined) continue;
      assert.ok(answer.status === 200 || answer.status >= 500, `status ${answer.status}`);
    }
    await run('prlimit', ['--pid', String(cache.pid), '--nofile=1024:']);
    await eventually(
      'it serves again',
      async () => (await pull(url, stored).catch(() => undefined))?.digest === stored,
    );
    const cold = origin.add(randomBytes(sizeBytes));
    await eventually(
      'it fills again',
      async () => (await pull(url, cold).catch(() => undefined))?.digest === cold,
      30_000,
    );
  } finally {
    await cache.stop();
  }
});
