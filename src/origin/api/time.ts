/** Times in the API's queries. */
import { DomainError } from '../../shared/errors.ts';

const grammar = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** A time of RFC 3339 in ms since the epoch. @throws DomainError `input-invalid` naming the parameter */
export function parseTime(text: string, field: string): number {
  const time = grammar.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new DomainError('input-invalid', `${field}: a time such as 2026-11-25T09:30:00Z expected`, {
    detail: { field },
  });
}
