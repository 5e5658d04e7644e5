/** A logger that keeps its lines for the test to read. */
import type { Logger } from '../../src/shared/logging.ts';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function keepingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (fields: unknown, msg?: string) => {
    lines.push(
      typeof fields === 'string' ? { level, msg: fields } : { level, msg: msg ?? '', ...(fields as object) },
    );
  };
  const logger = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
  return { logger: logger as unknown as Logger, lines };
}
