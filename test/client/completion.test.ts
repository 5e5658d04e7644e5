import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { addClientCommands } from '../../src/client/commands.ts';
import { type Expected, expectedAt } from '../../src/client/completion.ts';

const program = new Command('dtr');
addClientCommands(program, process);

function expected(line: string): Expected[] {
  const words = line.split(' ');
  return expectedAt(program, words.slice(0, -1), words.at(-1) as string);
}

/** The words that are offered, and the names of the values that are. */
function offers(line: string): string[] {
  return expected(line).flatMap((one) => (one.kind === 'words' ? [...one.words] : [`<${one.name}>`]));
}

describe('what may follow', () => {
  const lines: [line: string, offers: string[]][] = [
    ['settings ', ['show', 'set', 'help']],
    ['cache show ', ['<cache>']],
    ['cache show --json ', ['<cache>']],
    ['cache show region-us ', []],
    ['org add acme --', ['--json', '--quiet', '--origin', '--full-name', '--help']],
    ['settings set --cache ', ['<cache>']],
    ['settings set --for ', ['<account>']],
    ['settings set --create-on-push ', ['yes', 'no', 'inherit']],
    ['org member add acme ', ['<user>']],
    ['repo access grant acme/web ', ['read-only', 'read-write', 'admin']],
    ['repo access grant acme/web admin --team ', ['<team>']],
    ['repo tags ', ['list', 'show', 'remove', 'help', '<repository>']],
    ['repo tags acme/web --p', ['--json', '--quiet', '--origin', '--prefix', '--help']],
    ['repo tags remove acme/web ', ['<tag>']],
    ['token revoke 0123 4567 ', ['<token>']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['nothing like this ', []],
  ];
  for (const [line, offered] of lines) {
    it(`dtr ${line}▏`, () => assert.deepEqual(offers(line), offered));
  }

  it('a value knows those before it: the team is one of the repository’s organization', () => {
    const [one] = expected('repo access grant acme/web admin --team ');
    assert.equal(one?.kind === 'value' && one.before.get('repository'), 'acme/web');
  });
});
