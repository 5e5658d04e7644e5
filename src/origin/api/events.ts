/** `/api/v0/events`: who did what to what. */
import { Router } from 'express';
import { DomainError } from '../../shared/errors.ts';
import type { Database } from '../database.ts';
import { countEvents } from '../events/event-counts.ts';
import type { EventFilter } from '../events/event-selection.ts';
import { type Event, type EventObject, listEvents } from '../events/events.ts';
import { callerOf } from './caller.ts';
import type { components, operations } from './contract.d.ts';
import { pageOf, sendPageHeaders } from './paging.ts';
import { formatTime, parseTime } from './time.ts';

type Query = NonNullable<operations['ListEvents']['parameters']['query']>;

export function createEventRoutes({ database: { queries } }: { database: Database }): Router {
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get('/api/v0/events', async (request, response) => {
    const caller = callerOf(response);
    const wanted = pageOf(request);
    assertId(wanted.start);
    const filter = { ...toFilter(request.query as Query), concerning: caller.isAdmin ? undefined : caller };
    const page = await listEvents(queries, filter, wanted);
    await sendPageHeaders(request, response, page, () => countEvents(queries, filter));
    response.json({ events: page.records.map(toEvent) });
  });
  return routes;
}

function toFilter(query: Query): EventFilter {
  const { publishedBefore, publishedAfter, outcome } = query;
  return {
    actor: query.actorId,
    type: query.eventType,
    objectName: query.objectName,
    refused: outcome === undefined ? undefined : outcome === 'refused',
    before: publishedBefore === undefined ? undefined : parseTime(publishedBefore, 'publishedBefore'),
    after: publishedAfter === undefined ? undefined : parseTime(publishedAfter, 'publishedAfter'),
  };
}

/** @throws DomainError `input-invalid` */
function assertId(pageStart: string | undefined): void {
  if (pageStart === undefined || /^\d{1,15}$/.test(pageStart)) return;
  throw new DomainError('input-invalid', 'pageStart: the id of an event expected', {
    detail: { field: 'pageStart' },
  });
}

function toEvent(event: Event): components['schemas']['Event'] {
  const { id, actorId = '', actorName, type, object, target, content, door, client } = event;
  return {
    id,
    publishedAt: formatTime(event.publishedAt),
    actor: actorId,
    actorName,
    type,
    object: { ...toObject(object), ...(content === undefined ? {} : { content }) },
    ...(target === undefined ? {} : { target: toObject(target) }),
    door,
    client,
    outcome: event.refused ? 'refused' : 'done',
  };
}

function toObject({ type, id, name }: EventObject): components['schemas']['EventObject'] {
  return { type, id, name };
}
