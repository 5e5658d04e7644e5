/** The content caches that users may choose. */
import { useQuery } from '@tanstack/react-query';
import { HardDrive, Pencil, Plus, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { Badge } from '../components/bits.tsx';
import { Button, IconButton } from '../components/button.tsx';
import { Page } from '../components/layout.tsx';
import { List, Row } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import styles from '../content-caches/caches.module.css';
import { type ContentCache, cachesQuery } from '../content-caches/caches.ts';
import { DistanceView } from '../content-caches/distance.tsx';
import { describeTrouble, HealthView } from '../content-caches/health.tsx';
import { type Distance, useDistances } from '../content-caches/use-distances.ts';
import { EditContentCache } from './edit-content-cache.tsx';
import { RemoveContentCache } from './remove-content-cache.tsx';

export function AdminContentCaches() {
  const caches = useQuery({ ...cachesQuery, refetchInterval: 10_000 });
  const known = useMemo(() => caches.data ?? [], [caches.data]);
  const distances = useDistances(known);
  const [adding, setAdding] = useState(false);
  const add = (
    <Button kind="primary" onClick={() => setAdding(true)}>
      <Plus size={16} aria-hidden="true" />
      Add a cache
    </Button>
  );
  return (
    <Page
      name="Content caches"
      lead="Near the people who pull. Each user chooses one; the layers of their pulls come from it."
      actions={known.length > 0 && add}
    >
      {caches.isPending && <Loading />}
      {caches.isError && <Failed error={caches.error} onRetry={() => caches.refetch()} />}
      {caches.data?.length === 0 && (
        <Empty icon={HardDrive} title="No content caches yet" action={add}>
          Start one on a machine near the people who pull, by “Deploy a content cache” of the documentation,
          then add it here.
        </Empty>
      )}
      {known.length > 0 && (
        <List label="Content caches">
          {known.map((cache) => (
            <CacheRow key={cache.id} cache={cache} distance={distances.get(cache.id)} />
          ))}
        </List>
      )}
      <EditContentCache open={adding} onClose={() => setAdding(false)} />
    </Page>
  );
}

function CacheRow({ cache, distance }: { cache: ContentCache; distance: Distance | undefined }) {
  const [open, setOpen] = useState<'edit' | 'remove' | undefined>();
  const close = () => setOpen(undefined);
  const trouble = describeTrouble(cache.name, cache.health);
  return (
    <Row
      title={
        <>
          <Link to={`/admin/content-caches/${cache.id}`}>{cache.name}</Link>
          {!cache.isEnabled && <Badge kind="warn">switched off</Badge>}
        </>
      }
      goes
      text={
        <>
          <span className={styles.host}>{cache.host}</span>
          {trouble !== undefined && <span className={styles.trouble}>{trouble}</span>}
        </>
      }
      side={
        <>
          <HealthView health={cache.health} />
          <DistanceView distance={distance} />
          <span>
            <IconButton label={`Edit ${cache.name}`} onClick={() => setOpen('edit')}>
              <Pencil size={16} aria-hidden="true" />
            </IconButton>
            <IconButton label={`Remove ${cache.name}`} onClick={() => setOpen('remove')}>
              <Trash2 size={16} aria-hidden="true" />
            </IconButton>
          </span>
        </>
      }
      below={
        <>
          <EditContentCache open={open === 'edit'} onClose={close} cache={cache} />
          <RemoveContentCache open={open === 'remove'} onClose={close} cache={cache} />
        </>
      }
    />
  );
}
