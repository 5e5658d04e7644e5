/** The top-right menu: profile, API docs, theme, sign out. */
import { Menu } from '@base-ui/react/menu';
import { BookOpen, Compass, LogOut, Monitor, Moon, Sun, UserRound } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { describeError } from '../api/api-error.ts';
import { Avatar } from '../components/bits.tsx';
import { useAccount, useSignOut } from '../session/session.ts';
import { say } from './announcements.ts';
import styles from './shell.module.css';
import { chooseTheme, currentTheme, type Theme } from './theme.ts';

const themes = [
  { value: 'system', label: 'As the system', icon: Monitor },
  { value: 'light', label: 'Light', icon: Sun },
  { value: 'dark', label: 'Dark', icon: Moon },
] as const;

export function UserMenu() {
  const account = useAccount();
  const signOut = useSignOut();
  const [theme, setTheme] = useState(currentTheme);
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className={styles.trigger}>
        <span className="visually-hidden">Menu of {account.name}</span>
        <Avatar name={account.name} />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className={styles.positioner} sideOffset={8} align="end">
          <Menu.Popup className={styles.menu}>
            <div className={styles.who}>
              {account.fullName || account.name}
              <span>{account.isAdmin ? `${account.name} · system admin` : account.name}</span>
            </div>
            <Menu.Separator className={styles.separator} />
            <Menu.Item className={styles.item} render={<Link to={`/users/${account.name}/settings`} />}>
              <UserRound size={16} aria-hidden="true" />
              Profile
            </Menu.Item>
            <Menu.Item className={styles.item} render={<a href="/docs/api/" />}>
              <BookOpen size={16} aria-hidden="true" />
              API docs
            </Menu.Item>
            {account.isAdmin && (
              <Menu.Item className={styles.item} render={<Link to="/getting-started" />}>
                <Compass size={16} aria-hidden="true" />
                Getting started
              </Menu.Item>
            )}
            <Menu.Separator className={styles.separator} />
            <div className={styles.themes}>
              <span aria-hidden="true">Theme</span>
              <Menu.RadioGroup
                className={styles.themeItems}
                aria-label="Theme"
                value={theme}
                onValueChange={(value: Theme) => {
                  chooseTheme(value);
                  setTheme(value);
                }}
              >
                {themes.map(({ value, label, icon: Icon }) => (
                  <Menu.RadioItem
                    key={value}
                    value={value}
                    className={styles.theme}
                    aria-label={label}
                    title={label}
                  >
                    <Icon size={15} aria-hidden="true" />
                  </Menu.RadioItem>
                ))}
              </Menu.RadioGroup>
            </div>
            <Menu.Separator className={styles.separator} />
            <Menu.Item
              className={styles.item}
              onClick={() => signOut.mutate(undefined, { onError: (error) => say(describeError(error)) })}
            >
              <LogOut size={16} aria-hidden="true" />
              Sign out
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
