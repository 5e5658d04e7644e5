/** The program `dtr`: the origin and its commands. */
import { Command, Option } from 'commander';
import { serve } from './origin/commands/serve.ts';
import { defaults } from './origin/configuration.ts';

// The database, the keys and the blobs are the server's alone.
process.umask(0o077);

const program = new Command('dtr').description('A trusted registry with content caches near its users');

program
  .command('serve')
  .description('run the origin in the foreground; logs go to standard output')
  .addOption(new Option('--data <directory>', 'database, blobs, keys').env('DTR_DATA').default(defaults.data))
  .addOption(new Option('--listen <address>', '[host]:port').env('DTR_LISTEN').default(defaults.listen))
  .addOption(
    new Option('--external-url <url>', 'how clients and caches reach the origin').env('DTR_EXTERNAL_URL'),
  )
  .addOption(new Option('--tls-certificate <file>', 'PEM, with its chain').env('DTR_TLS_CERTIFICATE'))
  .addOption(new Option('--tls-key <file>', 'PEM').env('DTR_TLS_KEY'))
  .addOption(new Option('--tls-ca <file>', 'PEM of the CA, served at /ca').env('DTR_TLS_CA'))
  .addOption(new Option('--no-tls', 'plain HTTP, for a proxy in front that ends TLS'))
  .addOption(
    new Option('--log-level <level>', 'error, warn, info, debug')
      .env('DTR_LOG_LEVEL')
      .default(defaults.logLevel),
  )
  .action(serve);

try {
  await program.parseAsync();
} catch (error) {
  console.error(`dtr: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
