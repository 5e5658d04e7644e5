/** `dtr token …`: access tokens, passwords for machines. */
import type { Command } from 'commander';
import { systemClock } from '../../shared/clock.ts';
import { type Api, given } from '../api.ts';
import { type Asking, destructiveVerb, group, verb } from '../command.ts';
import { Failure } from '../failure.ts';
import { parseFuture, parsePast } from '../times.ts';
import { tokenView } from '../views.ts';

interface CreateOptions {
  readonly label?: string;
  readonly readOnly?: true;
  readonly expires?: string;
  readonly for?: string;
}

interface PruneOptions {
  readonly for?: string;
  readonly unusedSince?: string;
  readonly madeBy?: string;
  readonly yes?: true;
}

export function addTokenCommands(program: Command, asking: Asking): void {
  const tokens = group(program, 'token', 'access tokens: passwords for machines');
  verb(tokens, 'list', 'list your tokens')
    .option('--for <user>', "another user's")
    .action(
      asking(async ({ api, output }, options: { for?: string }) => {
        output.list(await listTokens(api, options.for), tokenView);
      }),
    );
  verb(tokens, 'create', 'make one; --quiet prints it alone')
    .option('--label <text>', 'what it is for')
    .option('--read-only', 'it may pull, and read by the API')
    .option('--expires <time>', 'until when, such as 90d, 12h or 2027-01-31')
    .option('--for <user>', 'for another user')
    .action(
      asking(async ({ api, output }, options: CreateOptions) => {
        const created = await api.ask('POST /api/v0/api_tokens', {
          query: given({ username: options.for }),
          body: given({
            tokenLabel: options.label,
            access: options.readOnly === true ? ('read-only' as const) : undefined,
            expiresAt:
              options.expires === undefined
                ? undefined
                : parseFuture('--expires', options.expires, systemClock),
          }),
        });
        output.record(created, {
          ...tokenView,
          id: ({ token }) => token,
          columns: [['Token', ({ token }) => token], ...tokenView.columns],
        });
        output.say('the token itself is shown now and never again');
      }),
    );
  verb(tokens, 'show <token>', 'show one, by the beginning of its id').action(
    asking(async ({ api, output }, id: string) => {
      const hashedtoken = await findToken(api, id);
      output.record(
        await api.ask('GET /api/v0/api_tokens/{hashedtoken}', { path: { hashedtoken } }),
        tokenView,
      );
    }),
  );
  verb(tokens, 'update <token>', 'change one')
    .option('--label <text>', 'what it is for')
    .option('--active', 'it is taken again')
    .option('--no-active', 'it is refused for now')
    .action(
      asking(async ({ api, output }, id: string, { label, active }: { label?: string; active?: boolean }) => {
        const path = { hashedtoken: await findToken(api, id) };
        const body = given({ tokenLabel: label, isActive: active });
        output.record(await api.ask('PATCH /api/v0/api_tokens/{hashedtoken}', { path, body }), tokenView);
      }),
    );
  verb(tokens, 'revoke <token...>', 'revoke some, by the beginnings of their ids').action(
    asking(async ({ api, output }, ids: string[]) => {
      for (const id of ids) {
        const hashedtoken = await findToken(api, id);
        await api.ask('DELETE /api/v0/api_tokens/{hashedtoken}', { path: { hashedtoken } });
        output.say(`the token ${hashedtoken.slice(0, 12)} is revoked`);
      }
    }),
  );
  destructiveVerb(tokens, 'prune', 'revoke all tokens of a user, or those that are not used')
    .option('--for <user>', "another user's")
    .option('--unused-since <time>', 'only those not used since, such as 90d or 2026-01-31')
    .option('--made-by <user>', 'only those that this user made; auto: made by a sign-in')
    .action(
      asking(async ({ api, output, terminal }, options: PruneOptions) => {
        const user = options.for ?? api.user;
        await terminal.confirm(`access tokens of ${user}`, user, options);
        const query = given({
          username: options.for,
          usedbefore:
            options.unusedSince === undefined
              ? undefined
              : parsePast('--unused-since', options.unusedSince, systemClock),
          generatedby: options.madeBy,
        });
        const { deleted } = await api.ask('DELETE /api/v0/api_tokens', { query });
        output.say(`${deleted} tokens of ${user} are revoked`);
      }),
    );
}

async function listTokens(api: Api, user: string | undefined) {
  return api.list('GET /api/v0/api_tokens', { query: given({ username: user }) });
}

/** A whole id is taken as it is; it may be another user's. @throws Failure when not exactly one of one's own begins so */
async function findToken(api: Api, id: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(id)) return id;
  const { items } = await listTokens(api, undefined);
  const found = items.filter(({ hashedToken }) => hashedToken.startsWith(id));
  if (found[0] !== undefined && found.length === 1) return found[0].hashedToken;
  if (found.length === 0)
    throw new Failure('notFound', `no token of yours begins with ${id}`, 'see: dtr token list');
  throw new Failure('failed', `${found.length} tokens of yours begin with ${id}`, 'give more of the id');
}
