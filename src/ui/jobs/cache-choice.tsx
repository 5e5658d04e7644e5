/** At which content caches something is done: at all, or at some. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Check, Choice } from '../components/choice.tsx';
import { Failed } from '../components/states.tsx';
import { cachesQuery } from '../content-caches/caches.ts';
import styles from './jobs.module.css';

/** `value`: ids; `undefined` stands for all that are switched on. */
export function CacheChoice({
  value,
  onValue,
}: {
  value: readonly string[] | undefined;
  onValue: (ids: readonly string[] | undefined) => void;
}) {
  const caches = useQuery(cachesQuery);
  // Kept for who goes to “all” and back.
  const [chosen, setChosen] = useState(value ?? []);
  const choose = (ids: readonly string[]) => {
    setChosen(ids);
    onValue(ids);
  };
  return (
    <div className={styles.where}>
      <Choice
        legend="Where"
        value={value === undefined ? 'all' : 'some'}
        onValue={(which) => onValue(which === 'all' ? undefined : chosen)}
        options={[
          { value: 'all', title: 'At all that are switched on' },
          { value: 'some', title: 'Only at these' },
        ]}
      />
      {value !== undefined && (
        <fieldset className={styles.caches}>
          <legend className="visually-hidden">Caches</legend>
          {caches.isError && <Failed error={caches.error} onRetry={() => caches.refetch()} />}
          {caches.data?.length === 0 && <p>No content cache is registered yet.</p>}
          {caches.data?.map(({ id, name, host }) => (
            <Check
              key={id}
              title={name}
              text={host}
              checked={value.includes(id)}
              onChecked={(checked) =>
                choose(checked ? [...value, id] : value.filter((other) => other !== id))
              }
            />
          ))}
        </fieldset>
      )}
    </div>
  );
}
