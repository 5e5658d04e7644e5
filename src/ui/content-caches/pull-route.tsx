/** The way of a pull, as a picture: what the origin answers itself, and where the layers come from. */
import { Database, HardDrive, Laptop } from 'lucide-react';
import styles from './caches.module.css';

/** `automatic`: rules and defaults decide, which may name a cache. */
export function PullRoute({ to }: { to: { name: string; host: string } | 'origin' | 'automatic' }) {
  return (
    <div className={styles.route}>
      <Stop icon={<Laptop size={17} aria-hidden="true" />} name="docker pull" text="on your machine" />
      {to === 'origin' ? (
        <div className={styles.leg} data-kind="layers">
          <span>manifest and layers</span>
        </div>
      ) : (
        <>
          <div className={styles.leg} data-kind="layers">
            <span>layers, by signed addresses</span>
          </div>
          <Stop
            main
            icon={<HardDrive size={17} aria-hidden="true" />}
            name={to === 'automatic' ? 'The cache for your network' : to.name}
            text={to === 'automatic' ? 'or the registry itself, if there is none' : hostOf(to.host)}
          />
          <div className={styles.leg} data-kind="seldom">
            <span>only what it does not have yet</span>
          </div>
        </>
      )}
      <Stop
        main={to === 'origin'}
        icon={<Database size={17} aria-hidden="true" />}
        name={location.host}
        text={
          to === 'origin' ? 'gives everything itself' : 'signs you in, and always gives the newest manifest'
        }
      />
    </div>
  );
}

function Stop({
  icon,
  name,
  text,
  main,
}: {
  icon: React.ReactNode;
  name: string;
  text: string;
  main?: boolean;
}) {
  return (
    <div className={styles.stop}>
      <span className={styles.stopIcon} data-main={main || undefined}>
        {icon}
      </span>
      <span className={styles.stopText}>
        <strong>{name}</strong>
        <span>{text}</span>
      </span>
    </div>
  );
}

function hostOf(url: string): string {
  return url.replace(/^https?:\/\//, '');
}
