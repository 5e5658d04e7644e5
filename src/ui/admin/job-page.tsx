/** One purge or prefetch: how far each cache is, and what it wrote down. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from 'react-router';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Time } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { Card, Fact, Facts, Page, Section } from '../components/layout.tsx';
import { List, Row } from '../components/list.tsx';
import { formatBytes, plural } from '../components/numbers.ts';
import { Failed, Loading, Problem } from '../components/states.tsx';
import { sayOf } from '../content-caches/health.tsx';
import styles from '../jobs/jobs.module.css';
import { isOver, type Job, jobQuery, titleOf } from '../jobs/jobs.ts';
import { JobStatus } from '../jobs/status.tsx';
import { say } from '../shell/announcements.ts';

const maximumLines = 1_000;

export function JobPage() {
  const { id = '' } = useParams();
  const job = useQuery(jobQuery(id));
  if (job.data !== undefined) return <JobView job={job.data} />;
  return (
    <Page name="Purge or prefetch" crumbs={<Crumbs />}>
      {job.isPending ? <Loading /> : <Failed error={job.error} onRetry={() => job.refetch()} />}
    </Page>
  );
}

function Crumbs() {
  return <Link to="/admin/jobs">Purge and prefetch</Link>;
}

function JobView({ job }: { job: Job }) {
  const title = titleOf(job);
  const { stop, forget } = useEnds(job, title);
  const { platforms } = job.parameters;
  const results = job.results ?? [];
  const error = stop.error ?? forget.error;
  return (
    <Page
      name={title}
      crumbs={<Crumbs />}
      title={
        <>
          {title} <JobStatus status={job.status} />
        </>
      }
      actions={
        isOver(job) ? (
          <Button busy={forget.isPending} onClick={() => forget.mutate()}>
            Remove from the list
          </Button>
        ) : (
          <Button kind="dangerQuiet" busy={stop.isPending} onClick={() => stop.mutate()}>
            Stop
          </Button>
        )
      }
    >
      {error !== null && <Problem>{describeError(error)}</Problem>}
      <Card>
        <Facts>
          <Fact name="Started">
            by {job.createdBy}, <Time at={job.scheduledAt} />
          </Fact>
          {platforms !== undefined && <Fact name="Platforms">{platforms.join(', ')}</Fact>}
          {isOver(job) ? (
            <Fact name="Ended">
              <Time at={job.lastUpdated} />
            </Fact>
          ) : (
            <Fact name="Tries until">
              <Time at={job.deadline} exact />
            </Fact>
          )}
        </Facts>
      </Card>
      <Section title="At each cache">
        {results.length === 0 && !isOver(job) && <Loading rows={1} />}
        {results.length === 0 && isOver(job) && <p>It ended before it had begun.</p>}
        {results.length > 0 && (
          <List label="At each cache">
            {results.map((result) => (
              <Row
                key={result.contentCacheUUID}
                title={result.name}
                text={progressOf(job, result)}
                side={<JobStatus status={result.status} />}
                below={<Result result={result} />}
              />
            ))}
          </List>
        )}
      </Section>
      <Log job={job} />
    </Page>
  );
}

function useEnds(job: Job, title: string) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const path = { jobID: job.id };
  const stop = useMutation({
    mutationFn: () => dataOf(api.POST('/api/v0/jobs/{jobID}/cancel', { params: { path } })),
    onSuccess: () => {
      say(`Stopped: ${title}`);
      return queryClient.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
  const forget = useMutation({
    mutationFn: () => dataOf(api.DELETE('/api/v0/jobs/{jobID}', { params: { path } })),
    onSuccess: async () => {
      say(`Removed from the list: ${title}`);
      await navigate('/admin/jobs', { replace: true });
      queryClient.removeQueries({ queryKey: ['jobs'] });
    },
  });
  return { stop, forget };
}

function progressOf(
  { action }: Job,
  { doneBlobs, doneBytes, totalBlobs, totalBytes = 0 }: Schemas['JobResult'],
): string | undefined {
  // How much there is to fetch is known once the cache was asked.
  if (totalBlobs === undefined && action === 'content-cache-prefetch') return undefined;
  if (totalBlobs === undefined) return `${plural(doneBlobs, 'blob')} removed, ${formatBytes(doneBytes)}`;
  const bytes = `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
  return `${doneBlobs} of ${plural(totalBlobs, 'blob')}, ${bytes}`;
}

function Result({ result }: { result: Schemas['JobResult'] }) {
  const { name, message, doneBytes, totalBytes } = result;
  return (
    <>
      {totalBytes !== undefined && (
        <progress
          className={styles.progress}
          aria-label={`Progress at ${name}`}
          value={doneBytes}
          max={Math.max(totalBytes, 1)}
        />
      )}
      {message !== '' && <p className={styles.message}>{sayOf(name, message)}</p>}
    </>
  );
}

function Log({ job }: { job: Job }) {
  const log = useQuery({
    // Read again whenever the job moved.
    queryKey: ['jobs', job.id, 'log', job.lastUpdated, job.status],
    queryFn: () =>
      dataOf(
        api.GET('/api/v0/jobs/{jobID}/logs', {
          params: { path: { jobID: job.id }, query: { limit: maximumLines } },
        }),
      ),
    placeholderData: (before) => before,
  });
  if (log.data === undefined || log.data.length === 0) return null;
  return (
    <Section title="Log">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by the keyboard, too */}
      <ol className={styles.log} tabIndex={0} aria-label="Log">
        {log.data.map(({ lineNum, data }) => (
          <LogLine key={lineNum} data={data} />
        ))}
      </ol>
    </Section>
  );
}

/** A line begins with its time. */
function LogLine({ data }: { data: string }) {
  const [at = '', ...words] = data.split(' ');
  if (Number.isNaN(Date.parse(at))) return <li>{data}</li>;
  return (
    <li>
      <Time at={at} exact />
      <span>{words.join(' ')}</span>
    </li>
  );
}
