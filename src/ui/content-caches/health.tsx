/** How the origin finds a cache. */
import type { Schemas } from '../api/client.ts';
import styles from './caches.module.css';

type Health = Schemas['ContentCacheHealth'];

const words: Record<Health['state'], string> = {
  healthy: 'Healthy',
  degraded: 'Degraded',
  down: 'Down',
  unknown: 'Not looked at yet',
};

/** A dot and a word. Nothing where nobody looks. */
export function HealthView({ health }: { health: Health | undefined }) {
  if (health === undefined) return null;
  const since = new Date(health.since).toLocaleString();
  return (
    <span className={styles.health} title={`Since ${since}`}>
      <span className={styles.dot} data-state={health.state} aria-hidden="true" />
      {words[health.state]}
    </span>
  );
}

/** What is the matter with it, as a sentence; `undefined` when nothing is. */
export function describeTrouble(name: string, health: Health | undefined): string | undefined {
  if (health?.lastError === undefined || health.state === 'healthy') return undefined;
  return sayOf(name, health.lastError.message);
}

/** What the origin says of a cache, which it calls `it`, as a sentence. */
export function sayOf(name: string, message: string): string {
  const named = message.replace(/^its\b/, `${name}: its`).replace(/^it\b/, name);
  return /[.?!]$/.test(named) ? named : `${named}.`;
}
