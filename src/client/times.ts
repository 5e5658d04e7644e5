/** Times as they are typed. */
import type { Clock } from '../shared/clock.ts';
import { Failure } from './failure.ts';

const millisecondsPer = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90d` from now on, or a time. RFC 3339. @throws Failure naming the option */
export function parseFuture(option: string, text: string, clock: Clock): string {
  return parseTime(option, text, (durationMs) => clock() + durationMs);
}

/** `90d` ago, or a time. RFC 3339. @throws Failure naming the option */
export function parsePast(option: string, text: string, clock: Clock): string {
  return parseTime(option, text, (durationMs) => clock() - durationMs);
}

function parseTime(option: string, text: string, from: (durationMs: number) => number): string {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const time =
    count === undefined ? parseDate(text) : from(Number(count) * millisecondsPer[unit as 'm' | 'h' | 'd']);
  if (Number.isNaN(time)) {
    throw new Failure(
      'usage',
      `${option}: a duration such as 90d or 12h, or a time such as 2026-11-25 or 2026-11-25T09:30Z expected`,
    );
  }
  return new Date(time).toISOString();
}

/** Local time, unless the text says otherwise: a date alone is its midnight here, not in UTC. */
function parseDate(text: string): number {
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d.*)?$/.test(text)) return Number.NaN;
  return new Date(text.length === 10 ? `${text}T00:00` : text).getTime();
}
