import type { Knex } from 'knex';

/** The referrers of a manifest are listed in pages, in order of their digests. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('manifests', (table) => {
    table.index(['repository_id', 'subject_digest', 'digest']);
    table.dropIndex(['repository_id', 'subject_digest']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('manifests', (table) => {
    table.index(['repository_id', 'subject_digest']);
    table.dropIndex(['repository_id', 'subject_digest', 'digest']);
  });
}
