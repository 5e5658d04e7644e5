/** `npm run check`: types of the API contract, format and lint, types, dead code. Stops at the first that fails. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');

const steps: [name: string, command: string, args: string[]][] = [
  ['contract types', process.execPath, [join(root, 'scripts/contract-types.ts')]],
  ['format and lint', join(bin, 'biome'), ['check', '--error-on-warnings']],
  ['types', process.execPath, [join(root, 'node_modules/typescript-7/bin/tsc'), '--noEmit']],
  ['dead code', join(bin, 'knip'), []],
];

for (const [name, command, args] of steps) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  if (status !== 0) process.exit(1);
}
