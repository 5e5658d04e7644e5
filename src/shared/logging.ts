/** Structured logs on standard output, one object a line. */
import { pino } from 'pino';

export type Logger = Pick<pino.Logger, 'error' | 'warn' | 'info' | 'debug'>;
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
/** `text` is what the Docker Registry prints by default (logfmt), `logstash` what Logstash reads. */
export type LogFormat = 'json' | 'text' | 'logstash';

export interface LogOptions {
  readonly level: LogLevel;
  readonly program: string;
  readonly format?: LogFormat;
  /** Added to every line. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** A file descriptor; standard output by default. */
  readonly destination?: number;
}

/** Writes are synchronous so that no line is lost when the process ends. */
export function createLogger(options: LogOptions): Logger {
  const { level, program, format = 'json', fields = {}, destination: dest = 1 } = options;
  const logstash = format === 'logstash';
  const output = pino.destination({ dest, sync: true });
  const destination =
    format === 'text' ? { write: (line: string) => output.write(`${toText(JSON.parse(line))}\n`) } : output;
  return pino(
    {
      level,
      base: { ...(logstash ? { '@version': '1' } : {}), program, ...fields },
      messageKey: logstash ? 'message' : 'msg',
      timestamp: logstash
        ? () => `,"@timestamp":"${new Date().toISOString()}"`
        : pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** `time="…" level=info msg="…" key=value`: words as they are, everything else in quotes. */
function toText({ time, level, msg, ...rest }: Record<string, unknown>): string {
  return Object.entries({ time, level, msg, ...rest })
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => `${key}=${quoted(typeof value === 'object' ? JSON.stringify(value) : String(value))}`,
    )
    .join(' ');
}

function quoted(text: string): string {
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}
