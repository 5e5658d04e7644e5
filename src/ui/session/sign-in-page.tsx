/** The page to sign in on. */
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { Logo } from '../shell/logo.tsx';
import { nextPath } from './next-path.ts';
import { sessionQuery } from './session.ts';
import styles from './sign-in.module.css';
import { SignInForm } from './sign-in-form.tsx';

export function SignInPage() {
  const { data: session } = useQuery(sessionQuery);
  const navigate = useNavigate();
  const { search } = useLocation();
  useEffect(() => {
    document.title = 'Sign in · DTR';
  }, []);
  useEffect(() => {
    if (session) navigate(nextPath(search, location.origin), { replace: true });
  }, [session, search, navigate]);
  return (
    <main className={styles.page}>
      <div className={styles.box}>
        <Logo large />
        <div className={styles.title}>
          <h1>Sign in</h1>
          <p>
            to the registry at <strong>{location.host}</strong>
          </p>
        </div>
        <SignInForm />
        <p className={styles.foot}>
          The same name and password as for <code>docker login</code>. Machines use access tokens, and the{' '}
          <a href="/docs/api/">API</a>.
        </p>
      </div>
    </main>
  );
}
