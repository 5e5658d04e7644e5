/** The way of a pull, as a picture: what the origin answers itself, and where the layers come from. */
import { Database, HardDrive, Laptop } from 'lucide-react';
import styles from './caches.module.css';

/** `cache`: its name and host; `undefined` when the origin gives the layers itself. */
export function PullRoute({ cache }: { cache: { name: string; host: string } | undefined }) {
  return (
    <div className={styles.route}>
      <Stop icon={<Laptop size={17} aria-hidden="true" />} name="docker pull" text="on your machine" />
      {cache === undefined ? (
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
            name={cache.name}
            text={hostOf(cache.host)}
          />
          <div className={styles.leg} data-kind="seldom">
            <span>only what it does not have yet</span>
          </div>
        </>
      )}
      <Stop
        main={cache === undefined}
        icon={<Database size={17} aria-hidden="true" />}
        name={location.host}
        text={
          cache === undefined ? 'gives everything itself' : 'signs in, and always gives the newest manifest'
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
