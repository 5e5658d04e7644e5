import type { Knex } from 'knex';

/** Names of content caches are unique whatever the case: two that differ in nothing else would be mistaken for each other. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('content_caches', (table) => {
    table.string('name_key', 300).notNullable().defaultTo('').comment('the name in lower case');
  });
  const taken = new Set<string>();
  for (const { id, name } of await knex('content_caches').select('id', 'name').orderBy('created_at')) {
    const lower = name.toLowerCase();
    // Twins from before keep their names: none is taken away from its users.
    const key = taken.has(lower) ? `${lower} ${id}` : lower;
    taken.add(key);
    await knex('content_caches').where({ id }).update({ name_key: key });
  }
  await knex.schema.alterTable('content_caches', (table) => {
    table.unique(['name_key']);
  });
}

/** `DROP COLUMN` as it is: knex would copy the table on SQLite, and the copying would set off the cascades. */
export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('content_caches', (table) => {
    table.dropUnique(['name_key']);
  });
  await knex.raw('ALTER TABLE content_caches DROP COLUMN name_key');
}
