import type { Knex } from 'knex';

/**
 * For searching and counting what somebody may see, within one index each: the text that is searched in, in lower case, and,
 * beside the access that is given, all that decides whether the repository is listed because of it.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('repositories', (table) => {
    table
      .string('search_text', 511)
      .notNullable()
      .defaultTo('')
      .comment('name, line feed, short description; in lower case');
  });
  await fillSearchText(knex);
  await knex.schema.alterTable('repositories', (table) => {
    table.dropIndex([], 'repositories_of_visibility');
    table.dropIndex([], 'repositories_of_namespace');
    table.index(['visibility', 'name', 'search_text'], 'repositories_of_visibility');
    table.index(['namespace_id', 'visibility', 'name', 'search_text'], 'repositories_of_namespace');
  });
  for (const { name, owner, index } of accessTables) {
    await knex.schema.alterTable(name, (table) => {
      table.string('namespace_id', 36).notNullable().defaultTo('').comment('that of the repository');
      table.string('visibility', 7).notNullable().defaultTo('private').comment('that of the repository');
      table.string('search_text', 511).notNullable().defaultTo('').comment('that of the repository');
    });
    const of = (column: string) =>
      knex('repositories')
        .where('repositories.id', knex.ref(`${name}.repository_id`))
        .select(`repositories.${column}`);
    await knex(name).update({
      namespace_id: of('namespace_id'),
      visibility: of('visibility'),
      search_text: of('search_text'),
    });
    await knex.schema.alterTable(name, (table) => {
      table.dropIndex([], index);
      const listed = ['repository_name', 'repository_id', 'visibility', 'namespace_id', 'search_text'];
      table.index([owner, ...listed], index);
    });
  }
}

const accessTables = [
  { name: 'team_repository_access', owner: 'team_id', index: 'repositories_of_team' },
  { name: 'user_repository_access', owner: 'user_id', index: 'repositories_of_user' },
];

/** Not by SQL: SQLite knows no other letters than those of ASCII. */
async function fillSearchText(knex: Knex): Promise<void> {
  let last = '';
  for (;;) {
    const rows: { id: string; name: string; short_description: string }[] = await knex('repositories')
      .where('repositories.id', '>', last)
      .orderBy('repositories.id')
      .limit(500)
      .select('repositories.id', 'repositories.name', 'repositories.short_description');
    for (const { id, name, short_description } of rows) {
      const text = `${name}\n${short_description}`.toLowerCase();
      await knex('repositories').where({ id }).update({ search_text: text });
    }
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.id;
  }
}

/** `DROP COLUMN` as it is: knex would copy the table on SQLite, and the copying would set off the cascades. */
export async function down(knex: Knex): Promise<void> {
  for (const { name, owner, index } of accessTables) {
    await knex.schema.alterTable(name, (table) => {
      table.dropIndex([], index);
      table.index([owner, 'repository_name', 'repository_id'], index);
    });
    for (const column of ['search_text', 'visibility', 'namespace_id'])
      await knex.raw('ALTER TABLE ?? DROP COLUMN ??', [name, column]);
  }
  await knex.schema.alterTable('repositories', (table) => {
    table.dropIndex([], 'repositories_of_namespace');
    table.dropIndex([], 'repositories_of_visibility');
    table.index(['visibility', 'name', 'short_description'], 'repositories_of_visibility');
    table.index(['namespace_id', 'visibility', 'name', 'short_description'], 'repositories_of_namespace');
  });
  await knex.raw('ALTER TABLE ?? DROP COLUMN ??', ['repositories', 'search_text']);
}
