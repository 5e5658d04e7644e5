/** How a command is declared: its words, and what it does with the API. */
import { Argument, type Command, type CommandOptions, InvalidArgumentError, Option } from 'commander';
import { Api } from './api.ts';
import { openConnection } from './connection.ts';
import { Output, type OutputOptions } from './output.ts';
import { findCredentials, findPlace } from './sign-ins.ts';
import type { Surroundings } from './surroundings.ts';
import { Terminal } from './terminal.ts';

/** What a command gets to work with. */
export interface Asked {
  readonly api: Api;
  readonly output: Output;
  readonly terminal: Terminal;
}

interface CommonOptions extends OutputOptions {
  readonly origin?: string;
}

/** A group of commands: a noun. */
export function group(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description);
}

/** A command that asks the API: a verb and its arguments, such as `add <name> <host>`. */
export function verb(
  parent: Command,
  usage: string,
  description: string,
  options: CommandOptions = {},
): Command {
  return parent
    .command(usage, options)
    .description(description)
    .option('--json', 'print the JSON of the API')
    .option('-q, --quiet', 'print names alone, or nothing')
    .addOption(originOption());
}

export function originOption(): Option {
  return new Option('--origin <url>', 'which origin, when not the last one signed in to').env('DTR_URL');
}

/** A command that destroys what nothing brings back: it asks for the name of it, and in scripts for `--yes`. */
export function destructiveVerb(parent: Command, usage: string, description: string): Command {
  return verb(parent, usage, description).option('-y, --yes', 'do not ask');
}

/** Makes the action of a command, which gets its arguments and its options as commander gives them. */
export type Asking = <Arguments extends unknown[]>(
  action: (asked: Asked, ...given: Arguments) => Promise<void>,
) => (...given: [...Arguments, Command]) => Promise<void>;

export function createAsking(surroundings: Surroundings): Asking {
  return <Arguments extends unknown[]>(action: (asked: Asked, ...given: Arguments) => Promise<void>) =>
    async (...given: [...Arguments, Command]) => {
      const command = given.at(-1) as Command;
      const options = command.opts<CommonOptions>();
      const api = await openApi(options.origin, surroundings.env);
      const output = new Output(options, surroundings);
      try {
        await action(
          { api, output, terminal: new Terminal(surroundings) },
          ...(given.slice(0, -1) as Arguments),
        );
      } finally {
        api.close();
      }
    };
}

/** @param answerMs how long each request may take, when not as long as it needs */
export async function openApi(
  named: string | undefined,
  environment: NodeJS.ProcessEnv,
  answerMs?: number,
): Promise<Api> {
  const { origin, ca } = await findPlace(named, environment);
  const credentials = await findCredentials(origin, environment);
  const connection = await openConnection(origin, { ca, ...(answerMs === undefined ? {} : { answerMs }) });
  return new Api({ origin, connection, credentials });
}

export function levelArgument(): Argument {
  return new Argument('<level>', 'how much they may do').choices(['read-only', 'read-write', 'admin']);
}

/** An option that is `yes` or `no`; `isYes` reads it. */
export function yesNoOption(flag: string, description: string): Option {
  return new Option(`${flag} <yes|no>`, description).choices(['yes', 'no']);
}

export function isYes(text: 'yes' | 'no' | undefined): boolean | undefined {
  return text === undefined ? undefined : text === 'yes';
}

export function countOption(flag: string, description: string): Option {
  return new Option(`${flag} <count>`, description).argParser((text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count > 0) return count;
    throw new InvalidArgumentError('A number above 0 is expected.');
  });
}

/** An option that may be given several times. */
export function repeatableOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser<string[]>((value, before = []) => [...before, value]);
}
