/** `dtr org …`: organizations, their members, and what their teams may do in the whole namespace. */
import { Argument, type Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { createAccount, getAccount, removeAccount, updateAccount } from '../accounts.ts';
import { given } from '../api.ts';
import { type Asking, destructiveVerb, group, levelArgument, verb } from '../command.ts';
import { type View, yesNo } from '../output.ts';
import { accountView, teamAccessView } from '../views.ts';
import { addTeamCommands } from './team.ts';

type Schemas = components['schemas'];

const memberOrganizationView: View<Schemas['MemberOrganizations']['memberOrgs'][number]> = {
  id: ({ org }) => org.name,
  columns: [
    ['Name', ({ org }) => org.name],
    ['Full name', ({ org }) => org.fullName],
    ['Owner', ({ isAdmin }) => yesNo(isAdmin)],
  ],
};

const memberView: View<Schemas['Member']> = {
  id: ({ member }) => member.name,
  columns: [
    ['Name', ({ member }) => member.name],
    ['Full name', ({ member }) => member.fullName],
    ['Owner', ({ isAdmin }) => yesNo(isAdmin)],
    ['Active', ({ member }) => yesNo(member.isActive)],
  ],
};

export function addOrganizationCommands(program: Command, asking: Asking): void {
  const organizations = group(program, 'org', 'organizations, their members and teams');
  verb(organizations, 'list', 'list organizations')
    .argument('[prefix]', 'only those whose name begins with it')
    .option('--member <user>', 'those that the user is a member of')
    .action(
      asking(async ({ api, output }, prefix: string | undefined, { member }: { member?: string }) => {
        if (member === undefined) {
          const query = { filter: 'orgs' as const, ...given({ query: prefix }) };
          output.list(await api.list('GET /api/v0/accounts', { query }), accountView);
        } else {
          const path = { username: member };
          output.list(
            await api.list('GET /api/v0/accounts/{username}/organizations', { path }),
            memberOrganizationView,
          );
        }
      }),
    );
  verb(organizations, 'show <org>', 'show one').action(
    asking(async ({ api, output }, name: string) => output.record(await getAccount(api, name), accountView)),
  );
  verb(organizations, 'add <name>', 'create one')
    .option('--full-name <text>', 'as people know it')
    .action(
      asking(async ({ api, output }, name: string, { fullName }: { fullName?: string }) => {
        output.record(await createAccount(api, { name, isOrg: true, ...given({ fullName }) }), accountView);
      }),
    );
  verb(organizations, 'update <org>', 'change one')
    .requiredOption('--full-name <text>', 'as people know it')
    .action(
      asking(async ({ api, output }, name: string, { fullName }: { fullName: string }) => {
        output.record(await updateAccount(api, name, { fullName }), accountView);
      }),
    );
  destructiveVerb(organizations, 'remove <org>', 'delete one with all its repositories and teams').action(
    asking(async (asked, name: string, options: { yes?: true }) => {
      await removeAccount(asked, name, options);
      asked.output.say(`the organization ${name} is removed`);
    }),
  );
  addMemberCommands(group(organizations, 'member', 'members of an organization'), asking);
  addTeamCommands(group(organizations, 'team', 'teams of an organization'), asking);
  addNamespaceAccessCommands(
    group(organizations, 'access', 'what teams may do in every repository of their organization'),
    asking,
  );
}

function addMemberCommands(members: Command, asking: Asking): void {
  verb(members, 'list <org>', 'list its members').action(
    asking(async ({ api, output }, orgname: string) => {
      output.list(
        await api.list('GET /api/v0/accounts/{orgname}/members', { path: { orgname } }),
        memberView,
      );
    }),
  );
  verb(members, 'show <org> <user>', 'show one').action(
    asking(async ({ api, output }, orgname: string, member: string) => {
      const path = { orgname, member };
      output.record(await api.ask('GET /api/v0/accounts/{orgname}/members/{member}', { path }), memberView);
    }),
  );
  verb(members, 'add <org> <user>', 'make a user a member')
    .option('--owner', 'who manages the organization')
    .action(
      asking(async ({ api, output }, orgname: string, member: string, { owner }: { owner?: true }) => {
        const body = given({ isAdmin: owner });
        const path = { orgname, member };
        output.record(
          await api.ask('PUT /api/v0/accounts/{orgname}/members/{member}', { path, body }),
          memberView,
        );
      }),
    );
  verb(members, 'set-owner <org> <user>', 'make a member an owner, or a member like others again')
    .addArgument(new Argument('[yes|no]', 'whether they are one').choices(['yes', 'no']).default('yes'))
    .action(
      asking(async ({ api, output }, orgname: string, member: string, owner: string) => {
        const path = { orgname, member };
        const body = { isAdmin: owner === 'yes' };
        output.record(
          await api.ask('PATCH /api/v0/accounts/{orgname}/members/{member}', { path, body }),
          memberView,
        );
      }),
    );
  verb(members, 'remove <org> <user>', 'take a user out of the organization and its teams').action(
    asking(async ({ api, output }, orgname: string, member: string) => {
      const path = { orgname, member };
      await api.ask('GET /api/v0/accounts/{orgname}/members/{member}', { path });
      await api.ask('DELETE /api/v0/accounts/{orgname}/members/{member}', { path });
      output.say(`${member} is no member of ${orgname} any more`);
    }),
  );
}

function addNamespaceAccessCommands(access: Command, asking: Asking): void {
  verb(access, 'list <org>', 'list the teams that have access').action(
    asking(async ({ api, output }, namespace: string) => {
      const list = await api.list('GET /api/v0/repositoryNamespaces/{namespace}/teamAccess', {
        path: { namespace },
      });
      output.list(list, teamAccessView);
    }),
  );
  verb(access, 'show <org> <team>', "show a team's").action(
    asking(async ({ api, output }, namespace: string, teamname: string) => {
      const path = { namespace, teamname };
      output.record(
        await api.ask('GET /api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}', { path }),
        teamAccessView,
      );
    }),
  );
  verb(access, 'grant <org> <team>', 'give it to a team')
    .addArgument(levelArgument())
    .action(
      asking(
        async ({ api, output }, namespace: string, teamname: string, accessLevel: Schemas['AccessLevel']) => {
          const given = await api.ask('PUT /api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}', {
            path: { namespace, teamname },
            body: { accessLevel },
          });
          output.record(given, teamAccessView);
        },
      ),
    );
  verb(access, 'revoke <org> <team>', 'take it from a team').action(
    asking(async ({ api, output }, namespace: string, teamname: string) => {
      const path = { namespace, teamname };
      await api.ask('GET /api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}', { path });
      await api.ask('DELETE /api/v0/repositoryNamespaces/{namespace}/teamAccess/{teamname}', { path });
      output.say(`the team ${teamname} has no access to ${namespace} as a whole any more`);
    }),
  );
}
