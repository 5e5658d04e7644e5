/** What system admins look after. */
import { Activity, HardDrive, ListChecks, Network, Settings2, Users } from 'lucide-react';
import { NavLink, Outlet } from 'react-router';
import { useCurrentInView } from '../components/layout.tsx';
import { useAccount } from '../session/session.ts';
import { NotFound } from '../shell/not-found.tsx';
import styles from './admin.module.css';

const areas = [
  { to: '/admin/content-caches', label: 'Content caches', icon: HardDrive },
  { to: '/admin/network-rules', label: 'Network rules', icon: Network },
  { to: '/admin/jobs', label: 'Purge & prefetch', icon: ListChecks },
  { to: '/admin/users', label: 'Users', icon: Users },
  { to: '/admin/events', label: 'Events', icon: Activity },
  { to: '/admin/system', label: 'System', icon: Settings2 },
];

export function AdminPage() {
  const { isAdmin } = useAccount();
  const nav = useCurrentInView();
  if (!isAdmin) return <NotFound />;
  return (
    <div className={styles.frame}>
      <nav ref={nav} className={styles.nav} aria-label="Admin">
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
