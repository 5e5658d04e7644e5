/** May they? Pure: the facts are given. */

export type Action = 'pull' | 'push' | 'delete';
const everyAction: readonly Action[] = ['pull', 'push', 'delete'];

export interface Caller {
  readonly name: string;
  readonly isAdmin: boolean;
}

/**
 * What a caller (`undefined`: anonymous) may do in the repository `<namespace>/…`; `visibility` is `undefined` when
 * it does not exist yet.
 */
export function allowedActions(
  caller: Caller | undefined,
  repository: { namespace: string; visibility: 'public' | 'private' | undefined },
): readonly Action[] {
  if (caller !== undefined && (caller.isAdmin || caller.name === repository.namespace)) return everyAction;
  return repository.visibility === 'public' ? ['pull'] : [];
}
