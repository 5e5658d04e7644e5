/** `dtr why`: where a pull would go, and because of whom. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { given } from '../api.ts';
import { type Asking, verb } from '../command.ts';
import type { View } from '../output.ts';

type Explanation = components['schemas']['ContentCacheExplanation'];

export function addWhyCommand(program: Command, asking: Asking): void {
  verb(program, 'why <repository>', 'show which content cache would serve a pull, and because of whom')
    .option('--user <user>', "another user's pull")
    .option('--anonymous', "nobody's in particular")
    .option('--address <address>', 'from another address')
    .action(
      asking(
        async (
          { api, output },
          repository: string,
          { user, anonymous, address }: { user?: string; anonymous?: true; address?: string },
        ) => {
          const query = { repository, ...given({ username: anonymous ? '' : user, address }) };
          const explanation = await api.ask('GET /api/v0/content_cache_choice', { query });
          output.record(explanation, viewOf(explanation));
        },
      ),
    );
}

function viewOf({ steps }: Explanation): View<Explanation> {
  const cache = ({ contentCache }: Explanation) => contentCache?.name ?? 'the origin';
  return {
    id: cache,
    columns: [
      ['Repository', ({ repository }) => repository],
      ['User', ({ username }) => (username === '' ? 'anonymous' : username)],
      ['Address', ({ address }) => address ?? ''],
      ['Served by', cache],
      ['Because of', ({ because }) => because],
      ...steps.map(({ explanation }, index) => [`  ${index + 1}.`, () => explanation] as const),
    ],
  };
}
