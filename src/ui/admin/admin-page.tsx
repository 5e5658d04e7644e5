/** What system admins look after. */
import { HardDrive } from 'lucide-react';
import { NavLink, Outlet } from 'react-router';
import { useAccount } from '../session/session.ts';
import { NotFound } from '../shell/not-found.tsx';
import styles from './admin.module.css';

const areas = [{ to: '/admin/content-caches', label: 'Content caches', icon: HardDrive }];

export function AdminPage() {
  const { isAdmin } = useAccount();
  if (!isAdmin) return <NotFound />;
  return (
    <div className={styles.frame}>
      <nav className={styles.nav} aria-label="Admin">
        {areas.map(({ to, label, icon: Icon }) => (
          <NavLink key={to} to={to}>
            <Icon size={16} aria-hidden="true" />
            {label}
          </NavLink>
        ))}
      </nav>
      <Outlet />
    </div>
  );
}
