/** How any blob store behaves. Each implementation runs it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { BlobPieces, BlobStore } from '../../../src/shared/blob-store/blob-store.ts';
import { type Digest, digestOf } from '../../../src/shared/distribution/digest.ts';

/** `reopen` gives a second store on the same data, as after a restart. */
export function testBlobStore(
  name: string,
  open: () => Promise<BlobStore>,
  reopen: () => Promise<BlobStore>,
): void {
  describe(`blob store: ${name}`, () => {
    it('gives back what was published, whole and by ranges, small and large', async () => {
      const store = await open();
      for (const sizeBytes of [0, 1, 4096, 65_537, 3 * 1024 * 1024 + 1]) {
        const bytes = randomBytes(sizeBytes);
        const digest = await put(store, bytes);
        assert.equal(await store.stat(digest), sizeBytes);
        assert.deepEqual(await read(store, digest), bytes);
        if (sizeBytes < 2) continue;
        const range = { start: 1, end: sizeBytes - 2 };
        assert.deepEqual(await read(store, digest, range), bytes.subarray(1, sizeBytes - 1));
      }
    });

    it('stores by sha512 as well', async () => {
      const store = await open();
      const bytes = randomBytes(100);
      const digest = digestOf(bytes, 'sha512');
      const writer = await store.begin('by-sha512');
      await writer.write(bytes);
      await writer.publish(digest);
      assert.deepEqual(await read(store, digest), bytes);
    });

    it('stores nothing under a digest that the bytes do not have, and forgets the bytes', async () => {
      const store = await open();
      const wrong = digestOf(Buffer.from('something else'));
      const writer = await store.begin('wrong-digest');
      await writer.write(Buffer.from('something'));
      await assert.rejects(writer.publish(wrong), { code: 'digest-mismatch' });
      assert.equal(writer.isOpen, false);
      assert.equal(await store.stat(wrong), undefined);
      assert.equal(await store.resume('wrong-digest'), undefined);
    });

    it('continues a suspended session, also after a restart', async () => {
      const bytes = randomBytes(2_000_000);
      const first = await (await open()).begin('continued');
      await first.write(bytes.subarray(0, 1_500_000));
      await first.suspend();
      const again = await reopen();
      const second = await again.resume('continued');
      assert.equal(second?.sizeBytes, 1_500_000);
      await second?.write(bytes.subarray(1_500_000));
      await second?.publish(digestOf(bytes));
      assert.deepEqual(await read(again, digestOf(bytes)), bytes);
    });

    it('lists its sessions, and a discarded one no more', async () => {
      const store = await open();
      const writer = await store.begin('listed');
      const sessions = async () => (await all(store.listSessions())).map(({ session }) => session);
      assert.ok((await sessions()).includes('listed'));
      await writer.discard();
      assert.ok(!(await sessions()).includes('listed'));
    });

    it('publishes a blob that is already there', async () => {
      const store = await open();
      const bytes = randomBytes(10);
      await put(store, bytes);
      assert.deepEqual(await read(store, await put(store, bytes)), bytes);
    });

    it('knows nothing of a blob that was never stored', async () => {
      const store = await open();
      const digest = digestOf(randomBytes(8));
      assert.equal(await store.stat(digest), undefined);
      assert.equal(await store.open(digest), undefined);
      assert.equal(await store.remove(digest), false);
    });

    it('lets who is reading read to the end when the blob is removed', async () => {
      const store = await open();
      const bytes = randomBytes(3_000_000);
      const digest = await put(store, bytes);
      const blob = await store.open(digest);
      assert.ok(blob);
      const pieces: Buffer[] = [];
      for await (const piece of blob.read()) {
        if (pieces.length === 0) assert.equal(await store.remove(digest), true);
        pieces.push(Buffer.from(piece));
      }
      await blob.close();
      assert.deepEqual(Buffer.concat(pieces), bytes);
      assert.equal(await store.stat(digest), undefined);
    });

    it('keeps nothing of a small blob that is removed while somebody opens it', async () => {
      const store = await open();
      for (let round = 0; round < 50; round += 1) {
        const digest = await put(store, randomBytes(100));
        const opening = [store.open(digest), store.open(digest)];
        await store.remove(digest);
        for (const blob of await Promise.all(opening)) await blob?.close();
        assert.equal(await store.stat(digest), undefined, `round ${round}`);
      }
    });

    it('lists every blob with its size', async () => {
      const store = await open();
      const digest = await put(store, Buffer.from('listed blob'));
      const blobs = await all(store.list());
      const listed = blobs.find((blob) => blob.digest === digest);
      assert.equal(listed?.sizeBytes, 11);
      assert.ok(Math.abs(Date.now() - (listed?.storedAtMs ?? 0)) < 60_000);
    });

    it('checks a blob against its digest', async () => {
      const store = await open();
      assert.equal(await store.check(await put(store, randomBytes(3_000_000))), 'sound');
      assert.equal(await store.check(await put(store, Buffer.alloc(0))), 'sound');
      assert.equal(await store.check(digestOf(randomBytes(8))), 'missing');
    });

    it('refuses a session name that could be a path', async () => {
      const store = await open();
      await assert.rejects(store.begin('../outside'), { code: 'upload-unknown' });
      await assert.rejects(store.resume('a/b'), { code: 'upload-unknown' });
    });
  });
}

let session = 0;

async function put(store: BlobStore, bytes: Uint8Array): Promise<Digest> {
  session += 1;
  const writer = await store.begin(`session-${session}`);
  for (let start = 0; start < bytes.byteLength; start += 65_536)
    await writer.write(bytes.subarray(start, start + 65_536));
  const digest = digestOf(bytes);
  await writer.publish(digest);
  return digest;
}

async function read(
  store: BlobStore,
  digest: Digest,
  range?: { start: number; end: number },
): Promise<Buffer> {
  const blob = await store.open(digest);
  assert.ok(blob, 'the blob is stored');
  try {
    return await collect(blob.read(range));
  } finally {
    await blob.close();
  }
}

async function collect(pieces: BlobPieces): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const piece of pieces) copies.push(Buffer.from(piece));
  return Buffer.concat(copies);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
