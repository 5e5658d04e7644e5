import styles from './caches.module.css';
import type { Distance } from './use-distances.ts';

/** Round trips longer than this fill the bar. */
const farMs = 250;

/** How far a cache is from this browser, as a number and as a bar. */
export function DistanceView({ distance }: { distance: Distance | undefined }) {
  switch (distance?.kind) {
    case 'measured': {
      const ms = distance.ms < 10 ? distance.ms.toFixed(1) : Math.round(distance.ms).toString();
      return (
        <span className={styles.distance} title="Measured from this browser, there and back">
          <span>
            <span className="visually-hidden">Distance </span>
            {ms} ms
          </span>
          <meter aria-hidden="true" min={0} max={farMs} value={Math.min(Math.max(distance.ms, 6), farMs)} />
        </span>
      );
    }
    case 'measuring':
      return <span className={`${styles.distance} ${styles.none}`}>measuring …</span>;
    case 'insecure':
      return (
        <span
          className={`${styles.distance} ${styles.none}`}
          title="This page came by https, and the cache is reached by http: browsers do not measure that"
        >
          not measurable
        </span>
      );
    case 'unreachable':
      return (
        <span className={`${styles.distance} ${styles.none}`} title="This browser does not reach the cache">
          not reached
        </span>
      );
    default:
      return null;
  }
}
