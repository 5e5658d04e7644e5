/** The program `dtr`, for a test that talks to an origin: as a process, or in the test's own, which takes a tenth of the time. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command, CommanderError } from 'commander';
import { addClientCommands } from '../../src/client/commands.ts';
import { exitCodes, Failure } from '../../src/client/failure.ts';
import type { Surroundings } from '../../src/client/surroundings.ts';
import type { TestOrigin } from '../setup/origin.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const root = join(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  /** What it said on standard error, line by line. */
  readonly said: readonly string[];
}

export interface Home {
  /** Runs `dtr` with these words; a line of them is cut at its spaces. */
  dtr(words: string | readonly string[], options?: { input?: string; env?: Environment }): Promise<Ended>;
  /** Where `dtr login` stores. */
  readonly configuration: string;
  readonly environment: Environment;
}

type Environment = Readonly<Record<string, string>>;

/** A home of its own, whose environment has nothing about an origin but what is given. */
export async function home(given: Environment = {}): Promise<Home> {
  const directory = await tempDirectory();
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:DTR_|NODE_TEST_CONTEXT)/.test(name));
  const environment = {
    ...(Object.fromEntries(inherited) as Environment),
    // As bin/dtr has it: what was compiled once is not compiled again.
    NODE_COMPILE_CACHE: join(root, 'node_modules/.compiled'),
    // The program `dtr` by its name, with this Node.
    PATH: [join(root, 'bin'), dirname(process.execPath), process.env.PATH].join(delimiter),
    XDG_CONFIG_HOME: directory,
    ...given,
  };
  return {
    dtr: async (words, { input = '', env = {} } = {}) => {
      const args = typeof words === 'string' ? words.split(' ') : words;
      const child = spawn(process.execPath, [join(root, 'src/dtr.ts'), ...args], {
        env: { ...environment, ...env },
      });
      child.stdin.end(input);
      const [out, errors, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      return { code, out, said: errors.split('\n').slice(0, -1) };
    },
    configuration: join(directory, 'dtr', 'config.json'),
    environment,
  };
}

/** Runs a command of the client in this process: the same words, requests and answers, by way of other streams. */
export async function runHere(
  words: string | readonly string[],
  { env, input = '' }: { env: Environment; input?: string },
): Promise<Ended> {
  const [out, stdout] = keeping();
  const [errors, stderr] = keeping();
  const surroundings = { env, stdin: Readable.from([input]), stdout, stderr } as unknown as Surroundings;
  const program = new Command('dtr').exitOverride();
  program.configureOutput({
    writeOut: (text) => out.push(text),
    writeErr: (text) => errors.push(text.replace(/^error: /, 'dtr: ')),
  });
  addClientCommands(program, surroundings);
  let code = 0;
  try {
    await program.parseAsync(typeof words === 'string' ? words.split(' ') : words, { from: 'user' });
  } catch (error) {
    if (error instanceof Failure) {
      code = error.exitCode;
      errors.push(`${error.describe()}\n`);
    } else if (error instanceof CommanderError) code = error.exitCode === 0 ? 0 : exitCodes.usage;
    else throw error;
  }
  return { code, out: out.join(''), said: errors.join('').split('\n').slice(0, -1) };
}

export interface Commands {
  /** As the admin, unless as `<user>:<password or token>`. */
  run(words: string | readonly string[], options?: RunOptions): Promise<Ended>;
  /** What it printed, having done it. */
  dtr(words: string | readonly string[], options?: RunOptions): Promise<string>;
  /** What it said, having done it and printed nothing. */
  said(words: string): Promise<string>;
}

interface RunOptions {
  readonly as?: string;
  readonly input?: string;
}

/** Commands in this process, at the origin. */
export async function commandsAt(origin: TestOrigin): Promise<Commands> {
  const directory = await tempDirectory();
  // A token: checking a password takes long, on purpose.
  const { token } = (await (await origin.api('POST', '/api_tokens', {})).json()) as { token: string };
  const run: Commands['run'] = (words, { as = `admin:${token}`, ...options } = {}) =>
    runHere(words, { env: { DTR_URL: origin.url, DTR_TOKEN: as, XDG_CONFIG_HOME: directory }, ...options });
  return {
    run,
    dtr: async (words, options) => {
      const { code, out, said } = await run(words, options);
      assert.equal(code, 0, said.join('\n'));
      return out;
    },
    said: async (words) => {
      const { code, out, said } = await run(words);
      assert.deepEqual([code, out], [0, ''], said.join('\n'));
      return said.join('\n');
    },
  };
}

function keeping(): [texts: string[], stream: Writable] {
  const texts: string[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      texts.push(String(chunk));
      done();
    },
  });
  return [texts, stream];
}
