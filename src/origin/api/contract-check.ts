/** Holds requests and their answers against the contract. What is not in it does not exist. */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { DomainError, type ErrorCode } from '../../shared/errors.ts';
import { type Check, ContractSchemas, type Mismatch } from './contract-schemas.ts';
import { createJsonBody } from './json-body.ts';
import {
  type ContractDocument,
  contractMethods,
  type Operation,
  type Parameter,
  type PathItem,
  resolveReference,
} from './openapi.ts';

/** An operation of the contract with what checks its requests and answers. */
interface CheckedOperation {
  readonly id: string;
  readonly takesBody: boolean;
  readonly needsBody: boolean;
  readonly queryParameters: ReadonlyMap<string, Parameter>;
  readonly checkPath: Check;
  readonly checkQuery: Check;
  readonly checkHeaders: Check;
  readonly checkBody: Check;
  /** By status; `undefined` for an answer without a body. */
  readonly checkAnswer: ReadonlyMap<number, Check | undefined>;
}

/** Told about answers that the contract does not allow: our own mistake, not the client's. */
export type OnMismatch = (request: Request, status: number, mismatch: Mismatch) => void;

/**
 * For what comes before the routes: afterwards, `request.body` is the parsed body, and `request.query` has numbers and booleans where
 * the contract says so, and its defaults. @throws DomainError naming what is wrong
 */
export function checkByContract(document: ContractDocument, onMismatch: OnMismatch): RequestHandler[] {
  return [
    findOperation(document),
    (_request, response, next) => {
      if (operationOf(response) === undefined)
        throw new DomainError('path-unknown', 'no such page or operation');
      next();
    },
    ...createJsonBody((response) => operationOf(response) as CheckedOperation),
    (request, response, next) => {
      const operation = operationOf(response) as CheckedOperation;
      checkRequest(operation, request, response);
      checkAnswer(operation, request, response, onMismatch);
      next();
    },
  ];
}

/** Routes that only note which operation it is. */
function findOperation(document: ContractDocument): Router {
  const schemas = new ContractSchemas(document);
  const routes = Router({ caseSensitive: true, strict: true });
  // Sorted, what is written out comes before what is a parameter: `{` is behind all letters.
  for (const [path, item] of Object.entries(document.paths).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const operations = operationsOf(document, schemas, item);
    routes.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), (request, response, next) => {
      // What can be got can be asked for its headers alone (RFC 9110, 9.3.2).
      const operation = operations.get(request.method === 'HEAD' ? 'GET' : request.method);
      if (operation === undefined) {
        const allow = [...operations.keys()].flatMap((method) =>
          method === 'GET' ? ['GET', 'HEAD'] : [method],
        );
        throw new DomainError('method-not-allowed', 'Method Not Allowed', {
          detail: { allow: allow.join(', ') },
        });
      }
      response.locals.operation = operation;
      response.locals.pathParameters = request.params;
      next('router');
    });
  }
  return routes;
}

function operationsOf(
  document: ContractDocument,
  schemas: ContractSchemas,
  item: PathItem,
): Map<string, CheckedOperation> {
  const operations = new Map<string, CheckedOperation>();
  for (const method of contractMethods) {
    const operation = item[method];
    if (operation === undefined) continue;
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) =>
      resolveReference<Parameter>(document, parameter),
    );
    operations.set(method.toUpperCase(), withChecks(document, schemas, operation, parameters));
  }
  return operations;
}

function withChecks(
  document: ContractDocument,
  schemas: ContractSchemas,
  { operationId, requestBody, responses }: Operation,
  parameters: readonly Parameter[],
): CheckedOperation {
  const within = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place);
  const answers = Object.entries(responses).map(([status, answer]) => {
    const schema = resolveReference(document, answer).content?.['application/json'].schema;
    return [Number(status), schema === undefined ? undefined : schemas.answer(schema)] as const;
  });
  return {
    id: operationId,
    takesBody: requestBody !== undefined,
    needsBody: requestBody?.required === true,
    queryParameters: new Map(within('query').map((parameter) => [parameter.name, parameter])),
    checkPath: schemas.parameters(within('path')),
    checkQuery: schemas.parameters(within('query')),
    checkHeaders: schemas.parameters(
      within('header').map((parameter) => ({ ...parameter, name: parameter.name.toLowerCase() })),
    ),
    checkBody: schemas.body(requestBody?.content['application/json'].schema ?? {}),
    checkAnswer: new Map(answers),
  };
}

function operationOf(response: Response): CheckedOperation | undefined {
  return response.locals.operation as CheckedOperation | undefined;
}

function checkRequest(operation: CheckedOperation, request: Request, response: Response): void {
  const query = { ...request.query };
  const mismatch =
    operation.checkPath({ ...response.locals.pathParameters }) ??
    checkQueryNames(operation, query) ??
    operation.checkQuery(query) ??
    operation.checkHeaders({ ...request.headers }) ??
    (request.body === undefined ? undefined : operation.checkBody(request.body));
  if (mismatch !== undefined) throw refusal(operation, mismatch);
  // Express makes it anew from the address at each look.
  Object.defineProperty(request, 'query', { value: query });
}

function checkQueryNames(
  { queryParameters }: CheckedOperation,
  query: Request['query'],
): Mismatch | undefined {
  for (const [field, value] of Object.entries(query)) {
    const parameter = queryParameters.get(field);
    if (parameter === undefined) return { field, expectation: 'no parameter of this operation' };
    if (value === '' && parameter.allowEmptyValue !== true)
      return { field, expectation: 'must not be empty' };
  }
  return undefined;
}

/** The original has a code of its own for whatever is wrong in some requests. */
function refusal({ id }: CheckedOperation, { field, expectation }: Mismatch): DomainError {
  const codes: Record<string, ErrorCode> = {
    UpdateUserSettings: 'setting-invalid',
    UpdateSettings: 'system-setting-invalid',
    UpdateRepository: field === 'visibility' ? 'visibility-invalid' : 'input-invalid',
  };
  const code = codes[id] ?? 'input-invalid';
  if (field === '') return new DomainError(code, expectation);
  return new DomainError(code, `${field}: ${expectation}`, { detail: { field } });
}

/** Checks the body on its way out; of a failure, it is only told about. */
function checkAnswer(
  { checkAnswer }: CheckedOperation,
  request: Request,
  response: Response,
  onMismatch: OnMismatch,
): void {
  const send = response.json.bind(response);
  response.json = (body) => {
    response.json = send;
    const { statusCode } = response;
    const check = checkAnswer.get(statusCode);
    const mismatch =
      check === undefined ? { field: '', expectation: 'no such answer in the contract' } : check(body);
    if (mismatch !== undefined) {
      onMismatch(request, statusCode, mismatch);
      if (statusCode < 400) throw new Error('an answer does not match the contract');
    }
    return send(body);
  };
}
