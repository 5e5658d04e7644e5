/** Runs test files with node:test, prints what they say, and counts. */
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Counts tests, not suites; a file that cannot be loaded is a failed test. */
export async function runTests(
  files: string[],
  options: { isolation: 'none' } | { concurrency: number },
): Promise<{ passed: number; failed: number }> {
  let passed = 0;
  let failed = 0;
  const events = run({ files, ...options });
  events.on('test:pass', (data) => {
    if (data.details.type !== 'suite' && data.skip === undefined) passed += 1;
  });
  events.on('test:fail', (data) => {
    if (data.details.type !== 'suite') failed += 1;
  });
  const report = events.compose(spec);
  report.pipe(process.stdout, { end: false });
  await new Promise((resolve, reject) => report.once('end', resolve).once('error', reject));
  return { passed, failed };
}
