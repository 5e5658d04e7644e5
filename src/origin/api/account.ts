/** An account as the API shows it. */
import type { Account } from '../accounts/accounts.ts';
import type { components } from './contract.d.ts';

export function toAccount(account: Account): components['schemas']['Account'] {
  const { id, name, fullName, isOrg, isAdmin, isActive, isServiceAccount } = account;
  return { id, name, fullName, isOrg, isAdmin, isActive, isImported: false, isServiceAccount };
}
