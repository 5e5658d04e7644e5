/** The trail of the whole system, with filters. */
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { Button } from '../components/button.tsx';
import { Form, SelectField, TextField } from '../components/field.tsx';
import { Page } from '../components/layout.tsx';
import { type EventFilter, EventList } from '../events/event-list.tsx';
import styles from './admin.module.css';

const outcomes = [
  { value: '', label: 'All' },
  { value: 'done', label: 'Done' },
  { value: 'refused', label: 'Refused' },
] as const;

const names = ['actorId', 'eventType', 'objectName', 'outcome', 'day'] as const;
type Values = Record<(typeof names)[number], string>;

export function AdminEvents() {
  const [search, setSearch] = useSearchParams();
  const asked = Object.fromEntries(names.map((name) => [name, search.get(name) ?? ''])) as Values;
  const [values, setValues] = useState(asked);
  const show = (next: Values) => {
    setValues(next);
    setSearch(new URLSearchParams(names.flatMap((name) => (next[name] ? [[name, next[name]]] : []))));
  };
  const isFiltered = names.some((name) => asked[name] !== '');
  return (
    <Page name="Events" lead="Who did what, when and from where; what was refused, too.">
      <Form onSubmit={() => show(values)}>
        <div className={styles.filters}>
          <TextField
            label="Who"
            value={values.actorId}
            onText={(actorId) => setValues({ ...values, actorId })}
          />
          <TextField
            label="Type"
            value={values.eventType}
            onText={(eventType) => setValues({ ...values, eventType: eventType.toUpperCase() })}
            placeholder="LOGIN"
          />
          <TextField
            label="What"
            value={values.objectName}
            onText={(objectName) => setValues({ ...values, objectName })}
            placeholder="acme/web"
          />
          <SelectField
            label="Outcome"
            options={outcomes}
            value={asked.outcome as (typeof outcomes)[number]['value']}
            onValue={(outcome) => show({ ...values, outcome })}
          />
          <TextField label="Day" type="date" value={values.day} onText={(day) => show({ ...values, day })} />
        </div>
        <div>
          <Button type="submit" small>
            Show
          </Button>{' '}
          {isFiltered && (
            <Button
              small
              kind="quiet"
              onClick={() => show(Object.fromEntries(names.map((name) => [name, ''])) as Values)}
            >
              Clear filters
            </Button>
          )}
        </div>
      </Form>
      <EventList filter={filterOf(asked)} />
    </Page>
  );
}

/** A day is one of the reader's own time zone. */
function filterOf({ actorId, eventType, objectName, outcome, day }: Values): EventFilter {
  const midnight = day === '' ? undefined : new Date(`${day}T00:00`);
  const next = midnight && new Date(midnight.getFullYear(), midnight.getMonth(), midnight.getDate() + 1);
  return {
    ...(actorId !== '' && { actorId }),
    ...(eventType !== '' && { eventType }),
    ...(objectName !== '' && { objectName }),
    ...(outcome !== '' && { outcome: outcome as NonNullable<EventFilter['outcome']> }),
    ...(midnight && { publishedAfter: midnight.toISOString() }),
    ...(next && { publishedBefore: next.toISOString() }),
  };
}
