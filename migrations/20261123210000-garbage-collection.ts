import type { Knex } from 'knex';

/** When things were last used, and which blobs are on their way out: for garbage collection and repair. */
export async function up(knex: Knex): Promise<void> {
  const used = 'when it was last pushed, tagged, untagged, mounted or confirmed';
  for (const table of ['repository_blobs', 'manifests', 'blobs']) {
    await knex.schema.alterTable(table, (columns) => {
      columns.bigInteger('last_used_at').notNullable().defaultTo(0).comment(used);
    });
    await knex(table).update({ last_used_at: knex.ref('created_at') });
  }
  await knex.schema.alterTable('blobs', (table) => {
    table.bigInteger('removing_at').comment('its bytes are being removed: it must not be linked');
    table.bigInteger('damaged_at').comment('its bytes are missing or wrong: it must be pushed again');
  });
  await knex.raw('CREATE INDEX blobs_removing ON blobs (removing_at) WHERE removing_at IS NOT NULL');
  await knex.raw('CREATE INDEX blobs_damaged ON blobs (damaged_at) WHERE damaged_at IS NOT NULL');
  await knex.schema.alterTable('manifest_references', (table) => {
    table.dropIndex(['digest']);
    // With the repository: a layer that ten thousand of them share is still found in one step.
    table.index(['digest', 'repository_id']);
  });
}

/** `DROP COLUMN` as it is: knex would copy the table on SQLite, and the copying would set off the cascades. */
export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('manifest_references', (table) => {
    table.dropIndex(['digest', 'repository_id']);
    table.index(['digest']);
  });
  await knex.raw('DROP INDEX blobs_damaged');
  await knex.raw('DROP INDEX blobs_removing');
  const columns = { blobs: ['damaged_at', 'removing_at', 'last_used_at'], manifests: ['last_used_at'] };
  for (const [table, names] of Object.entries({ ...columns, repository_blobs: ['last_used_at'] })) {
    for (const name of names) await knex.raw('ALTER TABLE ?? DROP COLUMN ??', [table, name]);
  }
}
