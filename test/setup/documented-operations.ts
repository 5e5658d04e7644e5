/** The operations of openapi.yaml, by their ids and by the requests that are for them. */
import { contractMethods, loadContract, type Operation } from '../../src/origin/api/openapi.ts';

export interface DocumentedOperation {
  readonly method: string;
  /** Matches the paths of its requests. */
  readonly path: RegExp;
  readonly operation: Operation;
}

/** Each operation of the contract, by its id. */
export const documentedOperations: ReadonlyMap<string, DocumentedOperation> = new Map(
  Object.entries(loadContract().document.paths).flatMap(([template, item]) =>
    contractMethods.flatMap((method): [string, DocumentedOperation][] => {
      const operation = item[method];
      if (operation === undefined) return [];
      const path = new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      return [[operation.operationId, { method: method.toUpperCase(), path, operation }]];
    }),
  ),
);

/** The one that a request is for, if any. `HEAD` is documented by `GET`. */
export function findDocumentedOperation(method: string, path: string): Operation | undefined {
  const asked = method === 'HEAD' ? 'GET' : method;
  const [pathname] = path.split('?') as [string];
  return [...documentedOperations.values()].find((one) => one.method === asked && one.path.test(pathname))
    ?.operation;
}
