import type { Knex } from 'knex';

/** The origin's signing keys: they outlive a restart and are shared by every origin on this database. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('signing_keys', (table) => {
    table.string('id', 64).primary().comment('the key id (kid): the RFC 7638 thumbprint');
    table.text('private_key').notNullable().comment('PKCS #8 PEM, P-256');
    table.bigInteger('created_at').notNullable().comment('the newest key signs, all of them verify');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('signing_keys');
}
