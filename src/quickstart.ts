/**
 * `npm start`: an origin and one content cache on this machine, ready for a first pull. It does what an admin does
 * by the page "Deploy DTR caches": runs the two programs, then registers the cache by the API.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Agent, fetch } from 'undici';
import { adminName, adminPasswordFile } from './origin/first-start.ts';

const dataDirectory = resolve('data');
const logDirectory = join(dataDirectory, 'logs');
const originUrl = 'https://localhost:8443';
const cacheName = 'region-us';
const cacheUrl = 'http://localhost:5000';

interface Program {
  readonly name: string;
  readonly child: ChildProcess;
  readonly log: string;
  /** Resolves once it listens; rejects when it ends before, having said why itself. */
  readonly listening: Promise<void>;
  readonly ended: Promise<void>;
}

/** A program that could not start has said so in a line of its own: nothing is to be added. */
class DidNotStart extends Error {}

const programs: Program[] = [];
let stopping = false;

process.umask(0o077);
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

try {
  await prepareDirectory();
  const firstStart = !existsSync(adminPasswordFile(dataDirectory));
  const origin = run('origin', 'dtr.ts', ['serve', '--data', dataDirectory, '--listen', ':8443']);
  await origin.listening;
  await writeCacheConfiguration();
  const cache = run('content-cache', 'dtr-content-cache.ts', [join(dataDirectory, 'config.yml')]);
  await cache.listening;
  await registerCache();
  if (!stopping) await printNextSteps(firstStart);
  await Promise.race(programs.map(endedUnasked));
} catch (error) {
  if (!stopping) {
    if (!(error instanceof DidNotStart)) process.stderr.write(`dtr: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
} finally {
  stop();
  await Promise.all(programs.map((program) => program.ended));
}

async function prepareDirectory(): Promise<void> {
  try {
    await mkdir(logDirectory, { recursive: true });
    await access(dataDirectory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(`cannot write to the directory ${dataDirectory}: ${(cause as Error).message}`, { cause });
  }
}

function run(name: string, program: string, args: string[]): Program {
  const log = join(logDirectory, `${name}.log`);
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    // Errors that end a start come on standard error, one line each: those belong on the terminal.
    stdio: ['ignore', 'pipe', 'inherit'],
    // A Ctrl-C is passed on by us, so that each program is stopped once.
    detached: true,
  });
  child.stdout.pipe(createWriteStream(log, { flags: 'a' }));
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const listening = new Promise<void>((done, fail) => {
    createInterface(child.stdout).on('line', (line) => {
      if (line.endsWith('"msg":"listening"}')) done();
    });
    ended.then(() => fail(new DidNotStart()));
  });
  // Looked at when its turn comes; until then it must not count as unhandled.
  listening.catch(() => {});
  const started = { name, child, log, listening, ended };
  programs.push(started);
  return started;
}

function stop(): void {
  stopping = true;
  for (const { child } of programs) if (child.exitCode === null) child.kill('SIGTERM');
}

/** Rejects when a program ends although nobody stopped it. */
async function endedUnasked(program: Program): Promise<void> {
  await program.ended;
  if (!stopping) throw new Error(`the ${program.name} ended by itself: see ${program.log}`);
}

/** A request that trusts the origin's own CA. */
async function request(url: string, init: { method?: string; body?: string; password?: string } = {}) {
  const ca = await readFile(join(dataDirectory, 'ca.pem'), 'utf8').catch(() => undefined);
  const dispatcher = new Agent({ connect: ca === undefined ? {} : { ca } });
  const response = await fetch(url, {
    dispatcher,
    signal: AbortSignal.timeout(10_000),
    method: init.method ?? 'GET',
    ...(init.body === undefined ? {} : { body: init.body }),
    headers: {
      Connection: 'close',
      ...(init.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(init.password === undefined
        ? {}
        : { Authorization: `Basic ${btoa(`${adminName}:${init.password}`)}` }),
    },
  });
  return response;
}

/** The file of the page "Deploy DTR caches", written once: from then on it is the admin's. */
async function writeCacheConfiguration(): Promise<void> {
  const path = join(dataDirectory, 'config.yml');
  if (existsSync(path)) return;
  await writeFile(
    path,
    `version: 0.1
storage:
  delete:
    enabled: true
  filesystem:
    rootdirectory: ${JSON.stringify(join(dataDirectory, 'cache'))}
http:
  addr: :5000
middleware:
  registry:
      - name: downstream
        options:
          blobttl: 24h
          upstreams:
            - originhost: ${originUrl}
          cas:
            - ${JSON.stringify(join(dataDirectory, 'ca.pem'))}
`,
  );
}

/** Registers the cache and makes it the admin's, unless it is registered already. */
async function registerCache(): Promise<void> {
  const password = await readFile(adminPasswordFile(dataDirectory), 'utf8')
    .then((text) => text.trim())
    .catch(() => undefined);
  // The file is the admin's to delete, and the password theirs to change: then the registering was long ago.
  if (password === undefined) return;
  const caches = `${originUrl}/api/v0/content_caches`;
  const listed = await request(caches, { password });
  if (listed.status === 401) return;
  const known = (await expectJson(listed)) as { name: string }[];
  if (known.some((cache) => cache.name === cacheName)) return;
  const created = (await expectJson(
    await request(caches, {
      method: 'POST',
      body: JSON.stringify({ name: cacheName, host: cacheUrl }),
      password,
    }),
  )) as { id: string };
  await expectJson(
    await request(`${originUrl}/api/v0/accounts/${adminName}/settings`, {
      method: 'PATCH',
      body: JSON.stringify({ contentCacheUUID: created.id }),
      password,
    }),
  );
}

async function expectJson(response: Awaited<ReturnType<typeof request>>): Promise<unknown> {
  if (response.ok) return response.json();
  throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
}

async function printNextSteps(firstStart: boolean): Promise<void> {
  const host = new URL(originUrl).host;
  const passwordFile = adminPasswordFile(dataDirectory);
  const password = firstStart ? (await readFile(passwordFile, 'utf8')).trim() : undefined;
  process.stdout.write(`
The origin is at ${originUrl}, the content cache ${cacheName} at ${cacheUrl}.
${password === undefined ? '' : `\n    user      ${adminName}\n    password  ${password}\n`}
The password is kept in ${passwordFile}. Now push an image and pull it through the cache:

    docker login -u ${adminName} ${host}
    docker tag <image> ${host}/${adminName}/app:1
    docker push ${host}/${adminName}/app:1
    docker image rm ${host}/${adminName}/app:1
    docker pull ${host}/${adminName}/app:1

Web UI     ${originUrl}   (the browser must trust ${join(dataDirectory, 'ca.pem')})
Logs       ${programs.map((program) => program.log).join('\n           ')}
           every layer of the pull is one line in the content cache's log

Ctrl-C stops both.
`);
}
