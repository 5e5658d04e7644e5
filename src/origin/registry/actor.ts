/** Who does something at the registry door, for the trail. */
import { findAccount } from '../accounts/accounts.ts';
import type { Queryable } from '../database.ts';
import type { EventContext } from '../events/events.ts';
import type { RegistryTokenClaims } from '../keys/registry-token.ts';
import type { Exchange } from './exchange.ts';

export function eventContextOf({ record }: Exchange, actor: EventContext['actor']): EventContext {
  return { actor, door: 'registry', client: record.client };
}

/** A token names its account only. */
export async function findActor(
  queries: Queryable,
  { subject }: RegistryTokenClaims,
): Promise<EventContext['actor']> {
  const account = await findAccount(queries, subject);
  return { id: account?.id, name: subject };
}
