/** From scopes asked for to access granted: never more than asked, never more than allowed. */
import { isRepositoryName } from '../../shared/distribution/repository-name.ts';
import type { Queryable } from '../database.ts';
import { findRepository, namespaceOf } from '../images/repositories.ts';
import type { GrantedAccess } from '../keys/registry-token.ts';
import { allowedActions, type Caller } from './decide.ts';
import type { Scope } from './scopes.ts';

export async function grantAccess(
  queries: Queryable,
  caller: Caller | undefined,
  scopes: readonly Scope[],
): Promise<GrantedAccess[]> {
  const granted: GrantedAccess[] = [];
  for (const scope of scopes) {
    const actions = await grantedActions(queries, caller, scope);
    if (actions.length > 0) granted.push({ type: scope.type, name: scope.name, actions });
  }
  return granted;
}

async function grantedActions(
  queries: Queryable,
  caller: Caller | undefined,
  scope: Scope,
): Promise<readonly string[]> {
  if (scope.type === 'registry' && scope.name === 'catalog') {
    // The catalog lists only what its reader may pull, so anyone who signed in may read it.
    return caller !== undefined && scope.actions.includes('*') ? ['*'] : [];
  }
  if (scope.type !== 'repository' || !isRepositoryName(scope.name)) return [];
  const repository = await findRepository(queries, scope.name);
  const allowed = allowedActions(caller, {
    namespace: namespaceOf(scope.name),
    visibility: repository?.visibility,
  });
  // `*` is how some clients ask for everything (skopeo delete).
  return scope.actions.includes('*') ? allowed : allowed.filter((action) => scope.actions.includes(action));
}
