/** `dtr search`: finding repositories. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { type Asking, verb } from '../command.ts';
import type { View } from '../output.ts';

const view: View<components['schemas']['DockerSearch']['results'][number]> = {
  id: ({ name }) => name,
  columns: [
    ['Name', ({ name }) => name],
    ['Description', ({ description }) => description],
  ],
};

export function addSearchCommands(program: Command, asking: Asking): void {
  verb(program, 'search <text>', 'find repositories by their names and descriptions').action(
    asking(async ({ api, output }, text: string) => {
      const found = await api.ask('GET /api/v0/index/dockersearch', { query: { q: text } });
      output.list({ json: found, items: found.results }, view);
    }),
  );
}
