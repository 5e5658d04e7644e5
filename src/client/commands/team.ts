/** `dtr org team …`: teams, who is in them, and what they reach. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { given } from '../api.ts';
import { type Asking, destructiveVerb, group, verb } from '../command.ts';
import { type View, yesNo } from '../output.ts';
import { repositoryAccessView, teamView } from '../views.ts';

const teamMemberView: View<components['schemas']['TeamMember']> = {
  id: ({ member }) => member.name,
  columns: [
    ['Name', ({ member }) => member.name],
    ['Full name', ({ member }) => member.fullName],
    ['Active', ({ member }) => yesNo(member.isActive)],
  ],
};

interface Changes {
  readonly name?: string;
  readonly description?: string;
}

export function addTeamCommands(teams: Command, asking: Asking): void {
  verb(teams, 'list <org>', 'list its teams').action(
    asking(async ({ api, output }, orgname: string) => {
      output.list(await api.list('GET /api/v0/accounts/{orgname}/teams', { path: { orgname } }), teamView);
    }),
  );
  verb(teams, 'show <org> <team>', 'show one').action(
    asking(async ({ api, output }, orgname: string, teamname: string) => {
      const path = { orgname, teamname };
      output.record(await api.ask('GET /api/v0/accounts/{orgname}/teams/{teamname}', { path }), teamView);
    }),
  );
  verb(teams, 'add <org> <name>', 'create one')
    .option('--description <text>', 'what it is for')
    .action(
      asking(async ({ api, output }, orgname: string, name: string, { description }: Changes) => {
        const body = { name, ...given({ description }) };
        output.record(
          await api.ask('POST /api/v0/accounts/{orgname}/teams', { path: { orgname }, body }),
          teamView,
        );
      }),
    );
  verb(teams, 'update <org> <team>', 'change one')
    .option('--name <name>', 'another name')
    .option('--description <text>', 'what it is for')
    .action(
      asking(async ({ api, output }, orgname: string, teamname: string, { name, description }: Changes) => {
        const path = { orgname, teamname };
        const body = given({ name, description });
        output.record(
          await api.ask('PATCH /api/v0/accounts/{orgname}/teams/{teamname}', { path, body }),
          teamView,
        );
      }),
    );
  destructiveVerb(teams, 'remove <org> <team>', 'delete one; its members lose what it gave access to').action(
    asking(async ({ api, output, terminal }, orgname: string, teamname: string, options: { yes?: true }) => {
      const path = { orgname, teamname };
      await api.ask('GET /api/v0/accounts/{orgname}/teams/{teamname}', { path });
      await terminal.confirm(`the team ${teamname} of ${orgname}`, teamname, options);
      await api.ask('DELETE /api/v0/accounts/{orgname}/teams/{teamname}', { path });
      output.say(`the team ${teamname} of ${orgname} is removed`);
    }),
  );
  verb(teams, 'access <org> <team>', 'list the repositories that it has access to').action(
    asking(async ({ api, output }, orgname: string, teamname: string) => {
      const path = { orgname, teamname };
      const list = await api.list('GET /api/v0/accounts/{orgname}/teams/{teamname}/repositoryAccess', {
        path,
      });
      output.list(list, repositoryAccessView);
    }),
  );
  addTeamMemberCommands(group(teams, 'member', 'who is in a team'), asking);
}

function addTeamMemberCommands(members: Command, asking: Asking): void {
  verb(members, 'list <org> <team>', 'list them').action(
    asking(async ({ api, output }, orgname: string, teamname: string) => {
      const path = { orgname, teamname };
      output.list(
        await api.list('GET /api/v0/accounts/{orgname}/teams/{teamname}/members', { path }),
        teamMemberView,
      );
    }),
  );
  verb(members, 'show <org> <team> <user>', 'show one').action(
    asking(async ({ api, output }, orgname: string, teamname: string, member: string) => {
      const path = { orgname, teamname, member };
      output.record(
        await api.ask('GET /api/v0/accounts/{orgname}/teams/{teamname}/members/{member}', { path }),
        teamMemberView,
      );
    }),
  );
  verb(
    members,
    'add <org> <team> <user>',
    'take one in; makes them a member of the organization, too',
  ).action(
    asking(async ({ api, output }, orgname: string, teamname: string, member: string) => {
      const path = { orgname, teamname, member };
      output.record(
        await api.ask('PUT /api/v0/accounts/{orgname}/teams/{teamname}/members/{member}', { path }),
        teamMemberView,
      );
    }),
  );
  verb(members, 'remove <org> <team> <user>', 'take one out of the team').action(
    asking(async ({ api, output }, orgname: string, teamname: string, member: string) => {
      const path = { orgname, teamname, member };
      await api.ask('GET /api/v0/accounts/{orgname}/teams/{teamname}/members/{member}', { path });
      await api.ask('DELETE /api/v0/accounts/{orgname}/teams/{teamname}/members/{member}', { path });
      output.say(`${member} is not in the team ${teamname} of ${orgname} any more`);
    }),
  );
}
