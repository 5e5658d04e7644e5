/** `dtr events`: who did what to what. */
import { type Command, Option } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { systemClock } from '../../shared/clock.ts';
import { given } from '../api.ts';
import { type Asking, countOption, verb } from '../command.ts';
import { localTime, type View } from '../output.ts';
import { parsePast } from '../times.ts';

type Event = components['schemas']['Event'];

const view: View<Event> = {
  id: ({ id }) => id,
  columns: [
    ['Time', ({ publishedAt }) => localTime(publishedAt)],
    ['Who', ({ actorName }) => actorName],
    ['What', ({ type }) => type],
    ['Of', ({ object }) => `${object.type} ${object.name ?? object.id}`],
    ['To', ({ target }) => (target === undefined ? '' : `${target.type} ${target.name ?? target.id}`)],
    ['Outcome', ({ outcome }) => outcome],
    ['From', ({ client, door }) => (client === '' ? door : `${client} (${door})`)],
  ],
};

interface EventsOptions {
  readonly actor?: string;
  readonly type?: string;
  readonly object?: string;
  readonly outcome?: 'done' | 'refused';
  readonly after?: string;
  readonly before?: string;
  readonly limit: number;
}

export function addEventCommands(program: Command, asking: Asking): void {
  verb(program, 'events', 'list who did what, the newest first')
    .option('--actor <account>', 'only what this account did')
    .option('--type <type>', 'only events of this type, such as LOGIN or CREATE')
    .option('--object <name>', 'only events about this')
    .addOption(
      new Option('--outcome <outcome>', 'only what was done, or was refused').choices(['done', 'refused']),
    )
    .option('--after <time>', 'only since then, such as 2h, 7d or 2026-11-25')
    .option('--before <time>', 'only before then')
    .addOption(countOption('--limit', 'at most so many').default(100))
    .action(
      asking(async ({ api, output }, { limit, ...options }: EventsOptions) => {
        const query = given({
          actorId: options.actor,
          eventType: options.type,
          objectName: options.object,
          outcome: options.outcome,
          publishedAfter:
            options.after === undefined ? undefined : parsePast('--after', options.after, systemClock),
          publishedBefore:
            options.before === undefined ? undefined : parsePast('--before', options.before, systemClock),
        });
        output.list(await api.list('GET /api/v0/events', { query }, limit), view);
      }),
    );
}
