import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { open as openFile, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DirectoryBlobStore } from '../../../src/shared/blob-store/directory.ts';
import { type Digest, digestOf } from '../../../src/shared/distribution/digest.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';
import { testBlobStore } from './suite.ts';

const root = await tempDirectory();
const open = async () => {
  const store = new DirectoryBlobStore(root);
  await store.prepare();
  return store;
};

testBlobStore('directory', open, open);

it('keeps a published blob in a file named by its digest, and no session file', async () => {
  const store = await open();
  const bytes = Buffer.from('on disk');
  const digest = digestOf(bytes);
  const writer = await store.begin('one');
  await writer.write(bytes);
  assert.deepEqual(await readdir(join(root, 'sessions')), ['one']);
  await writer.publish(digest);
  assert.deepEqual(await readdir(join(root, 'sessions')), []);
  const hex = digest.slice('sha256:'.length);
  assert.ok((await readdir(join(root, 'blobs/sha256', hex.slice(0, 2)))).includes(hex));
});

it('shows a reader what was written so far, and nothing once the writer is closed', async () => {
  const writer = await (await open()).begin('followed');
  await writer.write(Buffer.from('abc'));
  const into = Buffer.alloc(10);
  assert.equal(await writer.read(into, 0), 0, 'gathered, not yet handed to the file');
  await writer.flush();
  assert.equal(await writer.read(into, 1), 2);
  assert.equal(into.toString('utf8', 0, 2), 'bc');
  await writer.discard();
  assert.equal(await writer.read(into, 0), 0);
});

it('leaves alone what is not its own in its directories', async () => {
  const store = await open();
  await writeFile(join(root, 'sessions', '.nfs000 1'), '');
  await writeFile(join(root, 'blobs', 'lost+found'), '');
  for await (const { session } of store.listSessions()) assert.notEqual(session, '.nfs000 1');
  for await (const { digest } of store.list()) assert.match(digest, /^sha\d+:/);
});

describe('a blob that was changed on its disk', () => {
  const pathOf = (digest: Digest) => {
    const hex = digest.slice('sha256:'.length);
    return join(root, 'blobs/sha256', hex.slice(0, 2), hex);
  };
  const publish = async (store: DirectoryBlobStore, bytes: Buffer) => {
    const digest = digestOf(bytes);
    const writer = await store.begin(`damaged-${digest.slice(-8)}`);
    await writer.write(Buffer.from(bytes));
    await writer.publish(digest);
    return digest;
  };
  const flipByte = async (digest: Digest, position: number) => {
    const file = await openFile(pathOf(digest), 'r+');
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
    await file.write(Buffer.from([(buffer[0] as number) ^ 1]), 0, 1, position);
    await file.close();
  };
  /** The bytes that a reader of the whole gets, and the error that ends them. */
  const readAll = async (store: DirectoryBlobStore, digest: Digest) => {
    let received = 0;
    const blob = await store.open(digest);
    assert.ok(blob);
    try {
      for await (const piece of blob.read()) received += piece.byteLength;
      return { received, code: undefined };
    } catch (error) {
      return { received, code: (error as { code?: string }).code };
    } finally {
      await blob.close();
    }
  };

  it('is never read to its end, however often it was read before', async () => {
    const store = await open();
    const digest = await publish(store, randomBytes(3_000_000));
    assert.equal((await readAll(store, digest)).code, undefined);
    await flipByte(digest, 1_500_000);
    for (const again of [store, store, await open()]) {
      const { received, code } = await readAll(again, digest);
      assert.equal(code, 'blob-damaged');
      assert.ok(received < 3_000_000, `${received} bytes were given`);
    }
    assert.equal(await store.check(digest), 'damaged');
  });

  it('is not even opened when it is small', async () => {
    const digest = await publish(await open(), Buffer.from('a small blob'));
    await flipByte(digest, 3);
    await assert.rejects((await open()).open(digest), { code: 'blob-damaged' });
  });

  it('is not read to its end when it was cut short', async () => {
    const store = await open();
    const digest = await publish(store, randomBytes(200_000));
    await truncate(pathOf(digest), 150_000);
    const { received, code } = await readAll(store, digest);
    assert.equal(code, 'blob-damaged');
    assert.ok(received < 150_000);
  });

  it('is whole again once it was published again', async () => {
    const store = await open();
    const bytes = randomBytes(100_000);
    const digest = await publish(store, bytes);
    await flipByte(digest, 0);
    assert.equal((await readAll(store, digest)).code, 'blob-damaged');
    await publish(store, bytes);
    assert.deepEqual(await readAll(store, digest), { received: 100_000, code: undefined });
    assert.equal(await store.check(digest), 'sound');
  });
});
