/** `dtr user …`: people, and service accounts for machines. */
import { Argument, type Command, Option } from 'commander';
import { createAccount, getAccount, removeAccount, updateAccount } from '../accounts.ts';
import { given } from '../api.ts';
import { type Asking, destructiveVerb, group, verb } from '../command.ts';
import { Failure } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { accountView } from '../views.ts';

const filters = ['users', 'admins', 'non-admins', 'active-users', 'inactive-users'] as const;

interface AddOptions {
  readonly fullName?: string;
  readonly admin?: true;
  readonly service?: true;
  readonly passwordStdin?: true;
}

export function addUserCommands(program: Command, asking: Asking): void {
  const users = group(program, 'user', 'users and service accounts');
  verb(users, 'list', 'list users')
    .argument('[prefix]', 'only those whose name begins with it')
    .addOption(new Option('--filter <which>', 'which of them').choices(filters).default('users'))
    .action(
      asking(
        async (
          { api, output },
          prefix: string | undefined,
          { filter }: { filter: (typeof filters)[number] },
        ) => {
          output.list(
            await api.list('GET /api/v0/accounts', { query: { filter, ...given({ query: prefix }) } }),
            accountView,
          );
        },
      ),
    );
  verb(users, 'show <user>', 'show one').action(
    asking(async ({ api, output }, name: string) => output.record(await getAccount(api, name), accountView)),
  );
  verb(users, 'add <name>', 'create one; asks for a password')
    .option('--full-name <text>', 'as people know them')
    .option('--admin', 'a system admin')
    .option('--service', 'a service account: has no password, signs in with access tokens')
    .option('--password-stdin', 'read the password from standard input')
    .action(
      asking(async ({ api, output, terminal }, name: string, options: AddOptions) => {
        const { fullName, admin, service } = options;
        const password = service ? undefined : await newPassword(terminal, name, options);
        const body = { name, ...given({ fullName, isAdmin: admin, isServiceAccount: service, password }) };
        output.record(await createAccount(api, body), accountView);
      }),
    );
  verb(users, 'update <user>', 'change one')
    .option('--full-name <text>', 'as people know them')
    .option('--admin', 'make them a system admin')
    .option('--no-admin', 'take it from them')
    .action(
      asking(
        async (
          { api, output },
          user: string,
          { fullName, admin }: { fullName?: string; admin?: boolean },
        ) => {
          output.record(await updateAccount(api, user, given({ fullName, isAdmin: admin })), accountView);
        },
      ),
    );
  for (const [word, isActive, effect] of [
    ['activate', true, 'let one sign in again'],
    ['deactivate', false, 'keep one from signing in, with password and tokens alike'],
  ] as const) {
    verb(users, `${word} <user>`, effect).action(
      asking(async ({ api, output }, user: string) => {
        output.record(await updateAccount(api, user, { isActive }), accountView);
      }),
    );
  }
  verb(users, 'password', 'change a password')
    .addArgument(new Argument('[user]', 'whose; your own without it'))
    .option(
      '--password-stdin',
      'read it from standard input; your own: the old one first, in a line of its own',
    )
    .action(
      asking(
        async ({ api, output, terminal }, named: string | undefined, options: { passwordStdin?: true }) => {
          const user = named ?? api.user;
          const body =
            user === api.user
              ? await ownPasswords(terminal, user, options)
              : { newPassword: await newPassword(terminal, user, options) };
          await api.ask('POST /api/v0/accounts/{username}/changePassword', {
            path: { username: user },
            body,
          });
          output.say(`the password of ${user} is changed`);
        },
      ),
    );
  destructiveVerb(users, 'remove <user>', 'delete one with all their repositories').action(
    asking(async (asked, name: string, options: { yes?: true }) => {
      await removeAccount(asked, name, options);
      asked.output.say(`the user ${name} is removed`);
    }),
  );
}

async function newPassword(
  terminal: Terminal,
  whose: string,
  { passwordStdin }: { passwordStdin?: true },
): Promise<string> {
  return passwordStdin ? ((await terminal.readLines())[0] as string) : terminal.askNewPassword(whose);
}

async function ownPasswords(
  terminal: Terminal,
  user: string,
  { passwordStdin }: { passwordStdin?: true },
): Promise<{ oldPassword: string; newPassword: string }> {
  if (!passwordStdin) {
    const oldPassword = await terminal.askHidden('Your password so far: ');
    return { oldPassword, newPassword: await terminal.askNewPassword(user) };
  }
  const [oldPassword, newPassword] = await terminal.readLines();
  if (oldPassword !== undefined && newPassword !== undefined) return { oldPassword, newPassword };
  throw new Failure('usage', 'two lines expected on standard input: the old password, then the new one');
}
