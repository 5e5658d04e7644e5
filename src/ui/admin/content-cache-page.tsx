/** One content cache: how it is, and what it saves. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Badge, Time } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { Card, Fact, Facts, Page, Section } from '../components/layout.tsx';
import { formatBytes, formatWhole } from '../components/numbers.ts';
import { Failed, Loading, Note, Problem } from '../components/states.tsx';
import styles from '../content-caches/caches.module.css';
import { type ContentCache, cachesQuery } from '../content-caches/caches.ts';
import { describeTrouble, HealthView } from '../content-caches/health.tsx';
import { StartPrefetch } from '../jobs/start-prefetch.tsx';
import { StartPurge } from '../jobs/start-purge.tsx';
import { CacheUsage } from './cache-usage.tsx';
import { EditContentCache } from './edit-content-cache.tsx';
import { RemoveContentCache } from './remove-content-cache.tsx';

export function ContentCachePage() {
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'edit' | 'remove' | 'prefetch' | 'purge' | undefined>();
  const close = () => setOpen(undefined);
  const cache = useQuery({
    queryKey: [...cachesQuery.queryKey, id],
    queryFn: () =>
      dataOf(
        api.GET('/api/v0/content_caches/{contentcacheuuid}', { params: { path: { contentcacheuuid: id } } }),
      ),
    refetchInterval: 10_000,
  });
  const crumbs = <Link to="/admin/content-caches">Content caches</Link>;
  if (cache.data === undefined) {
    return (
      <Page name="Content cache" crumbs={crumbs}>
        {cache.isPending ? <Loading /> : <Failed error={cache.error} onRetry={() => cache.refetch()} />}
      </Page>
    );
  }
  const { name, host, isEnabled, health } = cache.data;
  return (
    <Page
      name={name}
      crumbs={crumbs}
      title={
        <>
          {name}
          {!isEnabled && <Badge kind="warn">switched off</Badge>}
        </>
      }
      lead={<span className={styles.host}>{host}</span>}
      actions={
        <>
          <Button onClick={() => setOpen('prefetch')}>Prefetch</Button>
          <Button onClick={() => setOpen('purge')}>Purge</Button>
          <Button onClick={() => setOpen('edit')}>Edit</Button>
          <Button kind="dangerQuiet" onClick={() => setOpen('remove')}>
            Remove
          </Button>
        </>
      }
    >
      {health !== undefined && <HealthSection cache={cache.data} health={health} />}
      <CacheUsage id={id} />
      <StartPrefetch open={open === 'prefetch'} onClose={close} cacheId={id} />
      <StartPurge open={open === 'purge'} onClose={close} cacheId={id} />
      <EditContentCache open={open === 'edit'} onClose={close} cache={cache.data} />
      <RemoveContentCache
        open={open === 'remove'}
        onClose={close}
        onRemoved={() => navigate('/admin/content-caches', { replace: true })}
        cache={cache.data}
      />
    </Page>
  );
}

function HealthSection({ cache, health }: { cache: ContentCache; health: Schemas['ContentCacheHealth'] }) {
  const queryClient = useQueryClient();
  const look = useMutation({
    mutationFn: () =>
      dataOf(
        api.POST('/api/v0/content_caches/{contentcacheuuid}/probe', {
          params: { path: { contentcacheuuid: cache.id } },
        }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: cachesQuery.queryKey }),
  });
  const trouble = describeTrouble(cache.name, health);
  const { disk, stored, clockSkewMs, latencyMs, version, probedAt, lastError } = health;
  return (
    <Section
      title="Health"
      actions={
        <Button small busy={look.isPending} onClick={() => look.mutate()}>
          Look again
        </Button>
      }
    >
      {look.isError && <Problem>{describeError(look.error)}</Problem>}
      {trouble !== undefined && <Note kind={health.state === 'down' ? 'bad' : 'warn'}>{trouble}</Note>}
      <Card>
        <Facts>
          <Fact name="State">
            <HealthView health={health} /> since <Time at={health.since} exact />
          </Fact>
          {probedAt !== undefined && (
            <Fact name="Looked at">
              <Time at={probedAt} />
              {latencyMs !== undefined && `, answered within ${formatWhole(latencyMs)} ms`}
            </Fact>
          )}
          {stored !== undefined && (
            <Fact name="Stored">
              {formatBytes(stored.bytes)} in {formatWhole(stored.blobs)} blobs
            </Fact>
          )}
          {disk !== undefined && (
            <Fact name="Disk">
              {formatBytes(disk.freeBytes)} free of {formatBytes(disk.sizeBytes)}
            </Fact>
          )}
          {clockSkewMs !== undefined && Math.abs(clockSkewMs) >= 1_000 && (
            <Fact name="Clock">
              {formatWhole(Math.round(Math.abs(clockSkewMs) / 1_000))} s{' '}
              {clockSkewMs > 0 ? 'ahead' : 'behind'}
            </Fact>
          )}
          {version !== undefined && <Fact name="Version">{version}</Fact>}
          {trouble === undefined && lastError !== undefined && (
            <Fact name="Last trouble">
              <Time at={lastError.at} />: {lastError.message}
            </Fact>
          )}
        </Facts>
      </Card>
    </Section>
  );
}
