import type { Knex } from 'knex';

const dayMs = 86_400_000;

/** Counting a million events one by one takes longer than a page of them may. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('event_counts', (table) => {
    table.comment('How many events there are, kept with them');
    table.bigInteger('day').comment('of UTC, since the epoch');
    table.string('type', 32);
    table.boolean('refused');
    table.bigInteger('events').notNullable();
    table.primary(['day', 'type', 'refused']);
  });
  const day = knex.raw('(published_at - published_at % ?) / ?', [dayMs, dayMs]);
  const counted = knex('events')
    .groupByRaw('1, 2, 3')
    .select(knex.raw('? AS day', [day]), 'type', 'refused', knex.raw('count(*) AS events'));
  for (const row of await counted) await knex('event_counts').insert(row);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('event_counts');
}
