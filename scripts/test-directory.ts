/**
 * The tests of one directory, in one process: what they test is loaded and compiled once, which takes longer than most of the tests.
 * Its arguments are the files. Ends with the line `N passed, N failed`.
 */
import { runTests } from './run-tests.ts';

const { passed, failed } = await runTests(process.argv.slice(2), { isolation: 'none' });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
