import type { Knex } from 'knex';

/** The tags of one manifest are listed by name: a hundred thousand of them may point at it. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('tags', (table) => {
    table.index(['repository_id', 'digest', 'name']);
    table.dropIndex(['repository_id', 'digest']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('tags', (table) => {
    table.index(['repository_id', 'digest']);
    table.dropIndex(['repository_id', 'digest', 'name']);
  });
}
