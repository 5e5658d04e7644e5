import type { Knex } from 'knex';

const before = ['actor_name', 'actor_id', 'type', 'object_name', 'refused'];
/** What follows the time is not searched, but checked without reading the events themselves. */
const indexes = {
  events_of_actor: ['actor_id', 'published_at', 'id', 'type', 'refused'],
  events_of_actor_name: ['actor_name', 'published_at', 'id', 'type', 'refused'],
  events_of_object: ['object_name', 'published_at', 'id', 'type', 'refused', 'actor_id', 'object_id'],
  events_of_type: ['type', 'refused', 'published_at', 'id'],
  events_of_outcome: ['refused', 'published_at', 'id'],
};

/** A robot has hundreds of thousands of events: those of one type among them are counted within an index alone. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('events', (table) => {
    for (const column of before) table.dropIndex([column, 'published_at']);
    for (const [name, columns] of Object.entries(indexes)) table.index(columns, name);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('events', (table) => {
    for (const name of Object.keys(indexes)) table.dropIndex([], name);
    for (const column of before) table.index([column, 'published_at']);
  });
}
