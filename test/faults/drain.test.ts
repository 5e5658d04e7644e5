/** SIGTERM in the middle of a push and of a pull (threats P23, G23). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { digestOf } from '../../src/shared/distribution/digest.ts';
import { freePort } from '../setup/free-port.ts';
import { eventually } from '../setup/processes.ts';
import { expectStatus, type RegistryClient, registryClient, uploadBlob } from '../setup/registry-client.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const program = join(import.meta.dirname, '../../src/dtr.ts');
const repository = 'admin/drained';

it('what runs when SIGTERM comes, twice, is finished; the port and the upload are there for the next start', async () => {
  const data = join(await tempDirectory(), 'data');
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const start = async () => {
    const args = ['serve', '--data', data, '--listen', address, '--external-url', url, '--no-tls'];
    const child = spawn(process.execPath, [program, ...args, '--log-level', 'error'], { stdio: 'ignore' });
    await eventually('it answers', () => fetch(`${url}/_ping`).then(Boolean, () => false), 60_000);
    const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
    const client = registryClient(url, `admin:${password}`, [`repository:${repository}:pull,push`]);
    return { child, client };
  };

  const first = await start();
  const pulled = randomBytes(20_000_000);
  const digest = await uploadBlob(first.client, repository, pulled);
  const bytes = randomBytes(1_000_000);
  const begun = await expectStatus(
    await first.client.request('POST', `/v2/${repository}/blobs/uploads/`),
    202,
  );
  const session = begun.headers.get('location') as string;
  const push = await slowPatch(first.client, session, bytes);
  const pull = await first.client.request('GET', `/v2/${repository}/blobs/${digest}`);

  const ended = once(first.child, 'exit');
  first.child.kill('SIGTERM');
  first.child.kill('SIGTERM');
  await eventually('it takes no new connection', () =>
    fetch(`${url}/_ping`).then(
      () => false,
      () => true,
    ),
  );
  assert.equal(digestOf(Buffer.from(await pull.arrayBuffer())), digest);
  assert.equal(await push.finish(), 202);
  assert.deepEqual(await ended, [0, null]);

  const second = await start();
  const put = await second.client.request('PUT', `${session}?digest=${digestOf(bytes)}`);
  await expectStatus(put, 201);
  second.child.kill('SIGTERM');
  assert.deepEqual(await once(second.child, 'exit'), [0, null]);
});

/** Sends the first half of a chunk; `finish` sends the rest and gives the status. */
async function slowPatch(client: RegistryClient, session: string, bytes: Buffer) {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const body = writable.getWriter();
  const answered = client.request('PATCH', session, { body: readable, duplex: 'half' } as RequestInit);
  await body.write(bytes.subarray(0, bytes.byteLength / 2));
  return {
    finish: async () => {
      await body.write(bytes.subarray(bytes.byteLength / 2));
      await body.close();
      return (await answered).status;
    },
  };
}
