/** `dtr login`, `dtr logout` and `dtr whoami`. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { Api } from '../api.ts';
import { type Asking, originOption, verb } from '../command.ts';
import { openConnection } from '../connection.ts';
import { Failure } from '../failure.ts';
import { Output } from '../output.ts';
import { findPlace, findSignIn, forgetSignIn, parseOrigin, readCa, storeSignIn } from '../sign-ins.ts';
import type { Surroundings } from '../surroundings.ts';
import { Terminal } from '../terminal.ts';
import { accountView } from '../views.ts';

interface LoginOptions {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly caFile?: string;
  readonly quiet?: boolean;
}

interface LogoutOptions {
  readonly origin?: string;
  readonly quiet?: boolean;
}

export function addLoginCommands(program: Command, asking: Asking, surroundings: Surroundings): void {
  program
    .command('login <url>')
    .description('sign in to an origin; keeps an access token, never the password')
    .option('-u, --username <user>', 'who; asked for without it')
    .option('--password-stdin', 'read the password from standard input')
    .option('--ca-file <file>', 'PEM of the CA that signed the certificate of the origin')
    .option('-q, --quiet', 'say nothing')
    .action((url: string, options: LoginOptions) => login(url, options, surroundings));
  program
    .command('logout')
    .description('forget the access token that was kept, and revoke it')
    .addOption(originOption())
    .option('-q, --quiet', 'say nothing')
    .action((options: LogoutOptions) => logout(options, surroundings));
  verb(program, 'whoami', 'show who is signed in, and where').action(
    asking(async ({ api, output }) => {
      const account = await api.ask('GET /api/v0/accounts/{namespace}', { path: { namespace: api.user } });
      output.record(account, {
        ...accountView,
        columns: [['Origin', () => api.origin], ...accountView.columns],
      });
    }),
  );
}

async function login(url: string, options: LoginOptions, surroundings: Surroundings): Promise<void> {
  const { env } = surroundings;
  const output = new Output(options, surroundings);
  const terminal = new Terminal(surroundings);
  const origin = parseOrigin(url);
  const before = await findSignIn(origin, env);
  const caFile = options.caFile ?? (env.DTR_CA_FILE || undefined);
  const ca = caFile === undefined ? before?.ca : await readCa(caFile);
  if (new URL(origin).protocol === 'http:')
    output.say(`the password travels to ${origin} without encryption`);
  const connection = await openConnection(origin, { ca });
  try {
    const user = options.username ?? (await terminal.askLine('User: ', '--username'));
    const secret = options.passwordStdin
      ? ((await terminal.readLines())[0] as string)
      : await terminal.askHidden(`Password of ${user}: `);
    const api = new Api({ origin, connection, credentials: { user, secret } });
    const { token } = await api.ask('POST /api/v0/api_tokens', {
      body: { tokenLabel: `dtr on ${hostname()}` },
    });
    const signIn = { user, secret: token, ...(ca === undefined ? {} : { ca }) };
    await storeSignIn(origin, signIn, env);
    // The one of the sign-in before is of no use any more. It may be revoked already, or another user's account be gone.
    if (before !== undefined) {
      await revoke(new Api({ origin, connection, credentials: before }), before.secret).catch(() => {});
    }
    output.say(`signed in to ${origin} as ${user}`);
  } finally {
    connection.close();
  }
}

async function logout(options: LogoutOptions, surroundings: Surroundings): Promise<void> {
  const { env } = surroundings;
  const { origin, ca } = await findPlace(options.origin, env);
  const signIn = await findSignIn(origin, env);
  if (signIn === undefined) throw new Failure('notSignedIn', `not signed in at ${origin}`);
  const connection = await openConnection(origin, { ca });
  let kept: Error | undefined;
  try {
    await revoke(new Api({ origin, connection, credentials: signIn }), signIn.secret);
  } catch (error) {
    // Not signed in, or not found: it was revoked already.
    if (!(error instanceof Failure && [3, 4].includes(error.exitCode))) kept = error as Error;
  } finally {
    connection.close();
  }
  await forgetSignIn(origin, env);
  if (kept !== undefined) {
    throw new Failure(
      'failed',
      `the access token is forgotten here, but could not be revoked: ${kept.message}`,
      `when it can be: dtr token revoke ${await hashOf(signIn.secret)}`,
    );
  }
  new Output(options, surroundings).say(`signed out of ${origin}`);
}

async function revoke(api: Api, token: string): Promise<void> {
  await api.ask('DELETE /api/v0/api_tokens/{hashedtoken}', { path: { hashedtoken: await hashOf(token) } });
}

/** As the API names access tokens. */
async function hashOf(token: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  return createHash('sha256').update(token).digest('hex');
}
