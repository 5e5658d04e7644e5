/**
 * `npm run test:programs`, `npm run test:ui`, `npm run test:clients` and `npm run test:faults`: the tests of one directory, one file after another,
 * since they are heavy and would time each other out. On Debian with the packages that `.ci/run` installs; those with
 * clients and faults as root. Ends with the line `N passed, N failed`.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { runTests } from './run-tests.ts';

const root = join(import.meta.dirname, '..');
const [directory] = process.argv.slice(2);
const files = globSync(`${directory}/**/*.test.ts`, { cwd: root });
const { passed, failed } = await runTests(files.map((file) => join(root, file)).sort(), { concurrency: 1 });
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
