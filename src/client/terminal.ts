/** Questions to a person. They stand on standard error, so that the output can be piped. */
import { Failure } from './failure.ts';
import { printable } from './printable.ts';
import type { Surroundings } from './surroundings.ts';

export class Terminal {
  readonly #stdin: Surroundings['stdin'];
  readonly #stderr: Surroundings['stderr'];

  constructor({ stdin, stderr }: Surroundings) {
    this.#stdin = stdin;
    this.#stderr = stderr;
  }

  /** @throws Failure where nobody can be asked, naming what is to be typed instead */
  async askLine(question: string, instead: string): Promise<string> {
    this.#mustBeOne(instead);
    const { createInterface } = await import('node:readline/promises');
    const lines = createInterface({ input: this.#stdin, output: this.#stderr });
    const closed = new Promise<never>((_, reject) => lines.once('close', () => reject(cancelled())));
    try {
      return (await Promise.race([lines.question(question), closed])).trim();
    } finally {
      lines.close();
    }
  }

  /** A password: what is typed does not appear. @throws Failure where nobody can be asked */
  async askHidden(question: string): Promise<string> {
    this.#mustBeOne('--password-stdin');
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let typed = '';
    const take = (text: string) => {
      for (const character of text) {
        if (character === '\r' || character === '\n') resolve(typed);
        // Ctrl-C and Ctrl-D, which the terminal no longer acts upon by itself.
        else if (character === '\u0003' || character === '\u0004') reject(cancelled());
        else if (character === '\u007f' || character === '\b') typed = [...typed].slice(0, -1).join('');
        else if (character >= ' ') typed += character;
      }
    };
    const hungUp = () => reject(cancelled());
    // Before the question, so that nothing appears of what is typed as soon as it is there.
    this.#stdin.setEncoding('utf8').setRawMode(true).on('data', take).once('end', hungUp).resume();
    this.#stderr.write(question);
    try {
      return await promise;
    } finally {
      this.#stdin.off('data', take).off('end', hungUp).setRawMode(false).pause();
      this.#stderr.write('\n');
    }
  }

  /** A new password, typed twice. @throws Failure where nobody can be asked */
  async askNewPassword(whose: string): Promise<string> {
    const password = await this.askHidden(`New password of ${whose}: `);
    if ((await this.askHidden('The same again: ')) === password) return password;
    throw new Failure('failed', 'that was not the same twice');
  }

  /** The lines of standard input, for what comes from a script. */
  async readLines(): Promise<string[]> {
    let text = '';
    for await (const chunk of this.#stdin.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
    return text.replace(/\r?\n$/, '').split(/\r?\n/);
  }

  /**
   * Lets a person type the name of what is about to be destroyed.
   * @throws Failure when they type another, and when nobody can be asked and `yes` was not given
   */
  async confirm(what: string, name: string, { yes = false }: { yes?: boolean }): Promise<void> {
    if (yes) return;
    const typed = await this.askLine(
      `This removes ${printable(what)} for good. Type ${printable(name)} to do it: `,
      '--yes',
    );
    if (typed !== name) throw new Failure('failed', 'nothing was removed');
  }

  #mustBeOne(instead: string): void {
    if (this.#stdin.isTTY && this.#stderr.isTTY) return;
    throw new Failure('usage', `${instead} is needed, where nobody can be asked`);
  }
}

function cancelled(): Failure {
  return new Failure('failed', 'cancelled');
}
