/** The arrows between the rooms, held against the import lines. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { it } from 'node:test';

const root = join(import.meta.dirname, '..');

interface Import {
  readonly from: string;
  readonly to: string;
  /** Of types alone: nothing is loaded. */
  readonly types: boolean;
}

/** Every import of the sources: of a file as its path below `src`, of a package as its name. */
const imports: Import[] = globSync('{src,migrations}/**/*.{ts,tsx}', { cwd: root }).flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)';/gms)].map(([statement, name]) => {
    const to = (name as string).startsWith('.')
      ? relative(root, join(root, dirname(from), name as string))
      : (name as string);
    return { from, to, types: statement.startsWith('import type') };
  });
});

function arrows(from: RegExp, to: RegExp, except: RegExp = /^$/): string[] {
  return imports
    .filter((one) => from.test(one.from) && to.test(one.to) && !except.test(one.from))
    .map((one) => `${one.from} → ${one.to}`);
}

it('finds the imports at all', () => assert.ok(imports.length > 200));

const doors = '(?:registry|token|api|web)';
const rules: [rule: string, from: RegExp, to: RegExp, except?: RegExp][] = [
  ['shared knows neither origin nor cache', /^src\/shared\//, /^src\/(?:origin|cache)\//],
  ['the origin knows nothing of the cache', /^src\/origin\//, /^src\/cache\//],
  ['the cache knows nothing of the origin', /^src\/cache\//, /^src\/origin\//],
  ['the programs know nothing of the web UI', /^src\/(?!ui\/)/, /^src\/ui\//],
  [
    'the web UI knows nothing of the programs but the contract',
    /^src\/ui\//,
    /^src\/(?!ui\/|origin\/api\/contract\.d\.ts$)/,
  ],
  ['React stays in the web UI', /^src\/(?!ui\/)/, /^(?:react|@base-ui|@tanstack)/],
  [
    'the client knows the contract, and nothing else of the origin',
    /^src\/client\//,
    /^src\/(?!client\/|shared\/|origin\/api\/contract\.d\.ts$)/,
  ],
  ['only the program knows the client', /^src\/(?!client\/|dtr\.ts)/, /^src\/client\//],
  [
    'the domain knows no door',
    /^src\/origin\/(?:accounts|access|images|content-caches|jobs|keys)\//,
    new RegExp(`^src/origin/${doors}/`),
  ],
  [
    'images know nothing of accounts, access and caches',
    /^src\/origin\/images\//,
    /^src\/origin\/(?:accounts|access|content-caches|jobs|keys)\//,
  ],
  [
    'jobs use content caches and images, which know nothing of them',
    /^src\/origin\/(?!jobs\/|api\/|server\.ts|content-cache-services\.ts)/,
    /^src\/origin\/jobs\//,
  ],
  [
    'backups know of images and the database only',
    /^src\/origin\/backup\//,
    /^src\/origin\/(?!backup\/|images\/|database(?:-files)?\.ts)/,
  ],
  ['migrations import nothing of ours', /^migrations\//, /^src\//],
  ['Express stays in the doors', /./, /^express$/, new RegExp(`^src/origin/(?:${doors}/|server\\.ts)`)],
  [
    'SQLite stays with the database, its copy in a backup, and the index of the cache',
    /^src\//,
    /^better-sqlite3$/,
    /^src\/(?:origin\/database(?:-files)?|origin\/backup\/database-copy|cache\/entries)\.ts$/,
  ],
  ['knex stays with the database', /^src\//, /^knex$/, /^src\/origin\/database\.ts$/],
  [
    'files are read in few rooms',
    /^src\//,
    /^node:fs(?:\/promises)?$/,
    /^src\/(?:shared\/blob-store|client\/sign-ins|cache\/(?:configuration|entries|health|key-sets|usage)|origin\/(?:backup|commands|certificates|certificate-authority|configuration|database|first-start|api\/openapi|web\/ui)|quickstart|dtr-content-cache)/,
  ],
  [
    'tokens are made and read in few rooms',
    /^src\//,
    /^jsonwebtoken$/,
    /^src\/(?:origin\/keys\/|shared\/signed-token\.ts)/,
  ],
  [
    'requests go out from few rooms',
    /^src\//,
    /^undici$/,
    /^src\/(?:cache\/(?:upstreams|fills)\.ts|origin\/content-caches\/cache-client\.ts|quickstart\.ts)/,
  ],
];
for (const [rule, from, to, except] of rules) {
  it(rule, () => assert.deepEqual(arrows(from, to, except), []));
}

it('dtr loads nothing that is slow before it knows what is asked of it', () => {
  const loaded = new Set(['src/dtr.ts']);
  for (const from of loaded) {
    for (const one of imports) if (one.from === from && !one.types) loaded.add(one.to);
  }
  const packages = [...loaded].filter((one) => !/^(?:src\/|node:)/.test(one));
  assert.deepEqual(packages, ['commander']);
});

it('no door imports another', () => {
  const between = imports.filter(({ from, to }) => {
    const [one, other] = [from, to].map((path) => new RegExp(`^src/origin/(${doors})/`).exec(path)?.[1]);
    return one !== undefined && other !== undefined && one !== other;
  });
  assert.deepEqual(between, []);
});

it('time and chance that decide are passed in: only the clock and the programs ask the system', () => {
  const askers = globSync('src/**/*.ts', { cwd: root }).filter((path) =>
    /\bDate\.now\(|\bMath\.random\(/.test(readFileSync(join(root, path), 'utf8')),
  );
  assert.deepEqual(askers, ['src/shared/clock.ts']);
});
