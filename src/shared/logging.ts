/** Structured logs on standard output, one JSON object a line. */
import { pino } from 'pino';

export type Logger = Pick<pino.Logger, 'error' | 'warn' | 'info' | 'debug'>;
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** `destination` is a file descriptor; writes are synchronous so that no line is lost when the process ends. */
export function createLogger(options: { level: LogLevel; program: string; destination?: number }): Logger {
  return pino(
    {
      level: options.level,
      base: { program: options.program },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: options.destination ?? 1, sync: true }),
  );
}
