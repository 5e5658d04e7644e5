/** `dtr system …`: the origin itself. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { given } from '../api.ts';
import { type Asked, type Asking, group, isYes, verb, yesNoOption } from '../command.ts';
import { cacheNames, idOrNone } from '../content-caches.ts';
import { Failure } from '../failure.ts';
import { type View, yesNo } from '../output.ts';

type Schemas = components['schemas'];

const settingsView: View<Schemas['Settings']> = {
  id: ({ dtrHost }) => dtrHost,
  columns: [
    ['Host', ({ dtrHost }) => dtrHost],
    ['Create on push', ({ createRepositoryOnPush }) => yesNo(createRepositoryOnPush)],
    ['Anonymous pulls', ({ anonymousPulls }) => yesNo(anonymousPulls)],
    ['Log level', ({ logLevel }) => logLevel],
  ],
};

interface SetOptions {
  readonly createOnPush?: 'yes' | 'no';
  readonly anonymousPulls?: 'yes' | 'no';
  readonly defaultCache?: string;
}

export function addSystemCommands(program: Command, asking: Asking): void {
  const system = group(program, 'system', 'settings and state of the origin');
  verb(system, 'show', 'show the settings').action(
    asking(async (asked) => show(asked, await asked.api.ask('GET /api/v0/meta/settings'))),
  );
  verb(system, 'set', 'change the settings')
    .addOption(
      yesNoOption(
        '--create-on-push',
        'whether a push creates a repository, where its namespace does not say',
      ),
    )
    .addOption(
      yesNoOption('--anonymous-pulls', 'whether public repositories can be pulled from without signing in'),
    )
    .option(
      '--default-cache <cache>',
      'which content cache serves everybody for whom nobody decides, or none',
    )
    .action(
      asking(async (asked, options: SetOptions) => {
        const { createOnPush, anonymousPulls, defaultCache } = options;
        if ([createOnPush, anonymousPulls, defaultCache].every((option) => option === undefined)) {
          throw new Failure('usage', '--create-on-push, --anonymous-pulls or --default-cache expected');
        }
        const body = given({
          createRepositoryOnPush: isYes(createOnPush),
          anonymousPulls: isYes(anonymousPulls),
          defaultContentCacheUUID:
            defaultCache === undefined ? undefined : await idOrNone(asked.api, defaultCache),
        });
        await show(asked, await asked.api.ask('POST /api/v0/meta/settings', { body }));
      }),
    );
  verb(system, 'status', 'show how its replicas are').action(
    asking(async ({ api, output }) => {
      const status = await api.ask('GET /api/v0/meta/cluster_status');
      const replicas = Object.entries(status.replica_health);
      output.record(status, {
        id: () => replicas.map(([replica, health]) => `${replica} ${health}`).join(' '),
        columns: replicas.map(([replica, health]) => [replica, () => health]),
      });
    }),
  );
  verb(system, 'features', 'show what it can do').action(
    asking(async ({ api, output }) => {
      const features = await api.ask('GET /api/v0/meta/features');
      output.record(features, {
        id: ({ db_version }) => String(db_version),
        columns: Object.entries(features).map(([name, value]) => [name, () => String(value)]),
      });
    }),
  );
  verb(system, 'version', 'show its version').action(
    asking(async ({ api, output }) => {
      const version = await api.ask('GET /api/v0/admin/version');
      output.record(version, { id: (one) => one.version, columns: [['Version', (one) => one.version]] });
    }),
  );
}

async function show({ api, output }: Asked, settings: Schemas['Settings']): Promise<void> {
  const nameOf = await cacheNames(api);
  output.record(settings, {
    ...settingsView,
    details: [['Default cache', (one) => nameOf(one.defaultContentCacheUUID)]],
  });
}
