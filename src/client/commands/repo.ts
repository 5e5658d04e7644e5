/** `dtr repo …`: repositories. */
import type { Command } from 'commander';
import { given } from '../api.ts';
import { type Asking, destructiveVerb, group, verb } from '../command.ts';
import { parseRepository } from '../repository.ts';
import { repositoryView } from '../views.ts';
import { addRepositoryAccessCommands } from './repo-access.ts';
import { addManifestCommands, addTagCommands } from './repo-images.ts';

interface Changes {
  readonly description?: string;
  readonly about?: string;
  readonly public?: true;
  readonly private?: true;
  readonly immutableTags?: boolean;
  readonly redirect?: boolean;
}

export function addRepositoryCommands(program: Command, asking: Asking): void {
  const repositories = group(program, 'repo', 'repositories: <namespace>/<name>');
  verb(repositories, 'list', 'list those that you may pull from')
    .argument('[namespace]', 'only those of one user or organization')
    .option('--query <text>', 'only those that have it in their name')
    .action(
      asking(async ({ api, output }, namespace: string | undefined, { query }: { query?: string }) => {
        if (namespace === undefined) {
          output.list(
            await api.list('GET /api/v0/repositories', { query: given({ query }) }),
            repositoryView,
          );
        } else {
          output.list(
            await api.list('GET /api/v0/repositories/{namespace}', { path: { namespace } }),
            repositoryView,
          );
        }
      }),
    );
  verb(repositories, 'show <repository>', 'show one').action(
    asking(async ({ api, output }, repository: string) => {
      const path = parseRepository(repository);
      output.record(
        await api.ask('GET /api/v0/repositories/{namespace}/{reponame}', { path }),
        repositoryView,
      );
    }),
  );
  withChanges(verb(repositories, 'create <repository>', 'create one, private unless --public')).action(
    asking(async ({ api, output }, repository: string, changes: Changes) => {
      const { namespace, reponame } = parseRepository(repository);
      const body = {
        name: reponame,
        visibility: 'private' as const,
        immutableTags: false,
        ...toBody(changes),
      };
      output.record(
        await api.ask('POST /api/v0/repositories/{namespace}', { path: { namespace }, body }),
        repositoryView,
      );
    }),
  );
  withChanges(verb(repositories, 'update <repository>', 'change one'))
    .option('--no-immutable-tags', 'a tag can be pushed again')
    .option('--redirect', 'pulls are sent to content caches')
    .option('--no-redirect', 'pulls are served by the origin')
    .action(
      asking(async ({ api, output }, repository: string, changes: Changes) => {
        const path = parseRepository(repository);
        const body = { ...toBody(changes), ...given({ redirect: changes.redirect }) };
        output.record(
          await api.ask('PATCH /api/v0/repositories/{namespace}/{reponame}', { path, body }),
          repositoryView,
        );
      }),
    );
  destructiveVerb(repositories, 'remove <repository>', 'delete one with all its images').action(
    asking(async ({ api, output, terminal }, repository: string, options: { yes?: true }) => {
      const path = parseRepository(repository);
      await api.ask('GET /api/v0/repositories/{namespace}/{reponame}', { path });
      await terminal.confirm(`the repository ${repository}`, repository, options);
      await api.ask('DELETE /api/v0/repositories/{namespace}/{reponame}', { path });
      output.say(`the repository ${repository} is removed`);
    }),
  );
  destructiveVerb(
    repositories,
    'remove-all <namespace>',
    'delete every repository of a user or an organization',
  ).action(
    asking(async ({ api, output, terminal }, namespace: string, options: { yes?: true }) => {
      await terminal.confirm(`every repository of ${namespace}`, namespace, options);
      await api.ask('DELETE /api/v0/accounts/{namespace}/repositories', { path: { namespace } });
      output.say(`every repository of ${namespace} is removed`);
    }),
  );
  addTagCommands(group(repositories, 'tags', 'tags of a repository'), asking);
  addManifestCommands(
    group(repositories, 'manifests', 'manifests of a repository: its images, indexes and artifacts'),
    asking,
  );
  addRepositoryAccessCommands(
    group(repositories, 'access', 'what teams and users may do in a repository'),
    asking,
  );
}

function withChanges(command: Command): Command {
  return command
    .option('--description <text>', 'a line about it')
    .option('--about <text>', 'more about it, in Markdown')
    .option('--public', 'anybody may pull from it')
    .option('--private', 'only who was given access may')
    .option('--immutable-tags', 'a tag that is there cannot be pushed again');
}

function toBody(changes: Changes) {
  return given({
    shortDescription: changes.description,
    longDescription: changes.about,
    visibility: visibilityOf(changes),
    immutableTags: changes.immutableTags,
  });
}

function visibilityOf(changes: Changes): 'public' | 'private' | undefined {
  if (changes.public) return 'public';
  return changes.private ? 'private' : undefined;
}
