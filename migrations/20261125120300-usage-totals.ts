import type { Knex } from 'knex';

/** The sums of all repositories and users together are found without reading those of each. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    "CREATE INDEX content_cache_usage_totals ON content_cache_usage (content_cache_id, period, repository, starts_at) WHERE repository = ''",
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX content_cache_usage_totals');
}
