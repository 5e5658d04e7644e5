import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { ensureCertificate } from '../../src/origin/certificates.ts';
import { listen } from '../../src/shared/http/shutdown.ts';
import { freePort } from '../setup/free-port.ts';
import { eventually } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const source = join(import.meta.dirname, '../../src');

function start(program: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(source, program), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What the program wrote to standard error, and its exit code. */
async function ending(child: ChildProcess): Promise<{ code: number; errors: string[] }> {
  const errors: string[] = [];
  createInterface(child.stderr as NodeJS.ReadableStream).on('line', (line) => errors.push(line));
  child.stdout?.resume();
  const [code] = await once(child, 'close');
  return { code, errors };
}

async function untilListening(child: ChildProcess): Promise<void> {
  for await (const line of createInterface(child.stdout as NodeJS.ReadableStream)) {
    if (line.includes('"msg":"listening"')) return;
  }
  throw new Error('it ended before it listened');
}

describe('dtr serve', () => {
  it('starts on an empty directory, keeps its secrets to itself, drains on SIGTERM and goes on with the same data', async () => {
    const data = join(await tempDirectory(), 'data');
    const port = await freePort();
    const args = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`];
    const passwords: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const child = start('dtr.ts', ...args);
      const ended = ending(child);
      await untilListening(child);
      passwords.push(await readFile(join(data, 'admin-password'), 'utf8'));
      child.kill('SIGTERM');
      assert.deepEqual(await ended, { code: 0, errors: [] });
    }
    assert.equal(passwords[0], passwords[1]);
    for (const secret of ['admin-password', 'ca-key.pem', 'server-key.pem', 'dtr.db']) {
      assert.equal((await stat(join(data, secret))).mode & 0o777, 0o600, secret);
    }
  });

  const failures: [what: string, prepare: (data: string) => Promise<string[]>, line: RegExp][] = [
    [
      'a directory that cannot be written',
      async (data) => {
        await writeFile(data, 'a file');
        return [];
      },
      /^dtr: cannot write to the directory \S+: /,
    ],
    [
      'a damaged database',
      async (data) => {
        await mkdir(data);
        await writeFile(
          join(data, 'dtr.db'),
          'this is no database, but it is long enough to be read as one '.repeat(20),
        );
        return [];
      },
      /^dtr: the database \S+ is damaged \(.+\): restore it from a backup$/,
    ],
    [
      'blobs whose database is gone',
      async (data) => {
        await mkdir(join(data, 'blobs'), { recursive: true });
        return [];
      },
      /^dtr: the database \S+ is missing although there are blobs beside it: restore it from a backup$/,
    ],
    ['an address that is none', async () => ['--listen', 'here'], /^dtr: --listen: \[host\]:port expected$/],
    [
      'an external URL with a path',
      async () => ['--external-url', 'https://dtr.example/x'],
      /^dtr: --external-url: .+ expected$/,
    ],
    [
      'a certificate that is not there',
      async () => ['--tls-certificate', '/nowhere.pem', '--tls-key', '/nowhere.pem'],
      /^dtr: cannot read \/nowhere\.pem: /,
    ],
    [
      'a trusted proxy that is no address',
      async () => ['--trusted-proxies', '10.0.0.0/8,proxy.example'],
      /^dtr: --trusted-proxies: addresses and networks such as /,
    ],
  ];
  for (const [what, prepare, line] of failures) {
    it(`${what}: one line that says so, and exit code 1`, async () => {
      const data = join(await tempDirectory(), 'data');
      const more = await prepare(data);
      const { code, errors } = await ending(
        start('dtr.ts', 'serve', '--data', data, '--listen', '127.0.0.1:0', ...more),
      );
      assert.equal(code, 1);
      assert.equal(errors.length, 1, errors.join('\n'));
      assert.match(errors[0] as string, line);
    });
  }

  it('a port that is taken: one line that says so, and exit code 1', async () => {
    const other = createServer();
    const port = await listen(other as Parameters<typeof listen>[0], { host: '127.0.0.1', port: 0 });
    const data = join(await tempDirectory(), 'data');
    const { code, errors } = await ending(
      start('dtr.ts', 'serve', '--data', data, '--listen', `127.0.0.1:${port}`),
    );
    other.close();
    assert.equal(code, 1);
    assert.deepEqual(errors, [
      `dtr: cannot listen on 127.0.0.1:${port}: the port is taken by another program`,
    ]);
  });

  it('data that another origin uses: one line that says so, and exit code 1', async () => {
    const data = join(await tempDirectory(), 'data');
    const first = start('dtr.ts', 'serve', '--data', data, '--listen', '127.0.0.1:0');
    const firstEnded = ending(first);
    await untilListening(first);
    const { code, errors } = await ending(
      start('dtr.ts', 'serve', '--data', data, '--listen', '127.0.0.1:0'),
    );
    assert.equal(code, 1);
    assert.deepEqual(errors, [`dtr: the data in ${data} is in use by another origin`]);
    first.kill('SIGTERM');
    assert.equal((await firstEnded).code, 0);
  });
});

describe('dtr gc and dtr scrub', () => {
  it('work beside a running origin, by hand and for scripts', async () => {
    const data = join(await tempDirectory(), 'data');
    const origin = start('dtr.ts', 'serve', '--data', data, '--listen', '127.0.0.1:0');
    const originEnded = ending(origin);
    await untilListening(origin);
    const run = async (...args: string[]) => {
      const child = start('dtr.ts', ...args, '--data', data);
      const output: string[] = [];
      createInterface(child.stdout as NodeJS.ReadableStream).on('line', (line) => output.push(line));
      return { ...(await ending(child)), output };
    };
    const dry = await run('gc', '--dry-run', '--gc-untagged', '30m');
    assert.deepEqual(dry, {
      code: 0,
      errors: [],
      output: [
        'untagged manifests that would be removed: 0',
        'blobs that would be removed: 0 (0 bytes)',
        'abandoned uploads that would be removed: 0',
      ],
    });
    const json = await run('gc', '--json');
    assert.deepEqual(JSON.parse(json.output[0] as string), {
      uploads: 0,
      manifests: 0,
      blobs: 0,
      sizeBytes: 0,
    });
    const scrubbed = await run('scrub');
    assert.deepEqual(scrubbed.output, ['0 blobs (0 bytes) and 0 manifests read, 0 damaged or missing']);
    assert.equal(scrubbed.code, 0);
    const refused = await run('gc', '--gc-grace', '2');
    assert.equal(refused.code, 1);
    assert.deepEqual(refused.errors, ['dtr: --gc-grace: a duration such as 90s, 30m or 2h expected']);
    origin.kill('SIGTERM');
    assert.equal((await originEnded).code, 0);
  });

  it('say so when there is no database, and make none', async () => {
    const data = await tempDirectory();
    const { code, errors } = await ending(start('dtr.ts', 'gc', '--data', data));
    assert.equal(code, 1);
    assert.deepEqual(errors, [`dtr: there is no database ${join(data, 'dtr.db')}`]);
    assert.deepEqual(await readdir(data), []);
  });
});

describe('dtr', () => {
  it('what is typed wrongly: one line that says so, and exit code 2', async () => {
    assert.deepEqual(await ending(start('dtr.ts', 'gc', '--nope')), {
      code: 2,
      errors: ["dtr: unknown option '--nope'"],
    });
  });
});

describe('dtr-content-cache', () => {
  it('a configuration that is wrong: each problem in a line with file, line and key, and exit code 1', async () => {
    const file = join(await tempDirectory(), 'config.yml');
    await writeFile(file, 'version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: relative\nhttpd: {}\n');
    const { code, errors } = await ending(start('dtr-content-cache.ts', file));
    assert.equal(code, 1);
    assert.deepEqual(
      errors.map((line) => line.replace(file, 'config.yml').split(': ').slice(0, 2).join(': ')),
      ['config.yml:1: middleware', 'config.yml:5: httpd'],
    );
  });

  it('a file that is not there: one line that says so, and exit code 1', async () => {
    const { code, errors } = await ending(start('dtr-content-cache.ts', '/nowhere/config.yml'));
    assert.equal(code, 1);
    assert.match(errors.join('\n'), /^\/nowhere\/config\.yml: cannot be read: /);
  });

  /** A file that is good, on a free port, with more keys if given. */
  const configure = async (more: (port: number) => string) => {
    const directory = await tempDirectory();
    const port = await freePort();
    const file = join(directory, 'config.yml');
    await writeFile(
      file,
      `version: 0.1\n${more(port)}\nmiddleware: { registry: [{ name: downstream, options: { upstreams: [https://127.0.0.1:1] } }] }\n`,
    );
    return { file, port, directory };
  };
  const linesOf = (child: ChildProcess): string[] => {
    const lines: string[] = [];
    createInterface(child.stdout as NodeJS.ReadableStream).on('line', (line) => lines.push(line));
    return lines;
  };

  it('--check says what a file means and starts nothing', async () => {
    const { file } = await configure(() => 'storage: { inmemory: }\nhttp: { secret: x }');
    const child = start('dtr-content-cache.ts', '--check', file);
    const lines = linesOf(child);
    assert.deepEqual(await ending(child), { code: 0, errors: [] });
    assert.deepEqual(
      lines.map((line) => line.replace(`${file}: `, '')),
      [
        'listens on :5000, plain HTTP',
        'keeps blobs in memory',
        'deletes nothing by itself',
        'asks https://127.0.0.1:1',
        "trusts the system's CAs",
        'http.secret has no effect: a cache holds no secret',
        'good',
      ],
    );
  });

  it("takes REGISTRY_ variables, writes the registry's text format, and keeps nothing that was in memory", async () => {
    const { file, port } = await configure(
      () => 'storage: { inmemory: }\nlog: { formatter: text, fields: { site: "far away" } }',
    );
    const child = spawn(process.execPath, [join(source, 'dtr-content-cache.ts'), file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, REGISTRY_HTTP_ADDR: `127.0.0.1:${port}` },
    });
    const lines = linesOf(child);
    const ended = ending(child);
    await eventually('it listens', () => lines.some((line) => line.includes('msg=listening')));
    const listening = lines.find((line) => line.includes('msg=listening')) as string;
    assert.match(
      listening,
      /^time=\S+ level=info msg=listening program=dtr-content-cache site="far away" port=/,
    );
    const root = /rootDirectory=(\S+)/.exec(listening)?.[1] as string;
    await stat(root);
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
    await assert.rejects(stat(root), { code: 'ENOENT' });
  });

  it('SIGHUP reads certificates anew; what cannot be read changes nothing', async () => {
    const { certificate, key } = await ensureCertificate(await tempDirectory(), ['localhost'], Date.now());
    const other = await ensureCertificate(await tempDirectory(), ['localhost'], Date.now());
    const pem = await tempDirectory();
    const files = { certificate: join(pem, 'certificate.pem'), key: join(pem, 'key.pem') };
    const write = async (tls: { certificate: string; key: string }) => {
      await writeFile(files.certificate, tls.certificate);
      await writeFile(files.key, tls.key);
    };
    await write({ certificate, key });
    const { file, port } = await configure(
      (port) =>
        `storage: { inmemory: }\nhttp: { addr: "127.0.0.1:${port}", tls: { certificate: ${files.certificate}, key: ${files.key} } }`,
    );
    const child = start('dtr-content-cache.ts', file);
    const lines = linesOf(child);
    const ended = ending(child);
    await eventually('it listens', () => lines.some((line) => line.includes('"msg":"listening"')));
    const served = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().fingerprint256);
          socket.destroy();
        });
        socket.once('error', reject);
      });
    const first = await served();
    await write(other);
    child.kill('SIGHUP');
    await eventually('it was read', () => lines.some((line) => line.includes('were read anew')));
    const second = await served();
    assert.notEqual(second, first);
    await writeFile(files.certificate, 'no certificate');
    child.kill('SIGHUP');
    await eventually('it was refused', () => lines.some((line) => line.includes('stay in use')));
    assert.equal(await served(), second);
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  });
});
