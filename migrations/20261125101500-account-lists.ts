import type { Knex } from 'knex';

/** For the pages of accounts that fit a filter, which can be few among many. */
const indexes = [
  ['is_org', 'name'],
  ['is_admin', 'name'],
  ['is_active', 'is_org', 'name'],
];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('accounts', (table) => {
    for (const columns of indexes) table.index(columns);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('accounts', (table) => {
    for (const columns of indexes) table.dropIndex(columns);
  });
}
