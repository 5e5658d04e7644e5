/** Purges and prefetches of content caches: those that run and ran, and the rules that start some by themselves. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { ListChecks } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, dataOf } from '../api/client.ts';
import { Time } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { Page, Section } from '../components/layout.tsx';
import { List, Pager, Row, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading } from '../components/states.tsx';
import { isOver, titleOf } from '../jobs/jobs.ts';
import { StartPrefetch } from '../jobs/start-prefetch.tsx';
import { StartPurge } from '../jobs/start-purge.tsx';
import { JobStatus } from '../jobs/status.tsx';
import { PrefetchRules } from './prefetch-rules.tsx';

const pageSize = 20;

export function AdminJobs() {
  const [open, setOpen] = useState<'prefetch' | 'purge' | undefined>();
  const close = () => setOpen(undefined);
  return (
    <Page
      name="Purge and prefetch"
      lead="What caches remove, and what they have before somebody asks."
      actions={
        <>
          <Button onClick={() => setOpen('purge')}>Purge</Button>
          <Button kind="primary" onClick={() => setOpen('prefetch')}>
            Prefetch an image
          </Button>
        </>
      }
    >
      <PrefetchRules />
      <Jobs />
      <StartPrefetch open={open === 'prefetch'} onClose={close} />
      <StartPurge open={open === 'purge'} onClose={close} />
    </Page>
  );
}

function Jobs() {
  const start = Number(usePageStart() ?? 0);
  const jobs = useQuery({
    queryKey: ['jobs', 'list', start],
    queryFn: () => dataOf(api.GET('/api/v0/jobs', { params: { query: { start, limit: pageSize + 1 } } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.jobs.every(isOver) ? 10_000 : 2_000),
  });
  const list = jobs.data?.jobs.slice(0, pageSize);
  const next = (jobs.data?.jobs.length ?? 0) > pageSize ? String(start + pageSize) : undefined;
  return (
    <Section
      title="Jobs"
      text="The newest first. A cache that is away is tried again until the deadline of the job."
    >
      {jobs.isPending && <Loading rows={3} />}
      {jobs.isError && <Failed error={jobs.error} onRetry={() => jobs.refetch()} />}
      {list?.length === 0 && <Empty icon={ListChecks} title="No jobs yet" />}
      {list !== undefined && list.length > 0 && (
        <List label="Jobs">
          {list.map((job) => (
            <Row
              key={job.id}
              goes
              title={<Link to={`/admin/jobs/${job.id}`}>{titleOf(job)}</Link>}
              text={
                <>
                  by {job.createdBy}, <Time at={job.scheduledAt} />
                </>
              }
              side={<JobStatus status={job.status} />}
            />
          ))}
        </List>
      )}
      <Pager next={next} noun="job" />
    </Section>
  );
}
