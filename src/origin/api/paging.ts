/** Pages of the API: `pageStart`, `pageSize`, `count`, and the headers that answer them, as the original has them. */
import type { Request, Response } from 'express';
import { DomainError } from '../../shared/errors.ts';
import type { Page, PageOf } from '../paging.ts';

const maximumPageSize = 1000;

/**
 * The page that a request asks for. The check by the contract has made numbers and booleans of the texts.
 * @throws DomainError `input-invalid`
 */
export function pageOf(request: Request): Page & { readonly count: boolean } {
  const { pageStart, pageSize, count } = request.query as unknown as {
    pageStart?: string;
    pageSize: number;
    count: boolean;
  };
  assertDecimal(request);
  return {
    start: pageStart === undefined || pageStart === '' ? undefined : pageStart,
    size: Math.min(pageSize, maximumPageSize),
    count,
  };
}

/** Says where the next page begins, and how many records there are if that was asked. */
export async function sendPageHeaders(
  request: Request,
  response: Response,
  { next }: Pick<PageOf<unknown>, 'next'>,
  countAll: () => Promise<number>,
): Promise<void> {
  if (next !== undefined) response.setHeader('X-Next-Page-Start', encodeURIComponent(next));
  if (pageOf(request).count) response.setHeader('X-Resource-Count', String(await countAll()));
}

/** Ajv takes for a number whatever JavaScript does, `0x10` and `1e3` among them. */
function assertDecimal({ url }: Request): void {
  const text = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('pageSize');
  if (text === null || /^\d+$/.test(text)) return;
  throw new DomainError('input-invalid', 'pageSize: a decimal number expected', {
    detail: { field: 'pageSize' },
  });
}
