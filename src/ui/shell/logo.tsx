import styles from './shell.module.css';

/** One registry, and what goes out from it. */
export function Logo({ large }: { large?: boolean }) {
  const size = large ? 40 : 24;
  return (
    <svg className={styles.logo} viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <g fill="none" stroke="var(--accent-contrast)" strokeLinecap="round" strokeWidth="2.6">
        <circle cx="11" cy="16" r="4" />
        <path d="M19 9.5a9.2 9.2 0 0 1 0 13M23.2 6.2a14 14 0 0 1 0 19.6" />
      </g>
    </svg>
  );
}
