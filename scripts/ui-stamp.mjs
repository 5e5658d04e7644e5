// Tells whether the web UI in dist/ui was built from the sources that are here. Plain JavaScript with no dependency, because
// scripts/run.mjs asks before it knows which Node there is.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const uiDirectory = join(root, 'dist', 'ui');
/** Lies beside the files that are served, not among them. */
export const stampFile = join(root, 'dist', 'ui-built-from');

/** The hash of all that the build is made of. */
export function hashUiSources() {
  const hash = createHash('sha256');
  const sources = readdirSync(join(root, 'src', 'ui'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  for (const file of [...sources, join(root, 'package-lock.json'), join(root, 'scripts', 'build-ui.ts')]) {
    hash
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

export function isUiBuilt() {
  try {
    return readFileSync(stampFile, 'utf8') === hashUiSources();
  } catch {
    return false;
  }
}
