/** `dtr job …`: what the origin has content caches do. */
import { type Command, Option } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { given } from '../api.ts';
import { type Asking, countOption, group, verb, yesNoOption } from '../command.ts';
import { detailedView, follow, jobView } from '../jobs.ts';

const actions = { purge: 'content-cache-purge', prefetch: 'content-cache-prefetch' } as const;

interface ListOptions {
  readonly action?: keyof typeof actions;
  readonly running?: 'yes' | 'no';
  readonly limit: number;
}

export function addJobCommands(program: Command, asking: Asking): void {
  const jobs = group(program, 'job', 'purges and prefetches of content caches');
  verb(jobs, 'list', 'list them, the newest first')
    .addOption(new Option('--action <action>', 'only of this kind').choices(Object.keys(actions)))
    .addOption(yesNoOption('--running', 'only those that run, or that do not'))
    .addOption(countOption('--limit', 'at most so many').default(100))
    .action(
      asking(async ({ api, output }, { action, running, limit }: ListOptions) => {
        const query = {
          limit,
          ...given({
            action: action === undefined ? undefined : actions[action],
            running:
              running === undefined ? undefined : running === 'yes' ? ('true' as const) : ('false' as const),
          }),
        };
        const found = await api.ask('GET /api/v0/jobs', { query });
        output.list({ json: found, items: found.jobs }, jobView);
      }),
    );
  verb(jobs, 'show <job>', 'show one, with what it did at each cache').action(
    asking(async ({ api, output }, jobID: string) => {
      const job = await api.ask('GET /api/v0/jobs/{jobID}', { path: { jobID } });
      output.record(job, detailedView(job));
    }),
  );
  verb(jobs, 'wait <job>', 'wait until one is over').action(
    asking(async (asked, jobID: string) => {
      const job = await follow(asked, jobID);
      asked.output.record(job, detailedView(job));
    }),
  );
  verb(jobs, 'logs <job>', 'show what one wrote down')
    .addOption(countOption('--limit', 'at most so many lines').default(1000))
    .action(
      asking(async ({ api, output }, jobID: string, { limit }: { limit: number }) => {
        const lines = await api.ask('GET /api/v0/jobs/{jobID}/logs', { path: { jobID }, query: { limit } });
        output.lines(lines, ({ data }: components['schemas']['JobLog']) => data);
      }),
    );
  verb(jobs, 'cancel <job>', 'end one; what was done stays done').action(
    asking(async ({ api, output }, jobID: string) => {
      await api.ask('POST /api/v0/jobs/{jobID}/cancel', { path: { jobID } });
      output.say(`the job ${jobID} is canceled, unless it was over`);
    }),
  );
  verb(jobs, 'remove <job>', 'forget one; one that runs is canceled').action(
    asking(async ({ api, output }, jobID: string) => {
      await api.ask('GET /api/v0/jobs/{jobID}', { path: { jobID } });
      await api.ask('DELETE /api/v0/jobs/{jobID}', { path: { jobID } });
      output.say(`the job ${jobID} is removed`);
    }),
  );
}
