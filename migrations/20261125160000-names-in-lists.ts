import type { Knex } from 'knex';

/**
 * For pages, by name, of many members, and of many who chose a cache: names of accounts never change, so they can stand beside. And
 * for pages of the network rules of a cache, and of jobs, whatever they are filtered by.
 */
const tables = [
  { name: 'organization_members', owner: 'organization_id', account: 'user_id', column: 'user_name' },
  { name: 'team_members', owner: 'team_id', account: 'user_id', column: 'user_name' },
  { name: 'account_settings', owner: 'content_cache_id', account: 'account_id', column: 'account_name' },
];
const jobFilters = [[], ['action'], ['worker_id'], ['status']];

export async function up(knex: Knex): Promise<void> {
  for (const { name, owner, account, column } of tables) {
    await knex.schema.alterTable(name, (table) => {
      table.string(column, 128).notNullable().defaultTo('').comment('that of the account');
    });
    const accounts = knex('accounts').where('accounts.id', knex.ref(`${name}.${account}`));
    await knex(name).update({ [column]: accounts.select('accounts.name') });
    await knex.schema.alterTable(name, (table) => {
      table.index([owner, column]);
    });
  }
  await knex.schema.alterTable('jobs', (table) => {
    for (const columns of jobFilters) table.index([...columns, 'created_at', 'id']);
  });
  await knex.schema.alterTable('network_rules', (table) => {
    table.index(['content_cache_id', 'network']);
    table.dropIndex(['content_cache_id']);
  });
}

/** `DROP COLUMN` as it is: knex would copy the table on SQLite, and the copying would set off the cascades. */
export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('network_rules', (table) => {
    table.index(['content_cache_id']);
    table.dropIndex(['content_cache_id', 'network']);
  });
  await knex.schema.alterTable('jobs', (table) => {
    for (const columns of jobFilters) table.dropIndex([...columns, 'created_at', 'id']);
  });
  for (const { name, owner, column } of tables) {
    await knex.schema.alterTable(name, (table) => {
      table.dropIndex([owner, column]);
    });
    await knex.raw('ALTER TABLE ?? DROP COLUMN ??', [name, column]);
  }
}
