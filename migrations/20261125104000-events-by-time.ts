import type { Knex } from 'knex';

/**
 * The trail is read by time, whatever else is asked: by id, it would take a scan from the newest event to find those of last
 * year. SQLite's indexes end with the id by themselves, which tells apart what happened in the same millisecond.
 */
const columns = ['actor_name', 'actor_id', 'type', 'object_name', 'refused'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('events', (table) => {
    for (const column of columns) table.dropIndex([column, 'id']);
    for (const column of columns) table.index([column, 'published_at']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('events', (table) => {
    for (const column of columns) table.dropIndex([column, 'published_at']);
    for (const column of columns) table.index([column, 'id']);
  });
}
