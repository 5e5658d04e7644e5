import type { Knex } from 'knex';

/** What content caches did for whom, in buckets of time; and when each was last found in trouble. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('content_cache_usage', (table) => {
    table.comment('Sums by minute, hour and day; a record is in one of each, and in the totals of each');
    // No foreign key: what a cache did stays true when it is deleted, and ages like the rest.
    table.string('content_cache_id', 36).notNullable();
    table.string('period', 6).notNullable().comment('minute, hour or day, of UTC');
    table.bigInteger('starts_at').notNullable();
    table.string('repository', 255).notNullable().comment('empty: all of them together, for all users');
    table.string('account', 255).notNullable().comment("the user's name; empty: anonymous");
    table
      .bigInteger('redirects')
      .notNullable()
      .comment('counted by the origin; the rest is told by the cache');
    table.bigInteger('hits').notNullable();
    table.bigInteger('misses').notNullable();
    table.bigInteger('errors').notNullable();
    table.bigInteger('bytes_served').notNullable();
    table.bigInteger('bytes_fetched').notNullable();
    table.primary(['content_cache_id', 'period', 'starts_at', 'repository', 'account']);
    table.index(['period', 'starts_at']);
  });
  await knex.schema.createTable('content_cache_usage_positions', (table) => {
    table.comment('The last usage record that is kept of each process of a cache, so that none counts twice');
    table.string('content_cache_id', 36).notNullable();
    table.string('process_id', 64).notNullable();
    table.bigInteger('sequence').notNullable();
    table.bigInteger('updated_at').notNullable().index();
    table.primary(['content_cache_id', 'process_id']);
  });
  await knex.schema.alterTable('content_cache_health', (table) => {
    table.bigInteger('troubled_at').comment('when reason and message were found, which may be over by now');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE content_cache_health DROP COLUMN troubled_at');
  await knex.schema.dropTable('content_cache_usage_positions');
  await knex.schema.dropTable('content_cache_usage');
}
