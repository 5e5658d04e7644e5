/** Times as the API reads and writes them: RFC 3339. */
import { DomainError } from '../../shared/errors.ts';

const grammar =
  /^(\d{4}-\d\d-\d\d)[Tt ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** In ms since the epoch. @throws DomainError `input-invalid` naming the field */
export function parseTime(text: string, field: string): number {
  const date = grammar.exec(text)?.[1];
  const time = date !== undefined && isDate(date) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new DomainError('input-invalid', `${field}: a time such as 2026-11-25T09:30:00Z expected`, {
    detail: { field },
  });
}

export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** JavaScript takes the 30th of February for the 2nd of March. */
function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && formatTime(time).startsWith(text);
}
