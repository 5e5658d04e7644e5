/** How a page is laid out: its head, its tabs, its sections and cards. */
import { type ReactNode, type RefObject, useEffect, useRef } from 'react';
import { NavLink, useLocation } from 'react-router';
import styles from './layout.module.css';

/** `name` is the page's for the window's title and for who hears it; the heading shows it unless `title` is given. */
export function Page({
  name,
  title,
  crumbs,
  lead,
  actions,
  children,
}: {
  name: string;
  title?: ReactNode;
  crumbs?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${name} · DTR`;
  }, [name]);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div className={styles.titles}>
          {crumbs !== undefined && <div className={styles.crumbs}>{crumbs}</div>}
          <h1 tabIndex={-1} className={styles.title}>
            {title ?? name}
          </h1>
          {lead !== undefined && <div className={styles.lead}>{lead}</div>}
        </div>
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** The pages of one thing. Links, not buttons: each has an address of its own. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly { to: string; label: ReactNode }[] }) {
  return (
    <nav ref={useCurrentInView()} aria-label={label} className={styles.tabs}>
      {tabs.map((tab) => (
        <NavLink key={tab.to} to={tab.to} end={tab.to.endsWith('/tags')}>
          {tab.label}
        </NavLink>
      ))}
    </nav>
  );
}

/** For links in a line, which on a phone is wider than the screen: the one of the page that is shown is scrolled to. */
export function useCurrentInView(): RefObject<HTMLElement | null> {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: with another page, another link is current
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [pathname]);
  return nav;
}

export function Section({
  title,
  text,
  actions,
  children,
}: {
  title: string;
  text?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={styles.section} aria-label={title}>
      <div className={styles.sectionHead}>
        <div>
          <h2>{title}</h2>
          {text !== undefined && <p>{text}</p>}
        </div>
        {actions}
      </div>
      {children}
    </section>
  );
}

export function Card({ danger, children }: { danger?: boolean; children: ReactNode }) {
  return <div className={`${styles.card} ${danger ? styles.danger : ''}`}>{children}</div>;
}

/** The main thing, and what belongs beside it. */
export function Columns({ children }: { children: ReactNode }) {
  return <div className={styles.columns}>{children}</div>;
}

/** Not wider than a line that is read with ease. */
export function Narrow({ children }: { children: ReactNode }) {
  return <div className={styles.form}>{children}</div>;
}

/** Search and filters above a list. */
export function Bar({ children }: { children: ReactNode }) {
  return <div className={styles.bar}>{children}</div>;
}

export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
