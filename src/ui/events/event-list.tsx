/** The trail, newest first. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { ScrollText } from 'lucide-react';
import { api, pageOf, type Schemas } from '../api/client.ts';
import { Badge, Time } from '../components/bits.tsx';
import { Pager, Table, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { EventContent } from './event-content.tsx';
import styles from './events.module.css';

export interface EventFilter {
  readonly actorId?: string;
  readonly eventType?: string;
  readonly objectName?: string;
  readonly outcome?: Schemas['Event']['outcome'];
  readonly publishedAfter?: string;
  readonly publishedBefore?: string;
}

export function EventList({ filter }: { filter: EventFilter }) {
  const start = usePageStart();
  const events = useQuery({
    queryKey: ['events', filter, start],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/events', {
          params: { query: { ...filter, pageSize: 50, ...(start !== undefined && { pageStart: start }) } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  if (events.isPending) return <Loading rows={6} />;
  if (events.isError) return <Failed error={events.error} onRetry={() => events.refetch()} />;
  const list = events.data.data.events;
  if (list.length === 0) {
    return (
      <Empty icon={ScrollText} title="No events">
        Nothing fits, or it happened longer ago than events are kept.
      </Empty>
    );
  }
  return (
    <>
      <Table label="Events" head={['When', 'Who', 'What', 'From']}>
        {list.map((event) => (
          <tr key={event.id}>
            <td data-label="When">
              <Time at={event.publishedAt} exact />
            </td>
            <td data-label="Who">
              <span className={styles.who}>{event.actorName || 'nobody'}</span>
            </td>
            <td data-label="What">
              <div>
                <span className={styles.what}>
                  <span>
                    <span className={styles.type}>{verbOf(event.type)}</span> {nounOf(event.object.type)}{' '}
                    <strong>{event.object.name ?? event.object.id}</strong>
                    {event.target !== undefined && (
                      <>
                        {' '}
                        for {nounOf(event.target.type)}{' '}
                        <strong>{event.target.name ?? event.target.id}</strong>
                      </>
                    )}
                  </span>
                  {event.outcome === 'refused' && <Badge kind="bad">refused</Badge>}
                </span>
                {event.object.content !== undefined && (
                  <EventContent content={event.object.content} objectId={event.object.id} />
                )}
              </div>
            </td>
            <td data-label="From">
              <span className={styles.from}>
                {event.client || '–'} <span>{event.door}</span>
              </span>
            </td>
          </tr>
        ))}
      </Table>
      <Pager next={events.data.next} noun="event" />
    </>
  );
}

/** `LOGIN` as a word of a sentence. */
function verbOf(type: string): string {
  const verbs: Record<string, string> = {
    LOGIN: 'sign-in of',
    LOGOUT: 'sign-out of',
  };
  return verbs[type] ?? type.toLowerCase().replaceAll('_', ' ');
}

/** `api_token` as words of a sentence. */
function nounOf(type: string): string {
  return type.replaceAll('_', ' ').replace(/^api\b/, 'API');
}
