import type { Knex } from 'knex';

/** What decides about the cache of a pull beside the user's own choice. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('account_settings', (table) => {
    table
      .string('content_cache_choice', 9)
      .notNullable()
      .defaultTo('automatic')
      .comment(
        "cache: content_cache_id, and automatic once that one is deleted; none: the origin itself; automatic: rules and others' defaults decide",
      );
  });
  await knex('account_settings')
    .whereNotNull('account_settings.content_cache_id')
    .update({ content_cache_choice: 'cache' });
  await knex.schema.alterTable('repositories', (table) => {
    table
      .boolean('redirect')
      .notNullable()
      .defaultTo(true)
      .comment('false: the origin always serves its blobs itself');
  });
  await knex.schema.alterTable('content_caches', (table) => {
    table.boolean('is_enabled').notNullable().defaultTo(true).comment('false: nobody is sent there');
  });
  await knex.schema.createTable('network_rules', (table) => {
    table.comment(
      'Which content cache serves clients of which network, when their users chose none themselves',
    );
    table.string('id', 36).primary();
    table.string('network', 49).notNullable().unique().comment('CIDR, canonical');
    table
      .string('content_cache_id', 36)
      .references('content_caches.id')
      .onDelete('CASCADE')
      .index()
      .comment('null: the origin itself');
    table.string('comment', 255).notNullable();
    table.bigInteger('created_at').notNullable();
  });
  await knex.schema.createTable('revisions', (table) => {
    table.comment('Numbers that grow with each change of what processes keep in memory');
    table.string('name', 32).primary();
    table.bigInteger('revision').notNullable();
  });
  await knex('revisions').insert({ name: 'network-rules', revision: 0 });
}

/** `DROP COLUMN` as it is: knex would copy the table on SQLite, and the copying would set off the cascades. */
export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('revisions');
  await knex.schema.dropTable('network_rules');
  const columns = {
    content_caches: 'is_enabled',
    repositories: 'redirect',
    account_settings: 'content_cache_choice',
  };
  for (const [table, name] of Object.entries(columns)) {
    await knex.raw('ALTER TABLE ?? DROP COLUMN ??', [table, name]);
  }
}
