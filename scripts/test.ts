/**
 * `npm test`: every test but those with real clients, real faults and a browser. Ends with the line `N passed, N failed`.
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runTests } from './run-tests.ts';

const root = join(import.meta.dirname, '..');
const files = globSync('test/**/*.test.ts', {
  cwd: root,
  exclude: (path) => /^test\/(?:clients|faults|ui\/pages)/.test(path),
});
// One file more than there are processors: tests wait for starting programs and for disks, too.
const concurrency = availableParallelism() + 1;
const { passed, failed } = await runTests(files.map((file) => join(root, file)).sort(), { concurrency });
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
