import type { Knex } from 'knex';

/** Work for content caches that takes a while: purges and prefetches, and the rules that start prefetches. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('jobs', (table) => {
    table.string('id', 36).primary();
    table.string('action', 64).notNullable();
    table.text('parameters').notNullable().comment('JSON, checked');
    table.string('status', 8).notNullable().comment('waiting, running, done, canceled or errored');
    table.string('created_by', 128).notNullable().comment("the account's name");
    table.string('source', 80).unique().comment('the rule and the event that started it; null: somebody did');
    table.bigInteger('created_at').notNullable().index();
    table.bigInteger('updated_at').notNullable();
    table.bigInteger('deadline_at').notNullable().comment('what has not succeeded by then has failed');
    table.string('worker_id', 36).comment('the origin that runs it');
    table.bigInteger('lease_until').notNullable().comment('then any origin may take it');
    table.index(['status', 'lease_until']);
  });
  await knex.schema.createTable('job_targets', (table) => {
    table.comment('Where each job stands at each content cache');
    table.string('job_id', 36).notNullable().references('jobs.id').onDelete('CASCADE');
    table
      .string('content_cache_id', 36)
      .notNullable()
      .comment('no foreign key: the result outlives the cache');
    table.string('name', 255).notNullable().comment('of the cache, when the job began');
    table.string('status', 8).notNullable().comment('as of jobs');
    table.bigInteger('done_blobs').notNullable();
    table.bigInteger('total_blobs').comment('null: not known');
    table.bigInteger('done_bytes').notNullable();
    table.bigInteger('total_bytes');
    table.string('message', 1000).notNullable().comment('why it waits or failed; empty: all is well');
    table.primary(['job_id', 'content_cache_id']);
  });
  await knex.schema.createTable('job_logs', (table) => {
    table.string('job_id', 36).notNullable().references('jobs.id').onDelete('CASCADE');
    table.integer('line_num').notNullable();
    table.text('data').notNullable();
    table.primary(['job_id', 'line_num']);
  });
  await knex.schema.createTable('prefetch_rules', (table) => {
    table.comment('Which images are fetched to which content caches when their tags are pushed');
    table.string('id', 36).primary();
    table.string('repository', 255).notNullable().comment('<namespace>/<name>, with * for any text');
    table.string('tag', 128).notNullable().comment('with * for any text');
    table.text('content_caches').notNullable().comment('JSON: ids; empty: all that are enabled');
    table.text('platforms').notNullable().comment('JSON: <os>/<architecture>[/<variant>]; empty: all');
    table.boolean('is_enabled').notNullable();
    table.string('created_by', 128).notNullable();
    table.bigInteger('created_at').notNullable().index();
    table.bigInteger('since_event').notNullable().comment('pushes after this event');
  });
  await knex.schema.createTable('prefetch_progress', (table) => {
    table.comment('One row: the last push that was held against the rules');
    table.integer('id').primary();
    table.bigInteger('last_event').notNullable();
  });
  await knex('prefetch_progress').insert({ id: 1, last_event: 0 });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['prefetch_progress', 'prefetch_rules', 'job_logs', 'job_targets', 'jobs']) {
    await knex.schema.dropTable(table);
  }
}
