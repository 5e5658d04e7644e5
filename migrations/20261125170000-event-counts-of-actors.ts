import type { Knex } from 'knex';

const dayMs = 86_400_000;

/** A robot's own events are too many to be counted one by one, too. All counts are made anew: the events are there. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.dropTable('event_counts');
  await knex.schema.createTable('event_counts', (table) => {
    table.comment('How many events there are, kept with them');
    table.string('actor_id', 36).comment('empty: of everybody and nobody');
    table.bigInteger('day').comment('of UTC, since the epoch');
    table.string('type', 32);
    table.boolean('refused');
    table.bigInteger('events').notNullable();
    table.primary(['actor_id', 'day', 'type', 'refused']);
  });
  await fill(knex, { actor_id: knex.raw("''") }, knex('events'));
  await fill(knex, { actor_id: 'actor_id' }, knex('events').whereNotNull('actor_id'));
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('event_counts');
  await knex.schema.createTable('event_counts', (table) => {
    table.comment('How many events there are, kept with them');
    table.bigInteger('day').comment('of UTC, since the epoch');
    table.string('type', 32);
    table.boolean('refused');
    table.bigInteger('events').notNullable();
    table.primary(['day', 'type', 'refused']);
  });
  await fill(knex, {}, knex('events'));
}

async function fill(
  knex: Knex,
  keys: Record<string, string | Knex.Raw>,
  events: Knex.QueryBuilder,
): Promise<void> {
  const day = knex.raw('(published_at - published_at % ?) / ?', [dayMs, dayMs]);
  const columns = [...Object.keys(keys), 'day', 'type', 'refused', 'events'];
  const counted = events
    .select({ ...keys, day, type: 'type', refused: 'refused', events: knex.raw('count(*)') })
    .groupByRaw(
      columns
        .slice(0, -1)
        .map((_, n) => n + 1)
        .join(', '),
    );
  const marks = columns.map(() => '??').join(', ');
  await knex(knex.raw(`?? (${marks})`, ['event_counts', ...columns])).insert(counted);
}
