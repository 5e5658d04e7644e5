/** The API's contract, openapi.yaml: what its docs show and what requests and answers are checked against. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';

/** What of OpenAPI 3.1 the contract uses and a program reads; the rest is for people and for its linter. */
export interface ContractDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

export const contractMethods = ['get', 'put', 'post', 'patch', 'delete'] as const;

type Reference = { readonly $ref: string };

export type PathItem = { readonly parameters?: readonly (Parameter | Reference)[] } & {
  readonly [Method in (typeof contractMethods)[number]]?: Operation;
};

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required: boolean; readonly content: JsonContent };
  readonly responses: Readonly<Record<string, DocumentedAnswer | Reference>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly allowEmptyValue?: boolean;
  readonly schema: object;
}

interface DocumentedAnswer {
  readonly description: string;
  readonly content?: JsonContent;
}

interface JsonContent {
  readonly 'application/json': { readonly schema: object; readonly example?: unknown };
}

export interface Contract {
  readonly yaml: string;
  readonly document: ContractDocument;
}

export function loadContract(): Contract {
  const yaml = readFileSync(join(import.meta.dirname, '../../../openapi.yaml'), 'utf8');
  return { yaml, document: load(yaml) as ContractDocument };
}

/** Follows references within the document, such as `#/components/parameters/pageStart`. */
export function resolveReference<Value extends object>(
  document: ContractDocument,
  value: Value | Reference,
): Value {
  if (!('$ref' in value)) return value;
  const steps = value.$ref.replace(/^#\//, '').split('/');
  const target = steps.reduce(
    (at, step) => (at as Record<string, object>)[step] as object,
    document as object,
  );
  return resolveReference(document, target as Value);
}
