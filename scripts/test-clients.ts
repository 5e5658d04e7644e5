/**
 * `npm run test:clients`: real clients against real programs, then the OCI conformance suite. As root on Debian with
 * the packages that `.ci/run` installs. Ends with the line `N passed, N failed`.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { runTests } from './run-tests.ts';

const root = join(import.meta.dirname, '..');
const files = globSync('test/clients/**/*.test.ts', { cwd: root });
// One after another: they are heavy, and time each other out.
const { passed, failed } = await runTests(files.map((file) => join(root, file)).sort(), { concurrency: 1 });
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
