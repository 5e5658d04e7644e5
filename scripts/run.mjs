// Runs a TypeScript program of this project with the pinned Node, on a machine that has only some Node ≥ 20
// and npm: installs what package-lock.json asks for when it is missing or stale, then hands over.
// Plain JavaScript with no dependency, because it runs before anything is installed.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isUiBuilt } from './ui-stamp.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.installed-from');

// Memory of a program that streams: buffers die young, so a small nursery finds them sooner; what got old and is not used any more is
// looked for when half as much has come as is used, not four times as much; and one arena, because what glibc keeps for threads
// that hardly allocate is not given back. Measured with 200 downloads at once, at the same speed: the first and the last together 105 MB less,
// the second 80 MB.
const nodeFlags = ['--max-semi-space-size=4', '--heap-growing-percent=50'];
// What was compiled, and stripped of its types, is kept for the next start, which takes half the time then.
const environment = { MALLOC_ARENA_MAX: '1', NODE_COMPILE_CACHE: join(modules, '.compiled') };

function installDependencies() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('Installing dependencies (once, from package-lock.json) …\n');
  const npm = process.env.npm_execpath
    ? [process.execPath, process.env.npm_execpath]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
  execFileSync(npm[0], [...npm.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  writeFileSync(stamp, wanted);
}

/** The pinned Node where the registry has one for this platform, else the system's if it is new enough. */
function findNode() {
  const pinned = join(modules, '.bin', 'node');
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new Error(
    `No Node 24 is packaged for ${process.platform}-${process.arch}: install Node 24 and run this again.`,
  );
}

/** Programs that show the web UI find it built from the sources that are here. */
function buildUi(node, program, args) {
  const showsUi =
    program === 'src/dtr.ts'
      ? args.includes('serve')
      : /^src\/quickstart|^scripts\/(?:test|screenshots)/.test(program);
  if (!showsUi || isUiBuilt()) return;
  process.stderr.write('Building the web UI (once, from src/ui) …\n');
  const { status } = spawnSync(node, [join(root, 'scripts', 'build-ui.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) process.stderr.write('The web UI could not be built: the rest runs without it.\n');
}

try {
  installDependencies();
  const [program, ...args] = process.argv.slice(2);
  const node = findNode();
  buildUi(node, program, args);
  const path = `${dirname(node)}:${process.env.PATH}`;
  const child = spawn(node, [...nodeFlags, join(root, program), ...args], {
    stdio: 'inherit',
    env: { ...environment, ...process.env, PATH: path },
  });
  // A terminal's Ctrl-C reaches the child by itself; a signal sent to this process alone must be passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === 'SIGINT' ? 2 : 15);
  });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
