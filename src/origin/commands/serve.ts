/** `dtr serve`: runs the origin in the foreground until a signal ends it. */
import { access, constants, mkdir } from 'node:fs/promises';
import { systemClock } from '../../shared/clock.ts';
import { createLogger } from '../../shared/logging.ts';
import { untilSignal } from '../../shared/signals.ts';
import { parseConfiguration } from '../configuration.ts';
import type { ServeOptions } from '../serve-options.ts';
import { startOrigin } from '../server.ts';

/** Resolves once the origin has ended. @throws an error whose message is one line for the admin */
export async function serve(options: ServeOptions): Promise<void> {
  const configuration = parseConfiguration(options);
  await makeWritable(configuration.dataDirectory);
  const logger = createLogger({ level: configuration.logLevel, program: 'dtr' });
  // From now on, not only once it listens: a signal must never end it without draining.
  const signalled = untilSignal();
  const origin = await startOrigin(configuration, { logger, clock: systemClock });
  logger.info({ signal: await signalled }, 'draining');
  await origin.close();
  logger.info('stopped');
}

async function makeWritable(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(`cannot write to the directory ${directory}: ${(cause as Error).message}`, { cause });
  }
}
