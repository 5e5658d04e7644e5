/** What is wrong with a configuration: every problem, each with its line, or its environment variable, and its key. */
import { type Document, isNode, type LineCounter } from 'yaml';

/** Everything wrong, each as `<file>:<line>: <key>: <what was expected>`. */
export class ConfigurationInvalid extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigurationInvalid';
  }
}

/** From the document's root to a value: keys, and indices of lists. */
export type Path = readonly (string | number)[];

export class Problems {
  readonly #file: string;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #found: { line: number; text: string }[] = [];
  /** Paths that environment variables set. */
  readonly #sources = new Map<string, string>();

  constructor(file: string, document: Document, lines: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
  }

  /** `path` leads to the value at fault; when it is missing, the line is that of what should hold it. */
  add(path: Path, text: string): void {
    const variable = this.#sourceOf(path);
    if (variable === undefined) this.addAt(this.#lineOf(path), keyOf(path), text);
    else this.addFor(variable, keyOf(path), text);
  }

  addAt(line: number, key: string, text: string): void {
    this.#found.push({ line, text: `${this.#file}:${line}: ${key}: ${text}` });
  }

  addFor(variable: string, key: string, text: string): void {
    this.#found.push({ line: 0, text: `environment variable ${variable}: ${key}: ${text}` });
  }

  setSource(path: Path, variable: string): void {
    this.#sources.set(keyOf(path), variable);
  }

  throwIfAny(): void {
    if (this.#found.length === 0) return;
    this.#found.sort((one, other) => one.line - other.line);
    throw new ConfigurationInvalid(this.#found.map(({ text }) => text));
  }

  #sourceOf(path: Path): string | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const variable = this.#sources.get(keyOf(path.slice(0, length)));
      if (variable !== undefined) return variable;
    }
    // What a variable for something inside of it has made is not in the file, either.
    const node = this.#document.getIn(path, true);
    if (!isNode(node) || node.range) return undefined;
    const here = keyOf(path);
    return [...this.#sources].find(([key]) => key.startsWith(`${here}.`) || key.startsWith(`${here}[`))?.[1];
  }

  #lineOf(path: Path): number {
    for (let length = path.length; length > 0; length -= 1) {
      const node = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return this.#lines.linePos(node.range[0]).line;
    }
    return 1;
  }
}

/** The names of the keys, as the documentation writes them: `middleware.registry[0].options.blobttl`. */
export function keyOf(path: Path): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return text.replace(/^\./, '') || 'the file';
}
