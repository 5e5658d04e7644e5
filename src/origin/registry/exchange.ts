/** One request to the registry door and its answer, as the handlers share it. */
import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http';
import { DomainError } from '../../shared/errors.ts';
import type { RequestRecord } from '../request-log.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The query, not decoded. */
  readonly query: string;
  readonly record: RequestRecord;
}

/** Page sizes are clamped to this. */
const maximumPageSize = 1000;

/** By this old clients know a registry. */
export const apiVersion = ['Docker-Distribution-Api-Version', 'registry/2.0'] as const;

/** Headers of every answer of this door that is not a blob. */
const commonHeaders = [...apiVersion, 'X-Content-Type-Options', 'nosniff'] as const;
/** Up to here a body is sent with its head in one write: measured, a tenth more manifests a second. */
const oneWriteBytes = 16 * 1024;

export function answer(
  exchange: Exchange,
  status: number,
  headers: Record<string, string | number> = {},
  body?: string | Buffer,
): void {
  const { request, response } = exchange;
  // A list as Node writes it, since every redirect comes by here: objects put together from others cost several times that.
  const all: (string | number)[] = [...commonHeaders];
  if (status !== 204) all.push('Content-Length', body === undefined ? 0 : Buffer.byteLength(body));
  for (const name of Object.keys(headers)) all.push(name, headers[name] as string | number);
  response.writeHead(status, all as OutgoingHttpHeader[]);
  if (request.method === 'HEAD' || body === undefined) response.end();
  else if (typeof body === 'string' || body.byteLength > oneWriteBytes) response.end(body);
  // As latin1 each byte is a character and back: Node joins texts, and only texts, into one write.
  else response.end(body.toString('latin1'), 'latin1');
}

export function answerJson(
  exchange: Exchange,
  value: unknown,
  headers: Record<string, string | number> = {},
): void {
  answer(
    exchange,
    200,
    { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store', ...headers },
    JSON.stringify(value),
  );
}

/** The values of a query parameter. */
export function queryValues(exchange: Exchange, name: string): string[] {
  return exchange.query === '' ? [] : new URLSearchParams(exchange.query).getAll(name);
}

/** `n` and `last` of a listing (distribution spec, end-8b). @throws DomainError `page-size-invalid` */
export function pageOf(exchange: Exchange): { last: string; count: number } {
  const [n] = queryValues(exchange, 'n');
  const [last] = queryValues(exchange, 'last');
  if (n !== undefined && !/^\d+$/.test(n)) {
    throw new DomainError('page-size-invalid', 'n: a number of entries expected', { detail: { n } });
  }
  const count = n === undefined ? maximumPageSize : Math.min(Number(n), maximumPageSize);
  return { last: last ?? '', count };
}

/** The `Link` header to the next page (RFC 8288): the same question, with where to go on. */
export function nextPageLink(path: string, query: Readonly<Record<string, string>>): Record<string, string> {
  return { Link: `<${path}?${new URLSearchParams(query)}>; rel="next"` };
}

/** @throws DomainError `method-not-allowed` with `Allow` set */
export function refuseMethod(exchange: Exchange, allowed: readonly string[]): never {
  exchange.response.setHeader('Allow', allowed.join(', '));
  throw new DomainError('method-not-allowed', `this endpoint answers ${allowed.join(', ')}`);
}

/** @throws DomainError `method-not-allowed` with `Allow` set */
export function assertRead(exchange: Exchange): void {
  const { method } = exchange.request;
  if (method !== 'GET' && method !== 'HEAD') refuseMethod(exchange, ['GET', 'HEAD']);
}
