/** Writes the TypeScript types of openapi.yaml to src/origin/api/contract.d.ts (not kept in git). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import openapiTypescript, { astToString } from 'openapi-typescript';

const root = join(import.meta.dirname, '..');
const nodes = await openapiTypescript(pathToFileURL(join(root, 'openapi.yaml')));
writeFileSync(join(root, 'src/origin/api/contract.d.ts'), astToString(nodes));
