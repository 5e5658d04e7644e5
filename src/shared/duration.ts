/** Durations as the cache's configuration writes them: a positive integer and an optional unit. */

const millisecondsPer = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds; a bare number is nanoseconds, as in the original. `undefined` when the text is not a duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^([0-9]{1,15})(ns|us|ms|s|m|h)?$/.exec(text);
  if (match === null) return undefined;
  const count = Number(match[1]);
  const durationMs = count * millisecondsPer[(match[2] ?? 'ns') as keyof typeof millisecondsPer];
  return count > 0 && Number.isSafeInteger(Math.ceil(durationMs)) ? durationMs : undefined;
}

/**
 * Milliseconds of a duration as Go writes it, which the other keys of a Docker Registry configuration use: `90s`, `1m30s`,
 * `1.5h`, a bare number for nanoseconds. `undefined` when the text is not a positive duration.
 */
export function parseGoDurationMs(text: string): number | undefined {
  if (!/^(?:\d{1,18}|(?:\d{1,15}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h))+)$/.test(text)) return undefined;
  if (/^\d+$/.test(text)) return parseDurationMs(text);
  let durationMs = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    durationMs +=
      Number(count) * millisecondsPer[(unit === 'µs' ? 'us' : unit) as keyof typeof millisecondsPer];
  }
  return durationMs > 0 && Number.isSafeInteger(Math.ceil(durationMs)) ? durationMs : undefined;
}
