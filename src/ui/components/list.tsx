/** Lists: rows with a name, what is said of it, and what may be done with it; tables; and the way to the next page. */
import { ChevronLeft, ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import { useLocation, useSearchParams } from 'react-router';
import { LinkButton } from './button.tsx';
import styles from './list.module.css';
import { plural } from './numbers.ts';

export function List({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ul className={styles.list} aria-label={label}>
      {children}
    </ul>
  );
}

/** `goes`: the first link of the title covers the row. `below` is what opens under it. */
export function Row({
  title,
  text,
  side,
  lead,
  goes,
  below,
}: {
  title: ReactNode;
  text?: ReactNode;
  side?: ReactNode;
  lead?: ReactNode;
  goes?: boolean;
  below?: ReactNode;
}) {
  return (
    <li className={`${styles.row} ${goes ? styles.goes : ''}`}>
      <div className={styles.line}>
        {lead !== undefined && <div className={styles.lead}>{lead}</div>}
        <div className={styles.main}>
          <div className={styles.title}>{title}</div>
          {text !== undefined && <div className={styles.text}>{text}</div>}
        </div>
        {side !== undefined && side !== false && <div className={styles.side}>{side}</div>}
      </div>
      {below}
    </li>
  );
}

/** On a phone each row is a card, in which `data-label` of its cells says what they are. */
export function Table({
  label,
  head,
  children,
}: {
  label: string;
  head: readonly string[];
  children: ReactNode;
}) {
  return (
    <div className={styles.tableBox}>
      <table className={styles.table} aria-label={label}>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** Where the page of the list that is shown begins: in the address, so that it can be sent and gone back to. */
export function usePageStart(): string | undefined {
  const [search] = useSearchParams();
  return search.get('start') ?? undefined;
}

/** The server knows the next page only; the pages before are remembered on the way. */
export function Pager({
  next,
  total,
  noun,
}: {
  next: string | undefined;
  total?: number | undefined;
  noun: string;
}) {
  const location = useLocation();
  const [search] = useSearchParams();
  const start = search.get('start');
  const before: (string | null)[] = (location.state as { before?: (string | null)[] } | null)?.before ?? [];
  if (start === null && next === undefined) {
    return total === undefined || total < 10 ? null : <Counted total={total} noun={noun} />;
  }
  const address = (to: string | null) => {
    const params = new URLSearchParams(search);
    if (to === null) params.delete('start');
    else params.set('start', to);
    return { pathname: location.pathname, search: params.toString() };
  };
  return (
    <nav className={styles.pager} aria-label={`Pages of ${noun}`}>
      <Counted total={total} noun={noun} />
      <span className={styles.pagerLinks}>
        {start !== null && (
          <LinkButton small to={address(before.at(-1) ?? null)} state={{ before: before.slice(0, -1) }}>
            <ChevronLeft size={15} aria-hidden="true" />
            {before.length > 1 ? 'Previous' : 'First page'}
          </LinkButton>
        )}
        {next !== undefined && (
          <LinkButton small to={address(next)} state={{ before: [...before, start] }}>
            Next
            <ChevronRight size={15} aria-hidden="true" />
          </LinkButton>
        )}
      </span>
    </nav>
  );
}

function Counted({ total, noun }: { total: number | undefined; noun: string }) {
  return <span>{total === undefined ? '' : plural(total, noun, manyOf(noun))}</span>;
}

function manyOf(noun: string): string {
  return noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}
