/** One content cache to choose, none, or whichever others decide for: each with its host and its distance from here. */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useId, useMemo } from 'react';
import { Failed, Loading } from '../components/states.tsx';
import styles from './caches.module.css';
import { cachesQuery } from './caches.ts';
import { DistanceView } from './distance.tsx';
import { HealthView } from './health.tsx';
import { useDistances } from './use-distances.ts';

export function ChooseCache({
  value,
  onValue,
  automatic,
}: {
  /** `automatic`, `none`, or the id of a cache. */
  value: string;
  onValue: (value: string) => void;
  /** What it means to let others decide. */
  automatic: string;
}) {
  const caches = useQuery(cachesQuery);
  const known = useMemo(() => caches.data ?? [], [caches.data]);
  const distances = useDistances(known);
  const name = useId();
  if (caches.isPending) return <Loading rows={2} />;
  if (caches.isError) return <Failed error={caches.error} onRetry={() => caches.refetch()} />;
  const option = (id: string, title: string, text: ReactNode, side: ReactNode) => (
    <label key={id} className={styles.option}>
      <input type="radio" name={name} value={id} checked={value === id} onChange={() => onValue(id)} />
      <span className={styles.optionText}>
        <strong>{title}</strong>
        <span>{text}</span>
      </span>
      <span className={styles.optionSide}>{side}</span>
    </label>
  );
  return (
    <fieldset>
      <legend className="visually-hidden">Content cache</legend>
      <div className={styles.options}>
        {option('automatic', 'Automatic', automatic, null)}
        {option('none', 'None', `Always pull from ${location.host} itself`, null)}
        {known.map((cache) =>
          option(
            cache.id,
            cache.name,
            <span className={styles.host}>
              {cache.isEnabled ? cache.host : `${cache.host} · switched off`}
            </span>,
            <>
              <HealthView health={cache.health} />
              <DistanceView distance={distances.get(cache.id)} />
            </>,
          ),
        )}
      </div>
    </fieldset>
  );
}
