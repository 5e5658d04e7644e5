/** Which keys a configuration has: those that mean nothing are noted, refused and unknown ones are problems. */
import { downstreamKeys, type Key, keys } from './keys.ts';
import { keyOf, type Path, type Problems } from './problems.ts';

const optionsOfDownstream: Path = ['middleware', 'registry', 0, 'options'];

/** Returns the notes for the log. */
export function checkKeys(configuration: unknown, problems: Problems): string[] {
  const notes: string[] = [];
  check(configuration, [], [], { known: keys, notes, problems });
  const options = valueAt(configuration, optionsOfDownstream);
  check(options, optionsOfDownstream, [], { known: downstreamKeys, notes, problems });
  return notes;
}

interface Findings {
  readonly known: readonly Key[];
  readonly notes: string[];
  readonly problems: Problems;
}

/** `path` leads to `value` in the file, `pattern` to what describes it in the table of keys. */
function check(value: unknown, path: Path, pattern: readonly string[], findings: Findings): void {
  if (Array.isArray(value)) {
    const items = [...pattern.slice(0, -1), `${pattern.at(-1)}[]`];
    for (const [index, item] of value.entries()) check(item, [...path, index], items, findings);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    const here = [...pattern, name];
    const key = find(here, findings.known);
    if (key?.fate === 'noted') findings.notes.push(`${keyOf([...path, name])} has no effect: ${key.why}`);
    else if (key?.fate === 'refused') findings.problems.add([...path, name], `is not supported: ${key.why}`);
    else if (leadsFurther(here, findings.known)) check(inner, [...path, name], here, findings);
    else if (key === undefined) {
      findings.problems.add([...path, name], `is not known${suggestion(here, findings.known)}`);
    }
  }
}

function find(pattern: readonly string[], known: readonly Key[]): Key | undefined {
  const path = pattern.join('.');
  return known.find((key) => key.path === path) ?? known.find((key) => matchesNames(key.path, pattern));
}

/** `log.fields.*` and `http.headers.*[]` stand for any name. */
function matchesNames(path: string, pattern: readonly string[]): boolean {
  const parts = path.split('.');
  return (
    path.includes('*') &&
    parts.length === pattern.length &&
    parts.every((part, index) => part.startsWith('*') || part === pattern[index])
  );
}

function leadsFurther(pattern: readonly string[], known: readonly Key[]): boolean {
  const path = pattern.join('.');
  return known.some((key) => key.path.startsWith(`${path}.`) || key.path.startsWith(`${path}[`));
}

function suggestion(pattern: readonly string[], known: readonly Key[]): string {
  const name = pattern.at(-1) as string;
  const holder = pattern.slice(0, -1).join('.');
  const siblings = known
    .filter((key) => holder === '' || key.path.startsWith(`${holder}.`))
    .map((key) => key.path.slice(holder === '' ? 0 : holder.length + 1).split(/[.[]/)[0] as string);
  const nearest = [...new Set(siblings)]
    .map((sibling) => ({ sibling, distance: distanceOf(name, sibling) }))
    .sort((one, other) => one.distance - other.distance)[0];
  const near = nearest !== undefined && nearest.distance <= Math.max(1, name.length / 3);
  return near ? `: did you mean ${nearest.sibling}?` : ' to the content cache: remove it';
}

/** How many letters must be changed, added or left out (Levenshtein). */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, otherLetter] of [...other].entries()) {
      const changed = (row[j] as number) + (letter === otherLetter ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[other.length] as number;
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) current = (current as Record<string | number, unknown> | undefined | null)?.[part];
  return current;
}
