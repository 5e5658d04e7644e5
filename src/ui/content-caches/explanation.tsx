/** Why a pull would go where, as the origin tells it: each who is asked, up to the one who decides. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import styles from './caches.module.css';

/** `address`: from where; without it, from where this browser asks. */
export function explanationQuery(query: { username: string; repository: string; address?: string }) {
  return queryOptions({
    queryKey: ['content-cache-choice', query],
    queryFn: () => dataOf(api.GET('/api/v0/content_cache_choice', { params: { query } })),
  });
}

/** For a pull from any repository that the user sees; `undefined` while there is none, or none is known. */
export function useExplanation(
  username: string,
  options: { enabled?: boolean; refetchInterval?: number } = {},
): Schemas['ContentCacheExplanation'] | undefined {
  const first = useQuery({
    queryKey: ['repositories', 'first'],
    queryFn: () => dataOf(api.GET('/api/v0/repositories', { params: { query: { pageSize: 1 } } })),
    ...options,
  });
  const repository = first.data?.repositories[0];
  const name = repository === undefined ? '' : `${repository.namespace}/${repository.name}`;
  const { data } = useQuery({
    ...explanationQuery({ username, repository: name }),
    ...options,
    enabled: options.enabled !== false && name !== '',
  });
  return data;
}

export function Explanation({ explanation }: { explanation: Schemas['ContentCacheExplanation'] }) {
  const { steps } = explanation;
  return (
    <ol className={styles.steps}>
      {steps.map(({ decider, of, explanation: words, skipped }, index) => (
        <li
          key={`${decider} ${of ?? ''}`}
          data-state={skipped !== undefined ? 'skipped' : index === steps.length - 1 ? 'decided' : 'passed'}
        >
          {words.charAt(0).toUpperCase() + words.slice(1)}.
        </li>
      ))}
    </ol>
  );
}
