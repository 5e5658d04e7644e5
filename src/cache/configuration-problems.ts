/** What is wrong with a configuration file: every problem, each with its line and its key. */
import { type Document, isNode, type LineCounter } from 'yaml';

/** Everything wrong with a file, each as `<file>:<line>: <key>: <what was expected>`. */
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

  constructor(file: string, document: Document, lines: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
  }

  /** `path` leads to the value at fault; when it is missing, the line is that of what should hold it. */
  add(path: Path, text: string): void {
    this.addAt(this.#lineOf(path), keyOf(path), text);
  }

  addAt(line: number, key: string, text: string): void {
    this.#found.push({ line, text: `${this.#file}:${line}: ${key}: ${text}` });
  }

  has(path: Path): boolean {
    return this.#document.hasIn(path);
  }

  throwIfAny(): void {
    if (this.#found.length === 0) return;
    this.#found.sort((one, other) => one.line - other.line);
    throw new ConfigurationInvalid(this.#found.map(({ text }) => text));
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
function keyOf(path: Path): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return text.replace(/^\./, '') || 'the file';
}
