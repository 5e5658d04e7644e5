/**
 * `npm test`: every test but those of whole programs, with real clients, real faults and a browser; each directory in a process of its own. Ends with
 * the line `N passed, N failed`.
 */
import { execFile } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const files = globSync('test/**/*.test.ts', {
  cwd: root,
  exclude: (path) => /^test\/(?:clients|faults|programs|ui\/pages)/.test(path),
});
const sizeOf = (group: readonly string[]) =>
  group.reduce((sum, file) => sum + statSync(join(root, file)).size, 0);
// The largest first, so that none is left for the end alone.
const directories = Object.values(Object.groupBy(files.sort(), dirname))
  .map((group) => group as string[])
  .sort((a, b) => sizeOf(b) - sizeOf(a));

let passed = 0;
let failed = 0;

/** Prints what a directory's tests say when all of them are through. One that says nothing at the end has failed. */
function testDirectory(group: readonly string[]): Promise<void> {
  const program = join(import.meta.dirname, 'test-directory.ts');
  const paths = group.map((file) => join(root, file));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...process.execArgv, program, ...paths],
      { cwd: root, maxBuffer: Number.POSITIVE_INFINITY },
      (_error, output, complaints) => {
        console.log(`${dirname(group[0] as string)}\n${output}${complaints}`);
        const summary = /(\d+) passed, (\d+) failed\n$/.exec(output);
        passed += Number(summary?.[1] ?? 0);
        failed += Number(summary?.[2] ?? 1);
        resolve();
      },
    );
  });
}

async function testNext(): Promise<void> {
  for (let next = directories.shift(); next !== undefined; next = directories.shift())
    await testDirectory(next);
}

// One more than there are processors: tests wait for starting programs and for disks, too.
await Promise.all(Array.from({ length: availableParallelism() + 1 }, testNext));
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
