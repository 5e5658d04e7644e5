/** `dtr admin rotate-key`: a new signing key for all origins on the data, also while they run. */
import { resolve } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { openDatabaseBeside } from '../database.ts';
import { recordEvent } from '../events/events.ts';
import { addSigningKey, announcedMs } from '../keys/signing-keys.ts';

/** @throws an error whose message is one line for the admin */
export async function rotateKey({ data }: { data: string }): Promise<void> {
  const database = await openDatabaseBeside(resolve(data));
  try {
    const now = systemClock();
    const id = await database.transaction(async (tx) => {
      const added = await addSigningKey(tx, now);
      const context = { actor: undefined, door: 'command', client: undefined } as const;
      const object = { type: 'signing_key', id: added, name: added };
      await recordEvent(tx, context, { type: 'CREATE', object }, now);
      return added;
    });
    const signsFrom = new Date(now + announcedMs).toISOString();
    console.log(`the key ${id} is published within seconds, and signs from ${signsFrom} on`);
  } finally {
    await database.close();
  }
}
