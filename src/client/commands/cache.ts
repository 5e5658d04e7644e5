/** `dtr cache …`: the content caches that users may choose. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { formatBytes } from '../../shared/byte-size.ts';
import { type Api, given } from '../api.ts';
import { type Asking, destructiveVerb, group, verb } from '../command.ts';
import { findCache } from '../content-caches.ts';
import { localTime, type View, yesNo } from '../output.ts';
import { readCa } from '../sign-ins.ts';
import { addCacheJobCommands } from './cache-jobs.ts';
import { addCacheUsageCommand } from './cache-usage.ts';
import { addCacheUsersCommand, describeUses } from './cache-users.ts';

type Schemas = components['schemas'];
type ContentCache = Schemas['ContentCache'];
type Health = Schemas['ContentCacheHealth'];

const healthDetails: NonNullable<View<Health>['details']> = [
  ['Since', ({ since }) => localTime(since)],
  ['Last trouble', ({ lastError }) => lastError && `${localTime(lastError.at)}  ${lastError.message}`],
  ['Looked at', ({ probedAt }) => probedAt && localTime(probedAt)],
  ['Answered in', ({ latencyMs }) => (latencyMs === undefined ? undefined : `${latencyMs} ms`)],
  ['Clock', ({ clockSkewMs }) => (clockSkewMs === undefined ? undefined : `${clockSkewMs} ms ahead`)],
  ['Version', ({ version }) => version],
  ['Disk', ({ disk }) => disk && `${formatBytes(disk.freeBytes)} free of ${formatBytes(disk.sizeBytes)}`],
  ['Stored', ({ stored }) => stored && `${formatBytes(stored.bytes)} in ${stored.blobs} blobs`],
];

const view: View<ContentCache> = {
  id: ({ name }) => name,
  columns: [
    ['Name', ({ name }) => name],
    ['Host', ({ host }) => host],
    ['Enabled', ({ isEnabled }) => yesNo(isEnabled)],
    ['Health', ({ health }) => health?.state ?? ''],
    ['Id', ({ id }) => id],
  ],
  details: [
    ...healthDetails.map(
      ([title, value]) => [title, ({ health }: ContentCache) => health && value(health)] as const,
    ),
    ['CA', ({ caPem }) => (caPem === undefined ? undefined : 'its own')],
  ],
};

const healthView: View<ContentCache> = {
  id: ({ name }) => name,
  columns: [
    ['Name', ({ name }) => name],
    ['Health', ({ health }) => health?.state ?? ''],
    ['Since', ({ health }) => (health === undefined ? '' : localTime(health.since))],
    ['Answered in', ({ health }) => (health?.latencyMs === undefined ? '' : `${health.latencyMs} ms`)],
    ['Free', ({ health }) => (health?.disk === undefined ? '' : formatBytes(health.disk.freeBytes))],
    ['Stored', ({ health }) => (health?.stored === undefined ? '' : formatBytes(health.stored.bytes))],
    ['Last trouble', ({ health }) => health?.lastError?.message ?? ''],
  ],
};

interface Changes {
  readonly name?: string;
  readonly host?: string;
  readonly caFile?: string | false;
}

export function addCacheCommands(program: Command, asking: Asking): void {
  const caches = group(program, 'cache', 'content caches');
  verb(caches, 'list', 'list all content caches').action(
    asking(async ({ api, output }) => output.list(await api.list('GET /api/v0/content_caches'), view)),
  );
  verb(caches, 'show <cache>', 'show one and how it is, by its name or id').action(
    asking(async ({ api, output }, name: string) => output.record(await findCache(api, name), view)),
  );
  verb(caches, 'health', 'list how all of them are').action(
    asking(async ({ api, output }) => output.list(await api.list('GET /api/v0/content_caches'), healthView)),
  );
  verb(caches, 'add <name> <host>', 'register one that runs at <host>, http[s]://<host>[:<port>]')
    .option('--ca-file <file>', 'PEM of the CA that signed its certificate, for the origin to trust it')
    .action(
      asking(async ({ api, output }, name: string, host: string, changes: Changes) => {
        const body = { name, host, ...(await caOf(changes)) };
        output.record(await api.ask('POST /api/v0/content_caches', { body }), view);
      }),
    );
  verb(caches, 'update <cache>', 'change one, by its name or id')
    .option('--name <name>', 'another name')
    .option('--host <host>', 'where it runs now')
    .option('--ca-file <file>', 'PEM of the CA that signed its certificate')
    .option('--no-ca-file', 'it needs no CA of its own any more')
    .action(
      asking(async ({ api, output }, cache: string, changes: Changes) => {
        const { name, host } = changes;
        output.record(await update(api, cache, { ...given({ name, host }), ...(await caOf(changes)) }), view);
      }),
    );
  for (const [word, isEnabled, effect] of [
    ['enable', true, 'send pulls to one again'],
    ['disable', false, 'send no pulls to one: its users pull by the next choice, or from the origin'],
  ] as const) {
    verb(caches, `${word} <cache>`, effect).action(
      asking(async ({ api, output }, cache: string) =>
        output.record(await update(api, cache, { isEnabled }), view),
      ),
    );
  }
  verb(caches, 'probe <cache>', 'look at one now, and show how it is').action(
    asking(async ({ api, output }, cache: string) => {
      const { id, name } = await findCache(api, cache);
      const path = { contentcacheuuid: id };
      const health = await api.ask('POST /api/v0/content_caches/{contentcacheuuid}/probe', { path });
      output.record(health, {
        id: ({ state }) => state,
        columns: [
          ['Name', () => name],
          ['Health', ({ state }) => state],
        ],
        details: healthDetails,
      });
    }),
  );
  addCacheUsageCommand(caches, asking);
  addCacheUsersCommand(caches, asking);
  addCacheJobCommands(caches, asking);
  destructiveVerb(
    caches,
    'remove <cache>',
    'remove one, by its name or id; its users pull by the next choice',
  ).action(
    asking(async ({ api, output, terminal }, cache: string, options: { yes?: boolean }) => {
      const { id, name } = await findCache(api, cache);
      if (!options.yes) for (const line of await describeUses(api, id)) output.say(`${name} ${line}`);
      await terminal.confirm(`the content cache ${name}`, name, options);
      await api.ask('DELETE /api/v0/content_caches/{contentcacheuuid}', { path: { contentcacheuuid: id } });
      output.say(`the content cache ${name} is removed`);
    }),
  );
}

async function update(api: Api, cache: string, body: Schemas['UpdateContentCache']): Promise<ContentCache> {
  const { id } = await findCache(api, cache);
  return api.ask('PATCH /api/v0/content_caches/{contentcacheuuid}', { path: { contentcacheuuid: id }, body });
}

/** What is not given stays as it is; `--no-ca-file` is an empty one to the API. */
async function caOf({ caFile }: Changes): Promise<{ caPem?: string }> {
  if (caFile === undefined) return {};
  return { caPem: caFile === false ? '' : await readCa(caFile) };
}
