/** `dtr repo access …`: what teams and users may do in one repository. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { type Asking, levelArgument, verb } from '../command.ts';
import { Failure } from '../failure.ts';
import type { View } from '../output.ts';
import { parseRepository } from '../repository.ts';

type Schemas = components['schemas'];
type Grant = Schemas['TeamAccess'] | Schemas['UserAccess'];

/** Whom a grant is for: exactly one of them. */
interface Grantee {
  readonly team?: string;
  readonly user?: string;
}

const grantView: View<Grant> = {
  id: nameOf,
  columns: [
    ['Kind', (grant) => ('team' in grant ? 'team' : 'user')],
    ['Name', nameOf],
    ['Access', ({ accessLevel }) => accessLevel],
  ],
};

function nameOf(grant: Grant): string {
  return 'team' in grant ? grant.team.name : grant.user.name;
}

export function addRepositoryAccessCommands(access: Command, asking: Asking): void {
  verb(access, 'list <repository>', 'list the teams and users that were given access', {
    isDefault: true,
  }).action(
    asking(async ({ api, output }, repository: string) => {
      const path = parseRepository(repository);
      const teams = await api.list('GET /api/v0/repositories/{namespace}/{reponame}/teamAccess', { path });
      const users = await api.list('GET /api/v0/repositories/{namespace}/{reponame}/userAccess', { path });
      const grants: readonly Grant[] = [...teams.items, ...users.items];
      output.list({ json: { ...teams.json, ...users.json }, items: grants }, grantView);
    }),
  );
  verb(
    access,
    'show <repository> <user>',
    'show what a user may do there, of all that they were given',
  ).action(
    asking(async ({ api, output }, repository: string, username: string) => {
      const path = { ...parseRepository(repository), username };
      const operation = 'GET /api/v0/accounts/{username}/repositoryAccess/{namespace}/{reponame}';
      output.record(await api.ask(operation, { path }), grantView);
    }),
  );
  withGrantee(
    verb(access, 'grant <repository>', 'give access to a team or a user').addArgument(levelArgument()),
  ).action(
    asking(
      async ({ api, output }, repository: string, accessLevel: Schemas['AccessLevel'], options: Grantee) => {
        const path = parseRepository(repository);
        const { team, user } = exactlyOne(options);
        const body = { accessLevel };
        if (team !== undefined) {
          const operation = 'PUT /api/v0/repositories/{namespace}/{reponame}/teamAccess/{teamname}';
          await api.ask(operation, { path: { ...path, teamname: team }, body });
        }
        if (user !== undefined) {
          const operation = 'PUT /api/v0/repositories/{namespace}/{reponame}/userAccess/{username}';
          await api.ask(operation, { path: { ...path, username: user }, body });
        }
        output.say(`${describe(options)} has ${accessLevel} access to ${repository}`);
      },
    ),
  );
  withGrantee(verb(access, 'revoke <repository>', 'take it from them')).action(
    asking(async ({ api, output }, repository: string, options: Grantee) => {
      const path = parseRepository(repository);
      const { team, user } = exactlyOne(options);
      if (team !== undefined) {
        const operation = 'DELETE /api/v0/repositories/{namespace}/{reponame}/teamAccess/{teamname}';
        await api.ask(operation, { path: { ...path, teamname: team } });
      }
      if (user !== undefined) {
        const operation = 'DELETE /api/v0/repositories/{namespace}/{reponame}/userAccess/{username}';
        await api.ask(operation, { path: { ...path, username: user } });
      }
      output.say(`${describe(options)} has no access of its own to ${repository} any more`);
    }),
  );
}

function withGrantee(command: Command): Command {
  return command.option('--team <team>', 'a team of its organization').option('--user <user>', 'a user');
}

function exactlyOne(grantee: Grantee): Grantee {
  if ((grantee.team === undefined) !== (grantee.user === undefined)) return grantee;
  throw new Failure('usage', '--team <team> or --user <user> expected');
}

function describe({ team, user }: Grantee): string {
  return team === undefined ? `the user ${user}` : `the team ${team}`;
}
