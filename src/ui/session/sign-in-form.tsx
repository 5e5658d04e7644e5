/** Name and password. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, describeError } from '../api/api-error.ts';
import { Button } from '../components/button.tsx';
import { Form, TextField } from '../components/field.tsx';
import { Problem } from '../components/states.tsx';
import { signIn } from './session.ts';
import styles from './sign-in.module.css';

/** `username`: who must sign in again. */
export function SignInForm({ username }: { username?: string }) {
  const [name, setName] = useState(username ?? '');
  const [password, setPassword] = useState('');
  const attempt = useMutation({ mutationFn: () => signIn(name.trim(), password) });
  return (
    <Form onSubmit={() => attempt.mutate()}>
      <TextField
        label="User name"
        name="username"
        value={name}
        onText={setName}
        autoComplete="username"
        autoCapitalize="off"
        spellCheck={false}
        readOnly={username !== undefined}
        autoFocus={username === undefined}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        value={password}
        onText={setPassword}
        autoComplete="current-password"
        autoFocus={username !== undefined}
      />
      {attempt.isError && <Problem>{describe(attempt.error)}</Problem>}
      <Button
        kind="primary"
        type="submit"
        className={styles.wide ?? ''}
        busy={attempt.isPending}
        disabled={name.trim() === '' || password === ''}
      >
        Sign in
      </Button>
    </Form>
  );
}

function describe(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return 'The user name or the password is wrong.';
  return describeError(error);
}
