/** What may follow on the command line, by the commands as they are declared. */
import type { Argument, Command, Option } from 'commander';

/** What stands where the cursor is. */
export type Expected =
  /** One of these words. */
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** A value that a declaration names, such as `cache` or `repository`. */
  | ExpectedValue;

export interface ExpectedValue {
  readonly kind: 'value';
  readonly name: string;
  /** The values before it, by their names. */
  readonly before: ReadonlyMap<string, string>;
}

/**
 * @param before the words between `dtr` and the one that is being typed
 * @param typed the one that is being typed, as far as it is
 */
export function expectedAt(program: Command, before: readonly string[], typed: string): Expected[] {
  const values = new Map<string, string>();
  let command = program;
  let position = 0;
  let open: Option | undefined;
  for (const word of before) {
    if (open !== undefined) {
      values.set(valueName(open), word);
      open = undefined;
    } else if (word.startsWith('-')) {
      const option = command.options.find(({ long, short }) => word === long || word === short);
      if (option?.required) open = option;
    } else {
      const next = position === 0 ? findCommand(command, word) : undefined;
      if (next !== undefined) command = next;
      else {
        if (position === 0) command = defaultCommand(command) ?? command;
        const argument = argumentAt(command, position);
        if (argument !== undefined) values.set(argument.name(), word);
        position += 1;
      }
    }
  }
  if (open !== undefined) return [ofDeclaration(open.argChoices, valueName(open), values)];
  if (typed.startsWith('-')) return [{ kind: 'words', words: flagsOf(command) }];
  const argument = argumentAt(position === 0 ? (defaultCommand(command) ?? command) : command, position);
  return [
    ...(position === 0 ? [{ kind: 'words', words: commandsOf(command) } as const] : []),
    ...(argument === undefined ? [] : [ofDeclaration(argument.argChoices, argument.name(), values)]),
  ];
}

function ofDeclaration(
  choices: readonly string[] | undefined,
  name: string,
  before: ReadonlyMap<string, string>,
): Expected {
  return choices === undefined ? { kind: 'value', name, before } : { kind: 'words', words: choices };
}

function findCommand(command: Command, word: string): Command | undefined {
  return command.commands.find((one) => one.name() === word || one.aliases().includes(word));
}

/** Commander keeps to itself which one it is. */
function defaultCommand(command: Command): Command | undefined {
  const { _defaultCommandName: name } = command as { readonly _defaultCommandName?: string | null };
  return name ? findCommand(command, name) : undefined;
}

function argumentAt(command: Command, position: number): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return command.registeredArguments[position] ?? (last?.variadic ? last : undefined);
}

function commandsOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => one.name());
}

function flagsOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short }) => long ?? (short as string));
}

/** `user` of `--for <user>`. */
function valueName({ flags, long }: Option): string {
  return /<([^>]+)>/.exec(flags)?.[1] ?? (long as string);
}
