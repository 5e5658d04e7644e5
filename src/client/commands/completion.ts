/** `dtr completion <shell>`, and what its scripts ask at each press of TAB. */
import { Argument, type Command } from 'commander';
import { findCandidates, hasCandidates } from '../candidates.ts';
import { openApi } from '../command.ts';
import { type ExpectedValue, expectedAt } from '../completion.ts';
import type { Surroundings } from '../surroundings.ts';

/** Nobody waits longer for a completion. */
const answerMs = 1_500;

const scripts = {
  bash: `_dtr() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(dtr __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
}
complete -o default -F _dtr dtr
`,
  zsh: `#compdef dtr
_dtr() {
  local -a found
  found=(\${(f)"$(dtr __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  (( \${#found} )) || { _files; return }
  compadd -S '' -- \${(M)found:#*/}
  compadd -- \${found:#*/}
}
compdef _dtr dtr
`,
  fish: `function __dtr_complete
  set -l words (commandline -opc) (commandline -ct)
  dtr __complete -- $words[2..-1] 2>/dev/null
end
complete -c dtr -a '(__dtr_complete)'
`,
} as const;

export function addCompletionCommands(program: Command, { env, stdout }: Surroundings): void {
  program
    .command('completion')
    .description('print a shell\'s completion script: eval "$(dtr completion bash)"')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts) => {
      stdout.write(scripts[shell]);
    });
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      for (const candidate of await complete(program, words, env)) stdout.write(`${candidate}\n`);
    });
}

/** @param words what stands after `dtr`; the last one, perhaps empty, is being typed */
async function complete(
  program: Command,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const typed = words.at(-1) ?? '';
  const candidates: string[] = [];
  for (const expected of expectedAt(program, words.slice(0, -1), typed)) {
    if (expected.kind === 'words') candidates.push(...expected.words);
    else if (hasCandidates(expected)) candidates.push(...(await fromApi(expected, typed, env)));
  }
  // The shell puts them on the command line as they are: nothing that it could read as more than a word.
  return candidates.filter((candidate) => candidate.startsWith(typed) && /^[\w.:/@+-]+$/.test(candidate));
}

async function fromApi(expected: ExpectedValue, typed: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  try {
    const api = await openApi(expected.before.get('url'), env, answerMs);
    try {
      return await findCandidates(api, expected, typed);
    } finally {
      api.close();
    }
  } catch {
    // Who presses TAB wants no message in the middle of the command line.
    return [];
  }
}
