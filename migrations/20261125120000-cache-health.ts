import type { Knex } from 'knex';

/** How content caches are, as the origin's probes find them. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('content_caches', (table) => {
    table
      .text('ca_pem')
      .comment('PEM of the CA that signed its certificate; null: one that every machine trusts');
  });
  await knex.schema.createTable('content_cache_health', (table) => {
    table.comment('What the last probe of each content cache found, and which origin probes it');
    table.string('content_cache_id', 36).primary().references('content_caches.id').onDelete('CASCADE');
    table.string('state', 8).notNullable().comment('unknown, healthy, degraded or down');
    table.bigInteger('since').notNullable().comment('when it came into this state');
    table.string('reason', 32).comment('a word for programs; null: all is well');
    table.string('message', 1000).comment('the same in words for an admin');
    table.bigInteger('probed_at');
    table.bigInteger('latency_ms').comment('of a request by a connection that stands');
    table.bigInteger('clock_skew_ms').comment("positive: its clock is ahead of the origin's");
    table.string('version', 64);
    table.string('protocol', 20);
    table.bigInteger('disk_size_bytes');
    table.bigInteger('disk_free_bytes');
    table.bigInteger('stored_blobs');
    table.bigInteger('stored_bytes');
    table
      .bigInteger('revision')
      .notNullable()
      .comment('raised with each change, for origins to see that there is one');
    table.string('lease_holder', 36).comment('the origin that probes it');
    table.bigInteger('lease_until').notNullable().index().comment('then any origin may take it');
  });
}

/** `DROP COLUMN` as it is: knex would copy the table on SQLite, and the copying would set off the cascades. */
export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('content_cache_health');
  await knex.raw('ALTER TABLE content_caches DROP COLUMN ca_pem');
}
