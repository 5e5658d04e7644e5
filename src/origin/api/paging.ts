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
    start: pageStart === undefined || pageStart === '' ? undefined : keyOf(pageStart),
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
  if (next !== undefined) response.setHeader('X-Next-Page-Start', cursorOf(next));
  if (pageOf(request).count) response.setHeader('X-Resource-Count', String(await countAll()));
}

/**
 * A key as clients see it: nothing in it changes its meaning in a query, since some scripts for the original encode it and some
 * paste it as it is. Of all keys names of content caches alone have a character that would, the space; none has a tilde.
 */
function cursorOf(key: string): string {
  return key.replaceAll(' ', '~');
}

function keyOf(pageStart: string): string {
  return pageStart.replaceAll('~', ' ');
}

/** Ajv takes for a number whatever JavaScript does, `0x10` and `1e3` among them. */
function assertDecimal({ url }: Request): void {
  const text = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('pageSize');
  if (text === null || /^\d+$/.test(text)) return;
  throw new DomainError('input-invalid', 'pageSize: a decimal number expected', {
    detail: { field: 'pageSize' },
  });
}
