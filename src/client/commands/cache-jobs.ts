/** `dtr cache purge` and `dtr cache prefetch`: what content caches are to remove, and to have. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { given } from '../api.ts';
import { type Asked, type Asking, repeatableOption, verb } from '../command.ts';
import { findCaches } from '../content-caches.ts';
import { Failure } from '../failure.ts';
import { detailedView, follow } from '../jobs.ts';

type Submission = components['schemas']['JobSubmission'];

interface JobOptions {
  readonly cache?: readonly string[];
  readonly deadline?: string;
  readonly wait?: true;
}

interface PurgeOptions extends JobOptions {
  readonly digest?: string[];
  readonly repository?: string;
  readonly unreferenced?: true;
  readonly everything?: true;
}

interface PrefetchOptions extends JobOptions {
  readonly platform?: string[];
}

export function addCacheJobCommands(caches: Command, asking: Asking): void {
  asJob(verb(caches, 'purge', 'remove blobs from content caches'))
    .addOption(repeatableOption('--digest <digest>', 'this blob; may be repeated'))
    .option('--repository <repository>', 'those of a repository')
    .option('--unreferenced', 'those that the origin does not hold any more')
    .option('--everything', 'all of them')
    .action(
      asking(async (asked, options: PurgeOptions) => {
        const { digest: digests, repository, unreferenced, everything } = options;
        const parameters = given({ digests, repository, unreferenced, everything });
        if (Object.keys(parameters).length !== 1) {
          throw new Failure(
            'usage',
            'one of --digest, --repository, --unreferenced and --everything expected',
          );
        }
        await submit(asked, { action: 'content-cache-purge', parameters }, options);
      }),
    );
  asJob(
    verb(
      caches,
      'prefetch <repository> [tag|digest]',
      'have content caches fetch an image, or every tag of a repository',
    ),
  )
    .addOption(
      repeatableOption('--platform <platform>', 'only this one, such as linux/amd64; may be repeated'),
    )
    .action(
      asking(async (asked, repository: string, reference: string | undefined, options: PrefetchOptions) => {
        const parameters = { repository, ...given({ reference, platforms: options.platform }) };
        await submit(asked, { action: 'content-cache-prefetch', parameters }, options);
      }),
    );
}

function asJob(command: Command): Command {
  return command
    .addOption(repeatableOption('--cache <cache>', 'only this content cache; may be repeated'))
    .option(
      '--deadline <duration>',
      'until when a cache that is away is tried again, such as 12h; 1h by default',
    )
    .option('--wait', 'until it is done');
}

async function submit(
  asked: Asked,
  submission: Submission,
  { cache, deadline, wait }: JobOptions,
): Promise<void> {
  const { api, output } = asked;
  const contentCaches = cache === undefined ? undefined : (await findCaches(api, cache)).map(({ id }) => id);
  const body = {
    ...submission,
    parameters: { ...submission.parameters, ...given({ contentCaches }) },
    ...given({ deadline }),
  };
  const started = await api.ask('POST /api/v0/jobs', { body });
  const job = wait ? await follow(asked, started.id) : started;
  output.record(job, detailedView(job));
}
