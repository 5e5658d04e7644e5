/** What a content cache did: what it saved, hour by hour or day by day, and for which repositories and users. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { BarChart3 } from 'lucide-react';
import { useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { SmallSelect } from '../components/field.tsx';
import { Section } from '../components/layout.tsx';
import { Table } from '../components/list.tsx';
import { formatBytes, formatCount } from '../components/numbers.ts';
import { Empty, Failed, Loading } from '../components/states.tsx';
import cacheStyles from '../content-caches/caches.module.css';
import styles from './usage.module.css';
import { UsageChart } from './usage-chart.tsx';

const periods = [
  { value: 'day', label: 'Last 24 hours' },
  { value: 'month', label: 'Last 30 days' },
] as const;

type Period = (typeof periods)[number]['value'];
type Usage = Schemas['ContentCacheUsage'];

const hourMs = 3_600_000;

export function CacheUsage({ id }: { id: string }) {
  const [period, setPeriod] = useState<Period>('day');
  const time = useUsage(id, period, period === 'day' ? 'hour' : 'day');
  const repositories = useUsage(id, period, 'repository');
  const users = useUsage(id, period, 'user');
  const error = time.error ?? repositories.error ?? users.error;
  return (
    <Section
      title="Usage"
      actions={<SmallSelect label="Period" options={periods} value={period} onValue={setPeriod} />}
    >
      {error !== null && <Failed error={error} onRetry={() => time.refetch()} />}
      {error === null && time.data === undefined && <Loading rows={3} />}
      {time.data && <Sums usage={time.data} period={period} />}
      {time.data && repositories.data && repositories.data.usage.length > 0 && (
        <div className={styles.tables}>
          <Top label="Repositories" head="Repository" usage={repositories.data} />
          {users.data && <Top label="Users" head="User" usage={users.data} />}
        </div>
      )}
    </Section>
  );
}

function useUsage(id: string, period: Period, by: Usage['by']) {
  return useQuery({
    queryKey: ['content-cache-usage', id, period, by],
    queryFn: () => {
      const from = new Date(Date.now() - (period === 'day' ? 24 : 30 * 24) * hourMs).toISOString();
      return dataOf(
        api.GET('/api/v0/content_caches/{contentcacheuuid}/usage', {
          params: {
            path: { contentcacheuuid: id },
            query: { by, from, ...((by === 'repository' || by === 'user') && { limit: 8 }) },
          },
        }),
      );
    },
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
}

function Sums({ usage, period }: { usage: Usage; period: Period }) {
  const sums = period === 'day' ? usage.totals.lastDay : usage.totals.lastMonth;
  if (sums.hits + sums.misses + sums.redirects === 0) {
    return (
      <Empty icon={BarChart3} title="No pulls in this time">
        What a cache gives shows here within a minute or two.
      </Empty>
    );
  }
  const ratio = sums.hitRatio === undefined ? '–' : `${Math.round(sums.hitRatio * 100)} %`;
  return (
    <>
      <dl className={cacheStyles.numbers}>
        <Figure name="Saved">{formatBytes(Math.max(sums.bytesSaved, 0))}</Figure>
        <Figure name="Served">{formatBytes(sums.bytesServed)}</Figure>
        <Figure name="From its disk">{ratio}</Figure>
        <Figure name="Blobs">{formatCount(sums.hits + sums.misses)}</Figure>
        <Figure name="Failed">{formatCount(sums.errors)}</Figure>
      </dl>
      <UsageChart usage={usage} />
    </>
  );
}

function Figure({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className={cacheStyles.number}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Top({ label, head, usage }: { label: string; head: string; usage: Usage }) {
  return (
    <Table label={label} head={[head, 'Served', 'From its disk']}>
      {usage.usage.map(({ group, bytesServed, hitRatio }) => (
        <tr key={group}>
          <td data-label={head}>{group || 'not signed in'}</td>
          <td data-label="Served">{formatBytes(bytesServed)}</td>
          <td data-label="From its disk">
            {hitRatio === undefined ? '–' : `${Math.round(hitRatio * 100)} %`}
          </td>
        </tr>
      ))}
    </Table>
  );
}
