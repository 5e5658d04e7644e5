/** `dtr cache usage`: what a content cache did. */
import { type Command, Option } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { formatBytes } from '../../shared/byte-size.ts';
import { systemClock } from '../../shared/clock.ts';
import { given } from '../api.ts';
import { type Asking, countOption, verb } from '../command.ts';
import { findCache } from '../content-caches.ts';
import { localTime, type View } from '../output.ts';
import { parsePast } from '../times.ts';

type Usage = components['schemas']['ContentCacheUsage'];

interface UsageOptions {
  readonly by: Usage['by'];
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
}

export function addCacheUsageCommand(caches: Command, asking: Asking): void {
  verb(caches, 'usage <cache>', 'show what one did')
    .addOption(
      new Option('--by <what>', 'what is summed up')
        .choices(['hour', 'day', 'repository', 'user'])
        .default('hour'),
    )
    .option('--from <time>', 'from then on, such as 7d or 2026-11-25; a day by default')
    .option('--to <time>', 'until before then')
    .addOption(countOption('--limit', 'at most so many'))
    .action(
      asking(async ({ api, output }, cache: string, { by, from, to, limit }: UsageOptions) => {
        const { id } = await findCache(api, cache);
        const query = given({
          by,
          from: from === undefined ? undefined : parsePast('--from', from, systemClock),
          to: to === undefined ? undefined : parsePast('--to', to, systemClock),
          limit,
        });
        const path = { contentcacheuuid: id };
        const found = await api.ask('GET /api/v0/content_caches/{contentcacheuuid}/usage', { path, query });
        output.list({ json: found, items: found.usage }, viewOf(found));
      }),
    );
}

function viewOf({ by }: Usage): View<Usage['usage'][number]> {
  const name = ({ group }: Usage['usage'][number]) => {
    if (by === 'hour' || by === 'day') return localTime(group);
    return group === '' ? 'anonymous' : group;
  };
  return {
    id: ({ group }) => group,
    columns: [
      [by, name],
      ['Redirects', ({ redirects }) => String(redirects)],
      ['Hits', ({ hits }) => String(hits)],
      ['Misses', ({ misses }) => String(misses)],
      ['Errors', ({ errors }) => String(errors)],
      ['Served', ({ bytesServed }) => formatBytes(bytesServed)],
      ['Fetched', ({ bytesFetched }) => formatBytes(bytesFetched)],
      ['Saved', ({ bytesSaved }) => formatBytes(bytesSaved)],
    ],
  };
}
