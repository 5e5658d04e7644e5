import type { Schemas } from '../api/client.ts';
import { Badge } from '../components/bits.tsx';

const looks = {
  waiting: { words: 'waiting' },
  running: { words: 'running', kind: 'accent' },
  done: { words: 'done', kind: 'good' },
  canceled: { words: 'canceled', kind: 'warn' },
  errored: { words: 'failed', kind: 'bad' },
} as const;

/** Where a job stands, or its part at one cache. */
export function JobStatus({ status }: { status: Schemas['JobStatus'] }) {
  const { words, ...kind } = looks[status];
  return <Badge {...kind}>{words}</Badge>;
}
