/** Every command in the documents is one that `dtr` understands: they cannot rot. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { runHere } from './program.ts';

const root = join(import.meta.dirname, '../..');
const ofTheOrigin = /^(?:serve|gc|scrub|admin)\b/;

/** What follows `dtr` in the lines of the document's shell blocks, without comments. */
function commandsOf(document: string): string[] {
  const blocks = [...readFileSync(document, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, block]) => block,
  );
  return blocks
    .flatMap((block) => (block as string).split('\n'))
    .map((line) =>
      /^(?:\w+=\$\()?(?:bin\/)?dtr (.+)$/
        .exec(line)?.[1]
        ?.replace(/ +#.*$|\)$| [|>] .*$/g, '')
        .trim(),
    )
    .filter((command) => command !== undefined)
    .filter((command) => !ofTheOrigin.test(command));
}

/** As a shell would have it, of the little that the documents use. */
function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? (bare as string));
}

for (const document of ['README.md', ...globSync('docs/*.md', { cwd: root })]) {
  const commands = commandsOf(join(root, document));
  if (commands.length === 0) continue;
  describe(basename(document), () => {
    for (const command of commands) {
      it(`dtr ${command}`, async () => {
        const env = { DTR_URL: 'http://127.0.0.1:1', DTR_TOKEN: 'jane:secret', XDG_CONFIG_HOME: '/nowhere' };
        const { said } = await runHere(words(command), { env });
        assert.doesNotMatch(
          said.join('\n'),
          /unknown (?:command|option)|missing required|too many arguments|is invalid/,
        );
      });
    }
  });
}
