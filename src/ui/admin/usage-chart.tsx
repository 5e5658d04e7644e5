/** Bytes served over time: from the cache's own disk, and fetched first. */
import type { Schemas } from '../api/client.ts';
import { formatBytes } from '../components/numbers.ts';
import styles from './usage.module.css';

type Usage = Schemas['ContentCacheUsage'];

const width = 720;
const height = 160;
const hour = new Intl.DateTimeFormat(undefined, { hour: 'numeric' });
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

export function UsageChart({ usage }: { usage: Usage }) {
  const slots = slotsOf(usage);
  const most = Math.max(...slots.map(({ served }) => served), 1);
  const step = width / slots.length;
  const format = usage.by === 'hour' ? hour : day;
  const y = (bytes: number) => (bytes / most) * height;
  return (
    <figure className={styles.chart}>
      <figcaption className={styles.legend}>
        <span data-kind="disk">from its disk</span>
        <span data-kind="fetched">fetched first</span>
        <span>at most {formatBytes(most)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height + 1}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={describe(slots)}
      >
        <line className={styles.base} x1="0" x2={width} y1={height + 0.5} y2={height + 0.5} />
        {slots.map(({ at, served, fetched }, index) => (
          <g key={at}>
            <title>{`${format.format(at)}: ${formatBytes(served)} served, ${formatBytes(fetched)} fetched`}</title>
            <rect className={styles.target} x={index * step} width={step} height={height} />
            <rect
              className={styles.disk}
              x={index * step + step * 0.15}
              width={step * 0.7}
              y={height - y(served)}
              height={y(Math.max(served - fetched, 0))}
            />
            <rect
              className={styles.fetched}
              x={index * step + step * 0.15}
              width={step * 0.7}
              y={height - y(Math.min(fetched, served))}
              height={y(Math.min(fetched, served))}
            />
          </g>
        ))}
      </svg>
      <div className={styles.axis} aria-hidden="true">
        <span>{format.format(slots[0]?.at)}</span>
        <span>{format.format(slots[Math.floor(slots.length / 2)]?.at)}</span>
        <span>{usage.by === 'hour' ? 'now' : 'today'}</span>
      </div>
    </figure>
  );
}

interface Slot {
  readonly at: number;
  readonly served: number;
  readonly fetched: number;
}

/** Each hour or day, those without a pull, too. */
function slotsOf({ by, from, to, usage }: Usage): Slot[] {
  const length = (by === 'hour' ? 1 : 24) * 3_600_000;
  const known = new Map(usage.map((one) => [Math.floor(Date.parse(one.group) / length), one]));
  const first = Math.floor(Date.parse(from) / length);
  const last = Math.floor((Date.parse(to) - 1) / length);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const one = known.get(first + index);
    return { at: (first + index) * length, served: one?.bytesServed ?? 0, fetched: one?.bytesFetched ?? 0 };
  });
}

function describe(slots: readonly Slot[]): string {
  const served = slots.reduce((sum, slot) => sum + slot.served, 0);
  const fetched = slots.reduce((sum, slot) => sum + slot.fetched, 0);
  return `${formatBytes(served)} served, of which ${formatBytes(fetched)} were fetched first`;
}
