/** Users and organizations, as the commands about either of them ask for them. */
import type { components } from '../origin/api/contract.d.ts';
import type { Api } from './api.ts';
import type { Asked } from './command.ts';

type Schemas = components['schemas'];

export async function getAccount(api: Api, name: string): Promise<Schemas['Account']> {
  return api.ask('GET /api/v0/accounts/{namespace}', { path: { namespace: name } });
}

export async function createAccount(
  api: Api,
  account: Partial<Schemas['CreateAccount']> & { name: string },
): Promise<Schemas['Account']> {
  // The types of the contract have a default as a member that is always there.
  const body = { isOrg: false, isServiceAccount: false, isAdmin: false, isActive: true, ...account };
  return api.ask('POST /api/v0/accounts', { body });
}

export async function updateAccount(
  api: Api,
  name: string,
  changes: Schemas['UpdateAccount'],
): Promise<Schemas['Account']> {
  return api.ask('PATCH /api/v0/accounts/{namespace}', { path: { namespace: name }, body: changes });
}

/** Looks whether it is there first: the API does not mind when it is not, but who typed a wrong name does. */
export async function removeAccount(
  { api, terminal }: Asked,
  name: string,
  options: { yes?: true },
): Promise<void> {
  await getAccount(api, name);
  await terminal.confirm(`${name} with all its repositories`, name, options);
  await api.ask('DELETE /api/v0/accounts/{namespace}', { path: { namespace: name } });
}
