/** The frame around each page: who is signed in, where they can go, and what is said to them. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Link, Navigate, NavLink, Outlet, useLocation, useNavigation } from 'react-router';
import { Failed } from '../components/states.tsx';
import { sessionQuery } from '../session/session.ts';
import { SignInAgain } from '../session/sign-in-again.tsx';
import { Announcements } from './announcements-view.tsx';
import { Logo } from './logo.tsx';
import styles from './shell.module.css';
import { UserMenu } from './user-menu.tsx';

export function Shell() {
  const session = useQuery(sessionQuery);
  const location = useLocation();
  if (session.isError) {
    return (
      <main className={styles.center}>
        <Failed error={session.error} onRetry={() => session.refetch()} />
      </main>
    );
  }
  if (session.isPending) return <Progress />;
  if (session.data === null) {
    const next = `${location.pathname}${location.search}`;
    return <Navigate replace to={next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`} />;
  }
  return (
    <>
      <Frame isAdmin={session.data.account.isAdmin} />
      <Announcements />
      <SignInAgain />
    </>
  );
}

function Frame({ isAdmin }: { isAdmin: boolean }) {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const isMoving = useNavigation().state !== 'idle';
  useFocusOnNewPage(main, pathname);
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#main">
        Skip to the content
      </a>
      {isMoving && <Progress />}
      <header className={styles.bar}>
        <div className={styles.barInside}>
          <Link to="/" className={styles.home} aria-label="DTR, home">
            <Logo />
            <span>DTR</span>
          </Link>
          <nav className={styles.nav} aria-label="Main">
            <NavLink to="/repositories">Repositories</NavLink>
            <NavLink to="/organizations">Organizations</NavLink>
            {isAdmin && <NavLink to="/admin">Admin</NavLink>}
          </nav>
          <UserMenu />
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        <Outlet />
      </main>
    </div>
  );
}

/** Something is on its way. */
export function Progress() {
  return (
    <div className={styles.progress} role="status">
      <span className="visually-hidden">Loading</span>
    </div>
  );
}

/** Who hears the page is put at its beginning; who tabs goes on from there. Not within the tabs of one thing. */
function useFocusOnNewPage(main: React.RefObject<HTMLElement | null>, pathname: string): void {
  const seen = useRef(placeOf(pathname));
  useEffect(() => {
    const place = placeOf(pathname);
    if (seen.current === place) return;
    seen.current = place;
    scrollTo(0, 0);
    const heading = main.current?.querySelector<HTMLElement>('h1');
    (heading ?? main.current)?.focus({ preventScroll: true });
  }, [main, pathname]);
}

/** `/repositories/acme/web` of `/repositories/acme/web/tags`. */
function placeOf(pathname: string): string {
  const [, area, ...rest] = pathname.split('/');
  const depth: Record<string, number> = {
    repositories: 2,
    users: 1,
    organizations: rest[1] === 'teams' ? 3 : 1,
    admin: 0,
  };
  return [area, ...rest.slice(0, depth[area ?? ''] ?? rest.length)].join('/');
}
