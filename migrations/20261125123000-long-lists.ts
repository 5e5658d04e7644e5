import type { Knex } from 'knex';

/**
 * For pages of long lists that somebody may see a part of: every part is a range of an index, in the order of names. Names of
 * repositories and of users never change, so they can stand beside the access that is given.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('repositories', (table) => {
    // With the description, which is searched in.
    table.index(['visibility', 'name', 'short_description'], 'repositories_of_visibility');
    table.index(['namespace_id', 'visibility', 'name', 'short_description'], 'repositories_of_namespace');
    table.dropIndex(['namespace_id', 'name']);
    table.dropIndex(['visibility', 'name']);
  });
  await knex.schema.alterTable('team_repository_access', (table) => {
    table.string('repository_name', 255).notNullable().defaultTo('').comment('that of the repository');
  });
  await knex.schema.alterTable('user_repository_access', (table) => {
    table.string('repository_name', 255).notNullable().defaultTo('').comment('that of the repository');
    table.string('user_name', 128).notNullable().defaultTo('').comment('that of the user');
  });
  for (const table of ['team_repository_access', 'user_repository_access']) {
    const name = knex('repositories').where('repositories.id', knex.ref(`${table}.repository_id`));
    await knex(table).update({ repository_name: name.select('repositories.name') });
  }
  const user = knex('accounts').where('accounts.id', knex.ref('user_repository_access.user_id'));
  await knex('user_repository_access').update({ user_name: user.select('accounts.name') });
  await knex.schema.alterTable('team_repository_access', (table) => {
    table.index(['team_id', 'repository_name', 'repository_id'], 'repositories_of_team');
  });
  await knex.schema.alterTable('user_repository_access', (table) => {
    table.index(['user_id', 'repository_name', 'repository_id'], 'repositories_of_user');
    table.index(['repository_id', 'user_name'], 'users_of_repository');
    table.dropIndex(['repository_id']);
  });
}

/** `DROP COLUMN` as it is: knex would copy the table on SQLite, and the copying would set off the cascades. */
export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('user_repository_access', (table) => {
    table.index(['repository_id']);
    table.dropIndex([], 'users_of_repository');
    table.dropIndex([], 'repositories_of_user');
  });
  await knex.schema.alterTable('team_repository_access', (table) => {
    table.dropIndex([], 'repositories_of_team');
  });
  await knex.schema.alterTable('repositories', (table) => {
    table.index(['visibility', 'name']);
    table.index(['namespace_id', 'name']);
    table.dropIndex([], 'repositories_of_namespace');
    table.dropIndex([], 'repositories_of_visibility');
  });
  const columns = {
    user_repository_access: ['user_name', 'repository_name'],
    team_repository_access: ['repository_name'],
  };
  for (const [table, names] of Object.entries(columns)) {
    for (const name of names) await knex.raw('ALTER TABLE ?? DROP COLUMN ??', [table, name]);
  }
}
