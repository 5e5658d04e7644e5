import type { Knex } from 'knex';

/** What: repositories, manifests with their exact bytes, tags, and which repository may read which blob. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('repositories', (table) => {
    table.string('id', 36).primary();
    table.string('namespace_id', 36).notNullable().references('accounts.id').onDelete('CASCADE').index();
    table.string('name', 255).notNullable().unique().comment('<namespace>/<name>');
    table.string('visibility', 7).notNullable().comment('public or private');
    table.bigInteger('created_at').notNullable();
  });
  await knex.schema.createTable('manifests', (table) => {
    table.string('repository_id', 36).notNullable().references('repositories.id').onDelete('CASCADE');
    table.string('digest', 135).notNullable();
    table.string('media_type', 255).notNullable();
    table.binary('bytes').notNullable().comment('exactly as pushed');
    table.string('subject_digest', 135).comment('the manifest that this one refers to');
    table.string('artifact_type', 255);
    table.string('pushed_by', 128).notNullable();
    table.bigInteger('created_at').notNullable();
    table.primary(['repository_id', 'digest']);
    table.index(['repository_id', 'subject_digest']);
  });
  await knex.schema.createTable('tags', (table) => {
    table.string('repository_id', 36).notNullable();
    table.string('name', 128).notNullable();
    table.string('digest', 135).notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('updated_at').notNullable();
    table.primary(['repository_id', 'name']);
    table.index(['repository_id', 'digest']);
    table
      .foreign(['repository_id', 'digest'])
      .references(['repository_id', 'digest'])
      .inTable('manifests')
      .onDelete('CASCADE');
  });
  await knex.schema.createTable('manifest_references', (table) => {
    table.comment('What a manifest names: what is in use, for garbage collection');
    table.string('repository_id', 36).notNullable();
    table.string('manifest_digest', 135).notNullable();
    table.string('digest', 135).notNullable();
    table.string('kind', 8).notNullable().comment('blob or manifest');
    table.primary(['repository_id', 'manifest_digest', 'digest']);
    table.index(['digest']);
    table
      .foreign(['repository_id', 'manifest_digest'])
      .references(['repository_id', 'digest'])
      .inTable('manifests')
      .onDelete('CASCADE');
  });
  await knex.schema.createTable('blobs', (table) => {
    table.string('digest', 135).primary();
    table.bigInteger('size_bytes').notNullable();
    table.bigInteger('created_at').notNullable();
  });
  await knex.schema.createTable('repository_blobs', (table) => {
    table.comment('Which repository may read which blob');
    table.string('repository_id', 36).notNullable().references('repositories.id').onDelete('CASCADE');
    table.string('digest', 135).notNullable().references('blobs.digest').onDelete('CASCADE').index();
    table.bigInteger('created_at').notNullable();
    table.primary(['repository_id', 'digest']);
  });
  await knex.schema.createTable('uploads', (table) => {
    table.comment('Upload sessions; their bytes are in the blob store under the same id');
    table.string('id', 36).primary();
    table.string('repository_id', 36).notNullable().references('repositories.id').onDelete('CASCADE').index();
    table.string('account_id', 36).notNullable().references('accounts.id').onDelete('CASCADE').index();
    table.bigInteger('created_at').notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  const tables = ['uploads', 'repository_blobs', 'blobs', 'manifest_references', 'tags', 'manifests'];
  for (const table of [...tables, 'repositories']) await knex.schema.dropTable(table);
}
