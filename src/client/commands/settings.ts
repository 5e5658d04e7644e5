/** `dtr settings …`: what users choose for themselves, and organizations for their members. */
import { type Command, Option } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { type Api, given } from '../api.ts';
import { type Asking, group, verb } from '../command.ts';
import { findCache } from '../content-caches.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';

type Settings = components['schemas']['UserSettings'];

const onPush = { yes: true, no: false, inherit: null } as const;

interface SetOptions {
  readonly for?: string;
  readonly cache?: string;
  readonly createOnPush?: keyof typeof onPush;
}

export function addSettingsCommands(program: Command, asking: Asking): void {
  const settings = group(program, 'settings', 'your content cache and other settings');
  verb(settings, 'show', 'show yours')
    .option('--for <account>', "another user's, or an organization's")
    .action(
      asking(async ({ api, output }, options: { for?: string }) => {
        const path = { username: options.for ?? api.user };
        await show(api, output, await api.ask('GET /api/v0/accounts/{username}/settings', { path }));
      }),
    );
  verb(settings, 'set', 'change yours')
    .option('--for <account>', "another user's, or an organization's: the default of its members")
    .option(
      '--cache <cache>',
      'pull from this content cache; none: from the origin itself; automatic: as rules and defaults say',
    )
    .addOption(
      new Option('--create-on-push <choice>', 'whether a push creates a repository in the namespace').choices(
        Object.keys(onPush),
      ),
    )
    .action(
      asking(async ({ api, output }, options: SetOptions) => {
        const { cache, createOnPush } = options;
        if (cache === undefined && createOnPush === undefined) {
          throw new Failure('usage', '--cache or --create-on-push expected');
        }
        const body = given({
          ...(cache === undefined ? {} : await choiceOf(api, cache)),
          createRepositoryOnPush: createOnPush === undefined ? undefined : onPush[createOnPush],
        });
        const path = { username: options.for ?? api.user };
        await show(api, output, await api.ask('PATCH /api/v0/accounts/{username}/settings', { path, body }));
      }),
    );
}

type Choice = Pick<components['schemas']['UpdateUserSettings'], 'contentCacheUUID' | 'contentCacheChoice'>;

/** A cache whose name is one of these words is chosen by its id. */
async function choiceOf(api: Api, cache: string): Promise<Choice> {
  if (cache === 'none' || cache === 'automatic') return { contentCacheChoice: cache };
  return { contentCacheUUID: (await findCache(api, cache)).id };
}

async function show(api: Api, output: Output, settings: Settings): Promise<void> {
  const cache = await nameOf(api, settings);
  output.record(settings, {
    id: () => cache,
    columns: [
      ['Content cache', () => cache],
      [
        'Create on push',
        ({ createRepositoryOnPush: created }) => (created === null ? 'inherit' : created ? 'yes' : 'no'),
      ],
    ],
  });
}

async function nameOf(api: Api, { contentCacheChoice, contentCacheUUID }: Settings): Promise<string> {
  if (contentCacheChoice !== 'cache') return contentCacheChoice;
  const path = { contentcacheuuid: contentCacheUUID };
  return (await api.ask('GET /api/v0/content_caches/{contentcacheuuid}', { path })).name;
}
