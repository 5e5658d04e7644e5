/** Purges and prefetches, as pages ask for them and name them. */
import { queryOptions } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { plural } from '../components/numbers.ts';

export type Job = Schemas['Job'];

const lookAgainMs = 1_000;

export function isOver({ status }: Pick<Job, 'status'>): boolean {
  return status !== 'waiting' && status !== 'running';
}

/** Read again and again until it is over. */
export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ['jobs', id],
    queryFn: () => dataOf(api.GET('/api/v0/jobs/{jobID}', { params: { path: { jobID: id } } })),
    refetchInterval: ({ state }) => (state.data !== undefined && isOver(state.data) ? false : lookAgainMs),
  });
}

/** What it does, as the title of it. */
export function titleOf({ action, parameters }: Job): string {
  const { repository, reference, digests, unreferenced } = parameters;
  if (action === 'content-cache-prefetch') {
    if (reference === undefined) return `Prefetch ${repository}, every tag`;
    return `Prefetch ${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
  }
  if (repository !== undefined) return `Purge ${repository}`;
  if (digests !== undefined) return `Purge ${plural(digests.length, 'blob')}`;
  return unreferenced ? 'Purge what is not in the registry any more' : 'Purge everything';
}
