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
