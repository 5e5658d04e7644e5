import { useSyncExternalStore } from 'react';
import { currentAnnouncements, onAnnouncement } from './announcements.ts';
import styles from './shell.module.css';

/** Where short notices appear. It is always there: screen readers listen to what was there before. */
export function Announcements() {
  const shown = useSyncExternalStore(onAnnouncement, currentAnnouncements);
  return (
    <div className={styles.toasts} role="status" aria-live="polite">
      {shown.map((one) => (
        <div key={one.id} className={styles.toast}>
          {one.text}
        </div>
      ))}
    </div>
  );
}
