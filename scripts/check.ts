/**
 * `npm run check`: the API contract and its types, format and lint, types, dead code. Stops at the first that fails.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');

const tsc = join(root, 'node_modules/typescript-7/bin/tsc');

const steps: [name: string, command: string, args: string[]][] = [
  ['contract', join(bin, 'redocly'), ['lint', 'openapi.yaml']],
  ['contract types', process.execPath, [join(root, 'scripts/contract-types.ts')]],
  ['format and lint', join(bin, 'biome'), ['check', '--error-on-warnings']],
  ['types', process.execPath, [tsc, '--noEmit']],
  ['types of the web UI', process.execPath, [tsc, '--noEmit', '-p', 'src/ui']],
  ['dead code', join(bin, 'knip'), []],
];
// The linter must not look for newer versions of itself or tell anyone that it ran.
const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

for (const [name, command, args] of steps) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  if (status !== 0) process.exit(1);
}
