/** From scopes asked for to access granted: never more than asked, never more than allowed. */
import { isRepositoryName, type RepositoryName } from '../../shared/distribution/repository-name.ts';
import { DomainError } from '../../shared/errors.ts';
import type { SignIn } from '../accounts/authenticate.ts';
import type { Queryable } from '../database.ts';
import { findNamespace, findRepository, mayCreateOnPush, namespaceOf } from '../images/repositories.ts';
import type { GrantedAccess } from '../keys/registry-token.ts';
import { getSystemSettings } from '../settings/system-settings.ts';
import { type Action, actionsOf } from './levels.ts';
import { findRepositoryLevel } from './rights.ts';
import type { Scope } from './scopes.ts';

/** Clients send the token in a header, of which servers take 16 KiB. */
const maximumAccessBytes = 6000;

/** `signIn` is `undefined` for nobody in particular. @throws DomainError `input-invalid` for more than a token holds */
export async function grantAccess(
  queries: Queryable,
  signIn: Pick<SignIn, 'account' | 'readOnly'> | undefined,
  scopes: readonly Scope[],
): Promise<GrantedAccess[]> {
  const granted: GrantedAccess[] = [];
  for (const scope of scopes) {
    const access = await grantScope(queries, signIn, scope);
    if (access.actions.length > 0) granted.push(access);
  }
  if (JSON.stringify(granted).length > maximumAccessBytes) {
    throw new DomainError('input-invalid', 'scope: more than one token can hold: ask for fewer at a time', {
      detail: { field: 'scope' },
    });
  }
  return granted;
}

async function grantScope(
  queries: Queryable,
  signIn: Pick<SignIn, 'account' | 'readOnly'> | undefined,
  { type, name, actions }: Scope,
): Promise<GrantedAccess> {
  if (type === 'registry' && name === 'catalog') {
    // The catalog lists only what its reader may pull, so anyone who signed in may read it.
    return { type, name, actions: signIn !== undefined && actions.includes('*') ? ['*'] : [] };
  }
  if (type !== 'repository' || !isRepositoryName(name)) return { type, name, actions: [] };
  const { repositoryId, allowed } = await allowedActions(queries, signIn, name);
  return {
    type,
    name,
    // `*` is how some clients ask for everything (skopeo delete).
    actions: actions.includes('*') ? allowed : allowed.filter((action) => actions.includes(action)),
    ...(repositoryId === undefined ? {} : { repositoryId }),
  };
}

async function allowedActions(
  queries: Queryable,
  signIn: Pick<SignIn, 'account' | 'readOnly'> | undefined,
  name: RepositoryName,
): Promise<{ repositoryId: string | undefined; allowed: readonly Action[] }> {
  const repository = await findRepository(queries, name);
  const namespace = await findNamespace(queries, namespaceOf(name));
  if (namespace === undefined) {
    // An admin, who may know it, is told at the push that there is no such account.
    return { repositoryId: undefined, allowed: signIn?.account.isAdmin ? actionsOf('admin') : [] };
  }
  const level = await findRepositoryLevel(queries, signIn?.account, {
    id: repository?.id,
    namespaceId: namespace.id,
    visibility: repository?.visibility,
  });
  let allowed = signIn?.readOnly ? actionsOf(level && 'read-only') : actionsOf(level);
  if (repository === undefined && !mayCreateOnPush(namespace, await getSystemSettings(queries))) {
    allowed = allowed.filter((action) => action !== 'push');
  }
  return { repositoryId: repository?.id, allowed };
}
