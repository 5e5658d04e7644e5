/** The body of a request to the API: JSON in UTF-8 (RFC 8259), not compressed, at most 100 KiB. */
import express, { type RequestHandler } from 'express';
import { DomainError } from '../../shared/errors.ts';

const changing = new Set(['POST', 'PATCH']);
const byteOrderMark = Buffer.from('\ufeff');

/** Reads it into `request.body`; a body of another type is left to the contract's validator. */
export const jsonBody: RequestHandler[] = [
  express.json({
    limit: '100kb',
    inflate: false,
    // The parser would decode other encodings, drop a byte order mark, and take nothing for an empty object.
    verify: (request, _response, body, encoding) => {
      if (encoding !== 'utf-8') throw new DomainError('media-type-unsupported', 'JSON in UTF-8 expected');
      if (body.length === 0 && changing.has(request.method ?? '')) throw emptyBody();
      if (body.subarray(0, byteOrderMark.length).equals(byteOrderMark)) {
        throw new DomainError('json-invalid', 'Unable to parse JSON: it begins with a byte order mark');
      }
    },
  }),
  (request, _response, next) => {
    // The contract's validator lets an absent body pass where no field of it is required.
    if (request.body === undefined && changing.has(request.method) && request.is('json') !== false) {
      throw emptyBody();
    }
    next();
  },
];

function emptyBody(): DomainError {
  return new DomainError('json-invalid', 'Unable to parse JSON: the body is empty');
}
