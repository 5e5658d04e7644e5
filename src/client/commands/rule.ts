/** `dtr rule …`: which content cache serves the clients of which network. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { type Api, given } from '../api.ts';
import { type Asking, group, verb } from '../command.ts';
import { cacheNames, findCache, idOrNone } from '../content-caches.ts';
import { Failure } from '../failure.ts';
import type { View } from '../output.ts';

type Rule = components['schemas']['ContentCacheRule'];

interface Changes {
  readonly network?: string;
  readonly cache?: string;
  readonly comment?: string;
}

export function addRuleCommands(program: Command, asking: Asking): void {
  const rules = group(program, 'rule', 'which content cache serves which network');
  verb(rules, 'list', 'list the rules')
    .option('--cache <cache>', 'only those that send to this content cache')
    .action(
      asking(async ({ api, output }, { cache }: Changes) => {
        const query = cache === undefined ? {} : { contentCacheUUID: (await findCache(api, cache)).id };
        const list = await api.list('GET /api/v0/content_cache_rules', { query });
        output.list(list, await viewWithNames(api));
      }),
    );
  verb(rules, 'show <rule>', 'show one, by its network or id').action(
    asking(async ({ api, output }, rule: string) => {
      output.record(await findRule(api, rule), await viewWithNames(api));
    }),
  );
  verb(
    rules,
    'add <network> <cache>',
    'send the clients of a network, such as 10.20.0.0/16, to a cache, or to none',
  )
    .option('--comment <text>', 'for admins')
    .action(
      asking(async ({ api, output }, network: string, cache: string, { comment }: Changes) => {
        const body = { network, contentCacheUUID: await idOrNone(api, cache), ...given({ comment }) };
        output.record(await api.ask('POST /api/v0/content_cache_rules', { body }), await viewWithNames(api));
      }),
    );
  verb(rules, 'update <rule>', 'change one, by its network or id')
    .option('--network <network>', 'another network')
    .option('--cache <cache>', 'another cache, or none')
    .option('--comment <text>', 'for admins')
    .action(
      asking(async ({ api, output }, rule: string, { network, cache, comment }: Changes) => {
        const contentCacheUUID = cache === undefined ? undefined : await idOrNone(api, cache);
        const path = { ruleuuid: (await findRule(api, rule)).id };
        const body = given({ network, contentCacheUUID, comment });
        const changed = await api.ask('PATCH /api/v0/content_cache_rules/{ruleuuid}', { path, body });
        output.record(changed, await viewWithNames(api));
      }),
    );
  verb(rules, 'remove <rule>', 'remove one, by its network or id').action(
    asking(async ({ api, output }, rule: string) => {
      const { id, network } = await findRule(api, rule);
      await api.ask('DELETE /api/v0/content_cache_rules/{ruleuuid}', { path: { ruleuuid: id } });
      output.say(`the rule for ${network} is removed`);
    }),
  );
}

async function viewWithNames(api: Api): Promise<View<Rule>> {
  const nameOf = await cacheNames(api);
  return {
    id: ({ network }) => network,
    columns: [
      ['Network', ({ network }) => network],
      ['Cache', ({ contentCacheUUID }) => nameOf(contentCacheUUID)],
      ['Comment', ({ comment }) => comment],
      ['Id', ({ id }) => id],
    ],
  };
}

/** @throws Failure when there is none */
async function findRule(api: Api, networkOrId: string): Promise<Rule> {
  if (/^[0-9a-f-]{36}$/.test(networkOrId)) {
    return api.ask('GET /api/v0/content_cache_rules/{ruleuuid}', { path: { ruleuuid: networkOrId } });
  }
  const { items } = await api.list('GET /api/v0/content_cache_rules');
  const found = items.find(({ network }) => network === networkOrId);
  if (found !== undefined) return found;
  throw new Failure('notFound', `there is no rule for ${networkOrId} at ${api.origin}`, 'see: dtr rule list');
}
