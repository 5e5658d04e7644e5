/** The program `dtr`: the origin and its commands. */
import { Command, CommanderError, Option } from 'commander';
import { addClientCommands } from './client/commands.ts';
import { exitCodes, Failure } from './client/failure.ts';
import type { BackupCommandOptions } from './origin/commands/admin-backup.ts';
import type { ResetPasswordOptions } from './origin/commands/admin-reset-password.ts';
import type { RestoreCommandOptions } from './origin/commands/admin-restore.ts';
import type { GcOptions } from './origin/commands/gc.ts';
import { defaults, type ServeOptions } from './origin/serve-options.ts';

// The database, the keys and the blobs are the server's alone.
process.umask(0o077);

const data = new Option('--data <directory>', 'database, blobs, keys').env('DTR_DATA').default(defaults.data);
const gcGrace = new Option('--gc-grace <duration>', 'blobs pushed or asked for within this time stay')
  .env('DTR_GC_GRACE')
  .default(defaults.gcGrace);
const gcUntagged = new Option('--gc-untagged <duration>', 'remove manifests untagged for this time, or off')
  .env('DTR_GC_UNTAGGED')
  .default(defaults.gcUntagged);
const uploadAge = new Option('--upload-age <duration>', 'end uploads that got no byte for this time')
  .env('DTR_UPLOAD_AGE')
  .default(defaults.uploadAge);

const program = new Command('dtr').description('A trusted registry with content caches near its users');
program.exitOverride();
program.commandsGroup('Run an origin:');
program.configureOutput({ outputError: (message, write) => write(message.replace(/^error: /, 'dtr: ')) });

// A command's code is loaded when it is run: whoever asks for something else does not wait for a database to load.

program
  .command('serve')
  .description('run the origin in the foreground; logs go to standard output')
  .addOption(data)
  .addOption(new Option('--listen <address>', '[host]:port').env('DTR_LISTEN').default(defaults.listen))
  .addOption(
    new Option('--external-url <url>', 'how clients and caches reach the origin').env('DTR_EXTERNAL_URL'),
  )
  .addOption(new Option('--tls-certificate <file>', 'PEM, with its chain').env('DTR_TLS_CERTIFICATE'))
  .addOption(new Option('--tls-key <file>', 'PEM').env('DTR_TLS_KEY'))
  .addOption(new Option('--tls-ca <file>', 'PEM of the CA, served at /ca').env('DTR_TLS_CA'))
  .addOption(new Option('--no-tls', 'plain HTTP, for a proxy in front that ends TLS'))
  .addOption(
    new Option('--trusted-proxies <cidr,...>', 'proxies whose X-Forwarded-For tells the client')
      .env('DTR_TRUSTED_PROXIES')
      .default(defaults.trustedProxies),
  )
  .addOption(
    new Option('--log-level <level>', 'error, warn, info, debug')
      .env('DTR_LOG_LEVEL')
      .default(defaults.logLevel),
  )
  .addOption(
    new Option(
      '--metrics-listen <address>',
      '[host]:port of Prometheus metrics, for 127.0.0.1 without a host',
    ).env('DTR_METRICS_LISTEN'),
  )
  .addOption(
    new Option('--probe-interval <duration>', 'between two looks at a content cache, or off')
      .env('DTR_PROBE_INTERVAL')
      .default(defaults.probeInterval),
  )
  .addOption(
    new Option('--probe-private-networks <on|off>', 'whether content caches may be in private networks')
      .env('DTR_PROBE_PRIVATE_NETWORKS')
      .default(defaults.probePrivateNetworks),
  )
  .addOption(
    new Option('--gc-interval <duration>', 'between two garbage collections, or off')
      .env('DTR_GC_INTERVAL')
      .default(defaults.gcInterval),
  )
  .addOption(gcGrace)
  .addOption(gcUntagged)
  .addOption(uploadAge)
  .addOption(
    new Option('--event-age <duration>', 'forget events older than this, or off')
      .env('DTR_EVENT_AGE')
      .default(defaults.eventAge),
  )
  .action(async (options: ServeOptions) => (await import('./origin/commands/serve.ts')).serve(options));

program
  .command('gc')
  .description(
    'remove unused blobs, abandoned uploads and, if asked to, untagged manifests; beside a running origin',
  )
  .addOption(data)
  .addOption(gcGrace)
  .addOption(gcUntagged)
  .addOption(uploadAge)
  .option('--dry-run', 'say what would be removed, and change nothing', false)
  .option('--json', 'print the result as JSON', false)
  .action(async (options: GcOptions) => (await import('./origin/commands/gc.ts')).collectGarbage(options));

program
  .command('scrub')
  .description('hold every blob and manifest against its digest; beside a running origin')
  .addOption(data)
  .option('--json', 'print the result as JSON', false)
  .action(async (options: { data: string; json: boolean }) =>
    (await import('./origin/commands/scrub.ts')).scrub(options),
  );

const admin = program.command('admin').description('work on the data itself');

admin
  .command('reset-password')
  .description('give a user a new password and sign them out everywhere; beside a running origin')
  .addOption(data)
  .option('--user <name>', 'whose', 'admin')
  .option(
    '--password-stdin',
    'read it from standard input; otherwise a random one is made and printed',
    false,
  )
  .action(async (options: ResetPasswordOptions) =>
    (await import('./origin/commands/admin-reset-password.ts')).resetPasswordOf(options),
  );

admin
  .command('rotate-key')
  .description('sign with a new key; what the one before signed stays good. Beside a running origin')
  .addOption(data)
  .action(async (options: { data: string }) =>
    (await import('./origin/commands/admin-rotate-key.ts')).rotateKey(options),
  );

admin
  .command('backup')
  .description(
    'copy everything to a directory, or what is new since the backup in it; beside a running origin',
  )
  .addOption(data)
  .requiredOption('--to <directory>', 'a new or empty one, or the backup before, which is brought up to date')
  .option('--verify', 'hold blobs that an earlier backup copied against their digests, too', false)
  .option('--json', 'print the result as JSON', false)
  .action(async (options: BackupCommandOptions) =>
    (await import('./origin/commands/admin-backup.ts')).backUpData(options),
  );

admin
  .command('restore')
  .description('check a backup and bring it back')
  .requiredOption('--from <directory>', 'the backup')
  .addOption(data)
  .option('--replace', 'move what is in the data directory aside first, to <data>.before-<time>', false)
  .option('--json', 'print the result as JSON', false)
  .action(async (options: RestoreCommandOptions) =>
    (await import('./origin/commands/admin-restore.ts')).restoreData(options),
  );

addClientCommands(program, process);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Said already. What was typed wrongly is no failure of what was asked for.
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
  } else if (error instanceof Failure) {
    console.error(error.describe());
    process.exitCode = error.exitCode;
  } else {
    console.error(`dtr: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
