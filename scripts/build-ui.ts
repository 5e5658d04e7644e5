/**
 * `npm run build`: the web UI, from src/ui to dist/ui, each file beside its brotli and gzip forms. What is there already
 * stays in place until all of the new build is ready, so that a running origin never finds half of one.
 */
import { globSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'vite';
import { hashUiSources, stampFile, uiDirectory } from './ui-stamp.mjs';

const source = join(import.meta.dirname, '..', 'src', 'ui');
const hash = hashUiSources();
const fresh = `${uiDirectory}.${process.pid}`;

await mkdir(join(uiDirectory, '..'), { recursive: true });
try {
  await build({
    configFile: false,
    root: source,
    base: '/',
    publicDir: join(source, 'public'),
    logLevel: 'warn',
    build: {
      outDir: fresh,
      emptyOutDir: true,
      // What every current browser knows: light-dark(), nesting and the like are left as they are written.
      target: ['chrome125', 'firefox128', 'safari18'],
      modulePreload: { polyfill: false },
      // As files, not as data: URLs, which the content security policy keeps to pictures.
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      rolldownOptions: {
        // "use client" speaks to frameworks that render on a server.
        onLog: (level, log, report) => {
          if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log);
        },
      },
    },
    worker: { format: 'es' },
  });
  await compress(fresh);
  await rm(uiDirectory, { recursive: true, force: true });
  await rename(fresh, uiDirectory);
  await writeFile(stampFile, hash);
} finally {
  await rm(fresh, { recursive: true, force: true });
}

/** Fonts and pictures are compressed by their own formats. */
async function compress(directory: string): Promise<void> {
  const files = globSync('**/*.{js,css,html,svg}', { cwd: directory });
  await Promise.all(
    files.map(async (file) => {
      const path = join(directory, file);
      const bytes = await readFile(path);
      const params = {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
      };
      await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, { params }));
      await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
    }),
  );
}
