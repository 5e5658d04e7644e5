import type { Knex } from 'knex';

const before = ['actor_name', 'actor_id', 'type', 'object_name', 'refused'];
/** What follows the id is not searched, but checked without reading the events themselves. */
const indexes = {
  events_of_actor: ['actor_id', 'refused', 'published_at', 'id'],
  events_of_actor_and_type: ['actor_id', 'type', 'refused', 'published_at', 'id'],
  events_of_actor_name: ['actor_name', 'published_at', 'id', 'type', 'refused'],
  events_of_object: ['object_name', 'published_at', 'id', 'type', 'refused', 'actor_id', 'actor_name'],
  events_of_type: ['type', 'refused', 'published_at', 'id'],
  events_of_outcome: ['refused', 'published_at', 'id'],
};

/** A robot has hundreds of thousands of events: those of one type among them are counted within an index alone. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('events', (table) => {
    for (const column of before) table.dropIndex([column, 'published_at']);
    for (const [name, columns] of Object.entries(indexes)) table.index(columns, name);
    // Few: mostly, accounts sign in by themselves.
    table.index(['object_id', 'object_name', 'published_at', 'id', 'type', 'refused'], 'events_on_accounts', {
      predicate: knex.whereRaw(
        "object_type IN ('account', 'organization', 'user') AND (actor_id IS NULL OR actor_id <> object_id)",
      ),
    });
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('events', (table) => {
    for (const name of [...Object.keys(indexes), 'events_on_accounts']) table.dropIndex([], name);
    for (const column of before) table.index([column, 'published_at']);
  });
}
