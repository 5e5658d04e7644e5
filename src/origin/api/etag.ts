/** Lost updates: who changes what they read may say so (`If-Match`, RFC 9110, 13.1.1), and is told if it was changed since. */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { DomainError } from '../../shared/errors.ts';

/** Answers with the resource and the `ETag` of its state. */
export function sendWithEtag(response: Response, resource: object): void {
  setEtag(response, resource);
  response.json(resource);
}

/** Where the answer holds more than what can be changed. */
export function setEtag(response: Response, resource: object): void {
  response.setHeader('ETag', etagOf(resource));
}

/**
 * Holds `If-Match`, if it was sent, against the resource as it is now, in the transaction of the change; `undefined` when there
 * is none any more.
 * @throws DomainError `changed-meanwhile`
 */
export function assertUnchanged(request: Request, resource: object | undefined): void {
  const header = request.headers['if-match'];
  if (header === undefined) return;
  const wanted = header.split(',').map((tag) => tag.trim());
  if (resource !== undefined && (wanted.includes('*') || wanted.includes(etagOf(resource)))) return;
  throw new DomainError('changed-meanwhile', 'it was changed since you read it: read it again');
}

function etagOf(resource: object): string {
  return `"${createHash('sha256').update(JSON.stringify(resource)).digest('hex').slice(0, 32)}"`;
}
