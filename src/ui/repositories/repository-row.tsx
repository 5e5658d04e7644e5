/** One repository in a list. */
import { Download } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Schemas } from '../api/client.ts';
import { Badge } from '../components/bits.tsx';
import { Row } from '../components/list.tsx';
import { formatCount, plural } from '../components/numbers.ts';
import styles from './repositories.module.css';

export function RepositoryRow({
  repository: { namespace, name, shortDescription, visibility, pulls },
  side,
}: {
  repository: Schemas['Repository'];
  /** Instead of how often it was pulled. */
  side?: ReactNode;
}) {
  return (
    <Row
      goes
      title={
        <>
          <Link to={`/repositories/${namespace}/${name}/tags`} className={styles.name}>
            <span className={styles.namespace}>{namespace}/</span>
            {name}
          </Link>
          {visibility === 'public' && <Badge kind="accent">public</Badge>}
        </>
      }
      text={shortDescription || undefined}
      side={
        side ?? (
          <span className={styles.pulls} title={plural(pulls, 'pull')}>
            <Download size={14} aria-hidden="true" />
            {formatCount(pulls)}
            <span className="visually-hidden">pulls</span>
          </span>
        )
      }
    />
  );
}
