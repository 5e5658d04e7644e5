/** The program `dtr-content-cache <config.yml>`: a content cache in the foreground, its logs on standard output. */
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describeConfiguration } from './cache/configuration/describe.ts';
import { ConfigurationInvalid } from './cache/configuration/problems.ts';
import { readConfiguration } from './cache/configuration.ts';
import { type ContentCache, startContentCache } from './cache/server.ts';
import { systemClock } from './shared/clock.ts';
import { createLogger, type Logger } from './shared/logging.ts';
import { untilSignal } from './shared/signals.ts';

// What is cached is for this server alone.
process.umask(0o077);

const program = new Command('dtr-content-cache')
  .description('Serves blobs of an origin near its users, by signed URLs')
  .argument('<config.yml>', 'a Docker Registry configuration file with the downstream middleware')
  .option('--check', 'say whether the configuration is good, what it means, and end')
  .action(run);

async function run(path: string, options: { check?: boolean }): Promise<void> {
  const configuration = readConfiguration(path, process.env);
  if (options.check) {
    for (const line of describeConfiguration(configuration)) console.log(`${path}: ${line}`);
    return;
  }
  const { level, format, fields } = configuration.log;
  const logger = createLogger({ level, format, fields, program: 'dtr-content-cache' });
  // Before it says that it listens: a signal that comes at once must find it ready to drain.
  const signalled = untilSignal();
  const inMemory = configuration.rootDirectory === undefined ? await makeTemporaryDirectory() : undefined;
  try {
    const rootDirectory = configuration.rootDirectory ?? (inMemory as string);
    const cache = await startContentCache(configuration, { rootDirectory, logger, clock: systemClock });
    process.on('SIGHUP', () => reload(cache, path, logger));
    logger.info({ signal: await signalled }, 'draining');
    await cache.close();
    logger.info('stopped');
  } finally {
    if (inMemory !== undefined) await rm(inMemory, { recursive: true, force: true });
  }
}

/** Reads certificates and CAs anew. What cannot be read changes nothing. */
function reload(cache: ContentCache, path: string, logger: Logger): void {
  try {
    cache.reload(readConfiguration(path, process.env));
    logger.info('certificates and CAs were read anew; other changes need a restart');
  } catch (error) {
    logger.error({ reason: (error as Error).message }, 'the old certificates and CAs stay in use');
  }
}

/** Where the system keeps files in memory, if it does. */
async function makeTemporaryDirectory(): Promise<string> {
  const memory = '/dev/shm';
  const writable = await access(memory, constants.W_OK).then(
    () => true,
    () => false,
  );
  return mkdtemp(join(writable ? memory : tmpdir(), 'dtr-content-cache-'));
}

try {
  await program.parseAsync();
} catch (error) {
  // Problems of the configuration name the file and the line instead.
  const prefix = error instanceof ConfigurationInvalid ? '' : 'dtr-content-cache: ';
  console.error(`${prefix}${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
