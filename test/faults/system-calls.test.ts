/** In which order a push reaches the disk, seen by strace (threats P1, G03). */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../setup/free-port.ts';
import { eventually, missing } from '../setup/processes.ts';
import { imageManifest, putManifest, registryClient, uploadBlob } from '../setup/registry-client.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const source = join(import.meta.dirname, '../../src');
const calls =
  'fsync,fdatasync,rename,renameat,renameat2,write,writev,sendto,sendmsg,pwrite64,pwritev,openat,open';

it('a blob is synced, renamed, its directory synced and the database synced before the 201 is sent, and a manifest likewise', {
  skip: missing('strace'),
}, async () => {
  const directory = await tempDirectory();
  const data = join(directory, 'data');
  const trace = join(directory, 'trace');
  const url = `http://127.0.0.1:${await freePort()}`;
  const origin = spawn(
    'strace',
    // Whole lines in the order of completion, with the paths of descriptors.
    ['-f', '-yy', '-s', '64', '-o', trace, '-e', `trace=${calls}`, process.execPath].concat([
      ...[join(source, 'dtr.ts'), 'serve', '--data', data, '--listen', new URL(url).host],
      ...['--external-url', url, '--no-tls', '--log-level', 'warn'],
    ]),
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  try {
    await eventually('the origin answers', () => fetch(`${url}/_ping`).then(Boolean, () => false), 60_000);
    const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
    const client = registryClient(url, `admin:${password}`, ['repository:admin/traced:pull,push']);
    const bytes = randomBytes(100_000);
    const digest = await uploadBlob(client, 'admin/traced', bytes);
    await putManifest(client, 'admin/traced', 'latest', imageManifest([{ digest, size: bytes.byteLength }]));
  } finally {
    // The traced process, not strace, which would leave it running: strace ends with it.
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(origin.pid)]);
    process.kill(Number(stdout), 'SIGTERM');
    await once(origin, 'exit');
  }
  const lines = (await readFile(trace, 'utf8')).split('\n');
  /** The next line from `from` on where the call ended well. */
  const after = (from: number, what: string, pattern: RegExp): number => {
    const index = lines.findIndex((line, at) => at > from && pattern.test(line));
    assert.ok(index > 0, `${what}: not found after line ${from} of the trace`);
    return index;
  };
  const created = (from: number) =>
    after(from, 'a 201 on the socket', /(?:write|writev|send\w+)\(.*HTTP\/1\.1 201/);
  const lastBefore = (end: number, what: string, pattern: RegExp): number => {
    const index = lines.slice(0, end).findLastIndex((line) => pattern.test(line));
    assert.ok(index > 0, `${what}: not found before line ${end} of the trace`);
    return index;
  };
  // Calls of the thread pool may be shown in two lines: the second one, "resumed", is when it ended.
  const rename = after(0, 'the rename', /rename\w*\(.*\/sessions\/.*\/blobs\/sha256\//);
  const synced = lastBefore(rename, 'fsync of the session', /(?:fsync|fdatasync)\(.*\/sessions\//);
  const directorySynced = after(rename, 'fsync of the directory', /fsync\(.*\/blobs\/sha256\/\w\w>/);
  const committed = after(directorySynced, 'fsync of the database', /(?:fsync|fdatasync)\(.*dtr\.db-wal>/);
  const acknowledged = created(0);
  assert.ok(synced < rename && rename < directorySynced, 'file before rename before directory');
  assert.ok(directorySynced < committed && committed < acknowledged, 'directory before database before 201');

  const manifestAcknowledged = created(acknowledged);
  const manifestCommitted = lastBefore(
    manifestAcknowledged,
    'fsync of the database',
    /f(?:data)?sync\(.*dtr\.db-wal>/,
  );
  assert.ok(manifestCommitted > acknowledged, 'the manifest is committed and synced before its 201');
});
