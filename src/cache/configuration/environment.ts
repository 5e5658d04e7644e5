/** `REGISTRY_…` variables override values of the file, by the rules of the Docker Registry. */
import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap, YAMLSeq } from 'yaml';
import { keys } from './keys.ts';
import type { Path, Problems } from './problems.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'REGISTRY_';
const topLevel = new Set(keys.map(({ path }) => path.split('.')[0]));

/**
 * `REGISTRY_HTTP_ADDR` replaces `http.addr`, `REGISTRY_MIDDLEWARE_REGISTRY_0_NAME` the name of the first middleware. Values are YAML.
 * Variables whose first part is no key are noted and left alone: Kubernetes makes `REGISTRY_PORT` and its like for any
 * service named registry. Returns these notes.
 */
export function applyEnvironment(document: Document, environment: Environment, problems: Problems): string[] {
  const notes: string[] = [];
  // In order of their names, so that REGISTRY_STORAGE comes before REGISTRY_STORAGE_DELETE.
  for (const name of Object.keys(environment).sort()) {
    const text = environment[name];
    if (!name.startsWith(prefix) || text === undefined) continue;
    const parts = name.slice(prefix.length).split('_');
    if (!topLevel.has((parts[0] as string).toLowerCase())) {
      notes.push(`${name} is ignored: the configuration has no key ${(parts[0] as string).toLowerCase()}`);
      continue;
    }
    const value = parseDocument(text);
    const [error] = value.errors;
    if (error !== undefined) {
      problems.addFor(name, 'its value', error.message.split('\n')[0] as string);
      continue;
    }
    const path = pathOf(document, parts);
    if (path === undefined) {
      problems.addFor(name, 'its name', 'a number of an item of the list, or of the next one, expected');
      continue;
    }
    setIn(document, path, value.toJS());
    problems.setSource(path, name);
  }
  return notes;
}

/** The path as the file spells it; `undefined` when a part should be an index of a list and is not. */
function pathOf(document: Document, parts: readonly string[]): Path | undefined {
  const path: (string | number)[] = [];
  for (const part of parts) {
    const holder = path.length === 0 ? document.contents : document.getIn(path, true);
    if (isSeq(holder) || (holder === undefined && /^\d+$/.test(part))) {
      const index = Number(part);
      if (!/^\d+$/.test(part) || index > (isSeq(holder) ? holder.items.length : 0)) return undefined;
      path.push(index);
    } else {
      path.push((isMap(holder) ? spelled(holder, part) : undefined) ?? part.toLowerCase());
    }
  }
  return path;
}

function spelled(map: YAMLMap, part: string): string | undefined {
  const names = map.items.map(({ key }) => String(isScalar(key) ? key.value : key));
  return names.find((name) => name.toUpperCase() === part.toUpperCase());
}

function setIn(document: Document, path: Path, value: unknown): void {
  for (let length = 1; length < path.length; length += 1) {
    const holder = document.getIn(path.slice(0, length), true);
    // What is empty, or a plain value, gives way to what the variable needs.
    if (isMap(holder) || isSeq(holder)) continue;
    const list = typeof path[length] === 'number';
    document.setIn(path.slice(0, length), list ? new YAMLSeq() : document.createNode({}));
  }
  document.setIn(path, document.createNode(value));
}
