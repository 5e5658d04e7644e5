/** What a command prints: data on standard output, messages on standard error. */
import type { Item, Listed } from './api.ts';
import { printable, printableJson } from './printable.ts';
import type { Surroundings } from './surroundings.ts';
import { formatTable } from './table.ts';

/** How records of one kind are shown. */
export interface View<T> {
  /** By what other commands name it: all that `--quiet` prints. */
  readonly id: (record: T) => string;
  /** The columns of a list; a single record has them, too. */
  readonly columns: readonly (readonly [title: string, value: (record: T) => string])[];
  /** What only a single record is shown with. */
  readonly details?: readonly (readonly [title: string, value: (record: T) => string | undefined])[];
}

export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export class Output {
  readonly #options: OutputOptions;
  readonly #stdout: Surroundings['stdout'];
  readonly #stderr: Surroundings['stderr'];

  constructor(options: OutputOptions, { stdout, stderr }: Surroundings) {
    this.#options = options;
    this.#stdout = stdout;
    this.#stderr = stderr;
    // `dtr repo list | head`: who reads no more has seen enough.
    stdout.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  }

  list<T>({ json, items }: Listed<T>, view: View<Item<T>>): void {
    if (this.#options.json) this.#write(`${printableJson(json)}\n`);
    else if (this.#options.quiet) this.#write(items.map((item) => `${printable(view.id(item))}\n`).join(''));
    else {
      const titles = view.columns.map(([title]) => title.toUpperCase());
      const rows = items.map((item) => view.columns.map(([, value]) => value(item)));
      this.#write(formatTable([titles, ...rows], this.#stdout.isTTY ? this.#stdout.columns : undefined));
    }
  }

  /** One record; `json` is the whole answer, where the record is only a part of it. */
  record<T>(record: T, view: View<T>, json: unknown = record): void {
    if (this.#options.json) this.#write(`${printableJson(json)}\n`);
    else if (this.#options.quiet) this.#write(`${printable(view.id(record))}\n`);
    else {
      const fields = [...view.columns, ...(view.details ?? [])].flatMap(([title, value]) => {
        const [first, ...more] = value(record)?.split('\n') ?? [];
        return first === undefined ? [] : [[title, first], ...more.map((line) => ['', line])];
      });
      // Never cut: who looks at one record wants to copy from it.
      this.#write(formatTable(fields));
    }
  }

  /** Records that are a line of text each. */
  lines<T>(records: readonly T[], textOf: (record: T) => string): void {
    if (this.#options.json) this.#write(`${printableJson(records)}\n`);
    else this.#write(records.map((record) => `${printable(textOf(record))}\n`).join(''));
  }

  /** What was done, or is to be known; nothing for `--quiet`. */
  say(message: string): void {
    if (!this.#options.quiet) this.#stderr.write(`${printable(message)}\n`);
  }

  #write(text: string): void {
    this.#stdout.write(text);
  }
}

export function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** `2026-11-25T09:30:00+01:00`: the local time of an RFC 3339 time. */
export function localTime(text: string | null): string {
  if (text === null) return 'never';
  const time = new Date(text);
  const offset = -time.getTimezoneOffset();
  const two = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, '0');
  const local = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
}
