/** The body of a request to the API: JSON in UTF-8 (RFC 8259), not compressed, at most 100 KiB. */
import express, { type RequestHandler } from 'express';
import { DomainError } from '../../shared/errors.ts';
import type { ContractDocument } from './openapi.ts';

const changing = new Set(['POST', 'PATCH']);
interface AskedFor {
  readonly method?: string | undefined;
  /** With the prefix that Express takes from `url`. */
  readonly originalUrl?: string | undefined;
}

const byteOrderMark = Buffer.from('\ufeff');

/** Reads it into `request.body`; a body of another type is left to the contract's validator. */
export function createJsonBody(contract: ContractDocument): RequestHandler[] {
  const bodiless = pathsOfBodilessPosts(contract);
  const wantsBody = ({ method = '', originalUrl = '' }: AskedFor) =>
    changing.has(method) && !(method === 'POST' && bodiless.test(originalUrl.replace(/\?.*$/, '')));
  return [
    express.json({
      limit: '100kb',
      inflate: false,
      // The parser would decode other encodings, drop a byte order mark, and take nothing for an empty object.
      verify: (request, _response, body, encoding) => {
        if (encoding !== 'utf-8') throw new DomainError('media-type-unsupported', 'JSON in UTF-8 expected');
        if (body.length === 0 && wantsBody(request)) throw emptyBody();
        if (body.subarray(0, byteOrderMark.length).equals(byteOrderMark)) {
          throw new DomainError('json-invalid', 'Unable to parse JSON: it begins with a byte order mark');
        }
      },
    }),
    (request, _response, next) => {
      // The contract's validator lets an absent body pass where no field of it is required.
      if (request.body === undefined && wantsBody(request) && request.is('json') !== false) throw emptyBody();
      next();
    },
  ];
}

function pathsOfBodilessPosts({ paths = {} }: ContractDocument): RegExp {
  const templates = Object.entries(paths).flatMap(([path, item]) =>
    item.post !== undefined && item.post.requestBody === undefined ? [path] : [],
  );
  return new RegExp(`^(?:${templates.map((path) => path.replaceAll(/\{\w+\}/g, '[^/]+')).join('|')})/?$`);
}

function emptyBody(): DomainError {
  return new DomainError('json-invalid', 'Unable to parse JSON: the body is empty');
}
