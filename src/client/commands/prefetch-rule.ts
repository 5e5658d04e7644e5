/** `dtr prefetch-rule …`: what content caches fetch as soon as it is pushed. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { type Api, given } from '../api.ts';
import { type Asking, group, repeatableOption, verb } from '../command.ts';
import { cacheNames, findCaches } from '../content-caches.ts';
import { type View, yesNo } from '../output.ts';

type Schemas = components['schemas'];
type Rule = Schemas['PrefetchRule'];

interface Changes {
  readonly repository?: string;
  readonly tag?: string;
  readonly cache?: readonly string[];
  readonly allCaches?: true;
  readonly platform?: string[];
  readonly allPlatforms?: true;
}

export function addPrefetchRuleCommands(program: Command, asking: Asking): void {
  const rules = group(program, 'prefetch-rule', 'what content caches fetch as soon as it is pushed');
  verb(rules, 'list', 'list the rules').action(
    asking(async ({ api, output }) => {
      const list = await api.ask('GET /api/v0/content_cache_prefetch_rules');
      output.list({ json: list, items: list }, await viewWithNames(api));
    }),
  );
  verb(rules, 'show <rule-id>', 'show one').action(
    asking(async ({ api, output }, ruleID: string) => {
      const rule = await api.ask('GET /api/v0/content_cache_prefetch_rules/{ruleID}', { path: { ruleID } });
      output.record(rule, await viewWithNames(api));
    }),
  );
  withChanges(
    verb(rules, 'add <repository>', "fetch what is pushed to a repository, such as acme/web or 'acme/*'"),
  ).action(
    asking(async ({ api, output }, repository: string, changes: Changes) => {
      const body = { repository, ...(await toBody(api, changes)) };
      const rule = await api.ask('POST /api/v0/content_cache_prefetch_rules', { body });
      output.record(rule, await viewWithNames(api));
    }),
  );
  withChanges(verb(rules, 'update <rule-id>', 'change one'))
    .option('--repository <pattern>', 'another repository')
    .option('--all-caches', 'at all content caches')
    .option('--all-platforms', 'of all platforms')
    .action(
      asking(async ({ api, output }, ruleID: string, changes: Changes) => {
        const body = { ...given({ repository: changes.repository }), ...(await toBody(api, changes)) };
        output.record(await update(api, ruleID, body), await viewWithNames(api));
      }),
    );
  for (const [word, isEnabled, effect] of [
    ['enable', true, 'follow one again'],
    ['disable', false, 'do not follow one for now'],
  ] as const) {
    verb(rules, `${word} <rule-id>`, effect).action(
      asking(async ({ api, output }, ruleID: string) => {
        output.record(await update(api, ruleID, { isEnabled }), await viewWithNames(api));
      }),
    );
  }
  verb(rules, 'remove <rule-id>', 'remove one').action(
    asking(async ({ api, output }, ruleID: string) => {
      await api.ask('GET /api/v0/content_cache_prefetch_rules/{ruleID}', { path: { ruleID } });
      await api.ask('DELETE /api/v0/content_cache_prefetch_rules/{ruleID}', { path: { ruleID } });
      output.say(`the prefetch rule ${ruleID} is removed`);
    }),
  );
}

function withChanges(command: Command): Command {
  return command
    .option('--tag <pattern>', "only such tags, such as 'v*'")
    .addOption(repeatableOption('--cache <cache>', 'only at this content cache; may be repeated'))
    .addOption(
      repeatableOption('--platform <platform>', 'only this one, such as linux/amd64; may be repeated'),
    );
}

async function toBody(api: Api, { tag, cache, allCaches, platform, allPlatforms }: Changes) {
  return given({
    tag,
    contentCaches: allCaches ? [] : cache && (await findCaches(api, cache)).map(({ id }) => id),
    platforms: allPlatforms ? [] : platform,
  });
}

async function update(api: Api, ruleID: string, body: Schemas['UpdatePrefetchRule']): Promise<Rule> {
  return api.ask('PATCH /api/v0/content_cache_prefetch_rules/{ruleID}', { path: { ruleID }, body });
}

async function viewWithNames(api: Api): Promise<View<Rule>> {
  const nameOf = await cacheNames(api);
  const allOf = (words: readonly string[]) => (words.length === 0 ? 'all' : words.join(' '));
  return {
    id: ({ id }) => id,
    columns: [
      ['Id', ({ id }) => id],
      ['Repository', ({ repository }) => repository],
      ['Tag', ({ tag }) => tag],
      ['Caches', ({ contentCaches }) => allOf(contentCaches.map(nameOf))],
      ['Platforms', ({ platforms }) => allOf(platforms)],
      ['Enabled', ({ isEnabled }) => yesNo(isEnabled)],
    ],
  };
}
