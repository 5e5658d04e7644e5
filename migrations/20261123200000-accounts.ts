import type { Knex } from 'knex';

/** Who: users and organisations, their settings, and the refresh tokens that `docker login` keeps. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('content_caches', (table) => {
    table.comment('Content caches that users may choose');
    table.string('id', 36).primary();
    table.string('name', 255).notNullable().unique();
    table.string('host', 2048).notNullable().comment('scheme://host[:port], canonical');
    table.bigInteger('created_at').notNullable().comment('ms since the epoch, as all times');
  });
  await knex.schema.createTable('accounts', (table) => {
    table.comment('Users and organisations; each is a namespace of repositories');
    table.string('id', 36).primary();
    table.string('name', 128).notNullable().unique().comment('lower case');
    table.string('full_name', 255).notNullable().defaultTo('');
    table.boolean('is_org').notNullable();
    table.boolean('is_admin').notNullable();
    table.boolean('is_active').notNullable();
    table.string('password_hash', 255).comment('argon2id; null: nobody can sign in with a password');
    table.bigInteger('created_at').notNullable();
  });
  await knex.schema.createTable('account_settings', (table) => {
    table.string('account_id', 36).primary().references('accounts.id').onDelete('CASCADE');
    table
      .string('content_cache_id', 36)
      .references('content_caches.id')
      .onDelete('SET NULL')
      .index()
      .comment('null: the origin itself serves the blobs');
  });
  await knex.schema.createTable('refresh_tokens', (table) => {
    table.string('token_hash', 64).primary().comment('hex SHA-256 of the token, which is shown once');
    table.string('account_id', 36).notNullable().references('accounts.id').onDelete('CASCADE').index();
    table.string('service', 255).notNullable();
    table.string('client_id', 255).notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('expires_at').notNullable().index();
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['refresh_tokens', 'account_settings', 'accounts', 'content_caches']) {
    await knex.schema.dropTable(table);
  }
}
