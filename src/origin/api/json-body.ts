/** The body of a request to the API: JSON in UTF-8 (RFC 8259), not compressed, at most 100 KiB. */
import express, { type Request, type RequestHandler, type Response } from 'express';
import { DomainError } from '../../shared/errors.ts';

interface BodyOfOperation {
  readonly takesBody: boolean;
  readonly needsBody: boolean;
}

const byteOrderMark = Buffer.from('\ufeff');

/**
 * Reads it into `request.body`. @throws DomainError `json-invalid`, `media-type-unsupported`; of express's parser, errors that
 * `errors.ts` knows
 */
export function createJsonBody(operationOf: (response: Response) => BodyOfOperation): RequestHandler[] {
  return [
    express.json({
      limit: '100kb',
      inflate: false,
      // The parser would decode other encodings, drop a byte order mark, and take nothing for an empty object.
      verify: (_request, response, body, encoding) => {
        if (encoding !== 'utf-8') throw unsupported();
        if (body.length === 0 && operationOf(response as Response).needsBody) throw emptyBody();
        if (body.subarray(0, byteOrderMark.length).equals(byteOrderMark)) {
          throw new DomainError('json-invalid', 'Unable to parse JSON: it begins with a byte order mark');
        }
      },
    }),
    (request, response, next) => {
      const { takesBody, needsBody } = operationOf(response);
      if (takesBody && request.body === undefined && isOfAnotherType(request)) throw unsupported();
      if (needsBody && request.body === undefined) throw emptyBody();
      next();
    },
  ];
}

function isOfAnotherType(request: Request): boolean {
  const isEmpty = request.headers['content-length'] === '0' && request.headers['content-type'] === undefined;
  // `null` says that there is no body at all.
  return !isEmpty && request.is('json') === false;
}

function unsupported(): DomainError {
  return new DomainError('media-type-unsupported', 'application/json in UTF-8 expected');
}

function emptyBody(): DomainError {
  return new DomainError('json-invalid', 'Unable to parse JSON: the body is empty');
}
