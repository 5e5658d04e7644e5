/** The command line has the reach of the API: every operation of the contract is asked by some command. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');

/** Why no command asks for it. */
const exempt: Record<string, string> = {
  'POST /api/v0/session': 'sessions are for browsers: `dtr login` makes an access token',
  'GET /api/v0/session': 'the same',
  'DELETE /api/v0/session': 'the same',
  'GET /api/v0/index/autocomplete':
    'the shell completes by the lists, which give all that begins with what was typed',
};

const contract = parse(readFileSync(join(root, 'openapi.yaml'), 'utf8')) as { paths: Record<string, object> };
const operations = Object.entries(contract.paths).flatMap(([path, item]) =>
  Object.keys(item)
    .filter((key) => key !== 'parameters')
    .map((method) => `${method.toUpperCase()} ${path}`),
);
const asked = new Set(
  globSync('src/client/**/*.ts', { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/'([A-Z]+ \/api\/v0\/[^']+)'/g)].map(
      ([, one]) => one as string,
    ),
  ),
);

it('every operation of the contract is asked by some command, or says why not', () => {
  const missing = operations.filter((operation) => !asked.has(operation));
  assert.deepEqual(missing.sort(), Object.keys(exempt).sort());
});
