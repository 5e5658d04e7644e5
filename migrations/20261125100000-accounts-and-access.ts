import type { Knex } from 'knex';

/** Who may do what: members, teams and access levels; access tokens, sessions, the system's settings, and the trail. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('accounts', (table) => {
    table
      .boolean('is_service')
      .notNullable()
      .defaultTo(false)
      .comment('a user without a password, for machines');
    table
      .boolean('create_repository_on_push')
      .comment('whether a push creates a repository in this namespace; null: as the system says');
  });
  await knex.schema.alterTable('repositories', (table) => {
    table.string('short_description', 255).notNullable().defaultTo('');
    table.text('long_description').notNullable().defaultTo('').comment('Markdown');
    table.boolean('immutable_tags').notNullable().defaultTo(false);
    table.bigInteger('pulls').notNullable().defaultTo(0).comment('manifests given to clients');
    table.bigInteger('pushes').notNullable().defaultTo(0).comment('manifests taken from clients');
    // For the pages of who may see only some of them.
    table.index(['namespace_id', 'name']);
    table.index(['visibility', 'name']);
    table.dropIndex(['namespace_id']);
  });
  await knex.schema.createTable('organization_members', (table) => {
    table.string('organization_id', 36).notNullable().references('accounts.id').onDelete('CASCADE');
    table.string('user_id', 36).notNullable().references('accounts.id').onDelete('CASCADE').index();
    table.boolean('is_admin').notNullable().comment('an owner of the organization');
    table.bigInteger('created_at').notNullable();
    table.primary(['organization_id', 'user_id']);
  });
  await knex.schema.createTable('teams', (table) => {
    table.string('id', 36).primary();
    table.string('organization_id', 36).notNullable().references('accounts.id').onDelete('CASCADE');
    table.string('name', 128).notNullable();
    table.string('description', 255).notNullable();
    table.bigInteger('created_at').notNullable();
    table.unique(['organization_id', 'name']);
  });
  await knex.schema.createTable('team_members', (table) => {
    table.string('team_id', 36).notNullable().references('teams.id').onDelete('CASCADE');
    table.string('user_id', 36).notNullable().references('accounts.id').onDelete('CASCADE').index();
    table.bigInteger('created_at').notNullable();
    table.primary(['team_id', 'user_id']);
  });
  const level = 'read-only, read-write or admin';
  await knex.schema.createTable('team_namespace_access', (table) => {
    table.comment("What a team may do in every repository of its organization's namespace");
    table.string('team_id', 36).primary().references('teams.id').onDelete('CASCADE');
    table.string('access_level', 10).notNullable().comment(level);
  });
  await knex.schema.createTable('team_repository_access', (table) => {
    table.string('team_id', 36).notNullable().references('teams.id').onDelete('CASCADE');
    table.string('repository_id', 36).notNullable().references('repositories.id').onDelete('CASCADE').index();
    table.string('access_level', 10).notNullable().comment(level);
    table.primary(['team_id', 'repository_id']);
  });
  await knex.schema.createTable('user_repository_access', (table) => {
    table.string('user_id', 36).notNullable().references('accounts.id').onDelete('CASCADE');
    table.string('repository_id', 36).notNullable().references('repositories.id').onDelete('CASCADE').index();
    table.string('access_level', 10).notNullable().comment(level);
    table.primary(['user_id', 'repository_id']);
  });
  await knex.schema.createTable('access_tokens', (table) => {
    table.comment('Passwords for machines; shown once');
    table.string('token_hash', 64).primary().comment('hex SHA-256 of the token');
    table.string('account_id', 36).notNullable().references('accounts.id').onDelete('CASCADE');
    table.string('label', 255).notNullable();
    table.string('access', 10).notNullable().comment('read-only or read-write');
    table.boolean('is_active').notNullable();
    table.string('generated_by', 128).notNullable().comment('the name of who made it');
    table.string('creator_user_agent', 255).notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('expires_at').comment('null: never');
    table.bigInteger('last_used_at').comment('to the minute; null: never');
    table.index(['account_id', 'created_at', 'token_hash']);
  });
  await knex.schema.createTable('sessions', (table) => {
    table.comment('Who is signed in to the web UI');
    table.string('id_hash', 64).primary().comment("hex SHA-256 of the cookie's value");
    table.string('account_id', 36).notNullable().references('accounts.id').onDelete('CASCADE').index();
    table.string('csrf_token', 64).notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('last_used_at').notNullable().comment('to the minute');
    table.bigInteger('expires_at').notNullable().index().comment('however much it is used');
  });
  await knex.schema.createTable('system_settings', (table) => {
    table.string('key', 64).primary();
    table.text('value').notNullable().comment('JSON');
  });
  await knex.schema.createTable('events', (table) => {
    table.comment('Who did what to what, from where, when and through which door; logins and refusals, too');
    table.bigIncrements('id').comment('in the order in which they were written');
    table.bigInteger('published_at').notNullable().index();
    table
      .string('actor_id', 36)
      .comment('null: nobody in particular. No foreign key: the trail outlives accounts');
    table.string('actor_name', 128).notNullable();
    table.string('type', 32).notNullable();
    table.string('object_type', 32).notNullable();
    table.string('object_id', 135).notNullable();
    table.string('object_name', 511).notNullable();
    table.text('content').comment('what it was changed to, never a secret');
    table.string('target_type', 32).comment('what it was done with, such as the team that was given access');
    table.string('target_id', 135);
    table.string('target_name', 511);
    table.string('door', 8).notNullable().comment('registry, token, api, web or command');
    table.string('client', 45).notNullable().comment('address; empty when there was none');
    table.boolean('refused').notNullable();
    table.index(['actor_name', 'id']);
    table.index(['actor_id', 'id']);
    table.index(['type', 'id']);
    table.index(['object_name', 'id']);
    table.index(['refused', 'id']);
  });
}

/** `DROP COLUMN` as it is: knex would copy the table on SQLite, and the copying would set off the cascades. */
export async function down(knex: Knex): Promise<void> {
  const tables = [
    'events',
    'system_settings',
    'sessions',
    'access_tokens',
    'user_repository_access',
    'team_repository_access',
    'team_namespace_access',
    'team_members',
    'teams',
    'organization_members',
  ];
  for (const table of tables) await knex.schema.dropTable(table);
  await knex.schema.alterTable('repositories', (table) => {
    table.index(['namespace_id']);
    table.dropIndex(['visibility', 'name']);
    table.dropIndex(['namespace_id', 'name']);
  });
  const columns = {
    repositories: ['pushes', 'pulls', 'immutable_tags', 'long_description', 'short_description'],
    accounts: ['create_repository_on_push', 'is_service'],
  };
  for (const [table, names] of Object.entries(columns)) {
    for (const name of names) await knex.raw('ALTER TABLE ?? DROP COLUMN ??', [table, name]);
  }
}
