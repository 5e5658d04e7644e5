import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('account_deletions', (table) => {
    table.comment('Accounts that are being deleted, and by whom: for the start after an interruption');
    table.string('account_id', 36).primary().references('accounts.id').onDelete('CASCADE');
    table.bigInteger('begun_at').notNullable();
    table.string('actor_id', 36).comment('null: nobody in particular');
    table.string('actor_name', 128);
    table.string('door', 8).notNullable().comment('as in events');
    table.string('client', 45).comment('address; null when there was none');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('account_deletions');
}
