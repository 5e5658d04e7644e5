/** What is shown when there is nothing, nothing yet, or something went wrong. */
import { CircleAlert, CircleCheck, Info, type LucideIcon, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { ApiError, describeError } from '../api/api-error.ts';
import { Button } from './button.tsx';
import styles from './states.module.css';

/** Nothing there: why, and what to do about it. */
export function Empty({
  icon: Icon,
  title,
  children,
  action,
}: {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={styles.empty}>
      <span className={styles.emptyIcon}>
        <Icon size={20} aria-hidden="true" />
      </span>
      <p className={styles.emptyTitle}>{title}</p>
      {children !== undefined && <div className={styles.emptyText}>{children}</div>}
      {action !== undefined && <div className={styles.emptyAction}>{action}</div>}
    </div>
  );
}

/** A list that could not be read. */
export function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const title =
    error instanceof ApiError && error.status === 404 ? 'There is nothing here' : 'This could not be loaded';
  return (
    <div className={styles.failed} role="alert">
      <h2>{title}</h2>
      <p className={styles.failedText}>{describeError(error)}</p>
      <Button onClick={onRetry}>Try again</Button>
    </div>
  );
}

/** What went wrong in a form, said at once by screen readers. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <div className={`${styles.problem} ${styles.bad}`} role="alert">
      <CircleAlert size={16} aria-hidden="true" />
      <div>{children}</div>
    </div>
  );
}

const noteIcons = { info: Info, good: CircleCheck, warn: TriangleAlert, bad: CircleAlert };

export function Note({ kind = 'info', children }: { kind?: keyof typeof noteIcons; children: ReactNode }) {
  const Icon = noteIcons[kind];
  return (
    <div className={`${styles.problem} ${styles[kind]}`}>
      <Icon size={16} aria-hidden="true" />
      <div>{children}</div>
    </div>
  );
}

/** Where a list will be. */
export function Loading({ rows = 4 }: { rows?: number }) {
  return (
    <div className={styles.skeletons} role="status">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <div key={row} className={styles.skeleton} aria-hidden="true">
          <span />
          <span />
        </div>
      ))}
    </div>
  );
}
