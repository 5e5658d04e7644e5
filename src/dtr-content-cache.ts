/** The program `dtr-content-cache <config.yml>`: a content cache in the foreground, its logs on standard output. */
import { Command } from 'commander';
import { readConfiguration } from './cache/configuration.ts';
import { ConfigurationInvalid } from './cache/configuration-problems.ts';
import { startContentCache } from './cache/server.ts';
import { systemClock } from './shared/clock.ts';
import { createLogger } from './shared/logging.ts';
import { untilSignal } from './shared/signals.ts';

// What is cached is for this server alone.
process.umask(0o077);

const program = new Command('dtr-content-cache')
  .description('Serves blobs of an origin near its users, by signed URLs')
  .argument('<config.yml>', 'a Docker Registry configuration file with the downstream middleware')
  .option('--check', 'say whether the configuration is good, and end')
  .action(run);

async function run(path: string, options: { check?: boolean }): Promise<void> {
  const configuration = readConfiguration(path);
  if (options.check) {
    console.log(`${path}: good`);
    return;
  }
  const logger = createLogger({ level: configuration.logLevel, program: 'dtr-content-cache' });
  // Before it says that it listens: a signal that comes at once must find it ready to drain.
  const signalled = untilSignal();
  const cache = await startContentCache(configuration, { logger, clock: systemClock });
  logger.info({ signal: await signalled }, 'draining');
  await cache.close();
  logger.info('stopped');
}

try {
  await program.parseAsync();
} catch (error) {
  // Problems of the configuration name the file and the line instead.
  const prefix = error instanceof ConfigurationInvalid ? '' : 'dtr-content-cache: ';
  console.error(`${prefix}${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
