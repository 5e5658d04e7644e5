import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { DirectoryBlobStore } from '../../../src/shared/blob-store/directory.ts';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
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
