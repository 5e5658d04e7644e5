/** The API's contract, openapi.yaml: what its docs show and what requests and answers are checked against. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js';
import { parse } from 'yaml';

export type ContractDocument = OpenAPIV3.DocumentV3_1;

export interface Contract {
  readonly yaml: string;
  readonly document: ContractDocument;
}

export function loadContract(): Contract {
  const yaml = readFileSync(join(import.meta.dirname, '../../../openapi.yaml'), 'utf8');
  return { yaml, document: parse(yaml) };
}

/**
 * The contract for its validator: what can be got can be asked for its headers alone (RFC 9110, 9.3.2), and values in a query
 * may hold what RFC 3986 lets them hold, such as the colons of a time.
 */
export function forValidator(document: ContractDocument): ContractDocument {
  // A copy: the validator writes notes of its own into what it is given.
  const copy = structuredClone(document);
  for (const operations of Object.values(copy.paths ?? {})) {
    if (operations.get === undefined) continue;
    const { operationId: _, ...head } = structuredClone(operations.get);
    operations.head = head;
  }
  for (const parameter of Object.values(copy.components?.parameters ?? {})) {
    if ('in' in parameter && parameter.in === 'query') parameter.allowReserved = true;
  }
  return copy;
}
