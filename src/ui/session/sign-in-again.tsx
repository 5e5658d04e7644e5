/** The session ended in the middle: signing in again over the page, which keeps all that was typed. */
import { useSyncExternalStore } from 'react';
import { Button } from '../components/button.tsx';
import { Dialog, DialogActions } from '../components/dialog.tsx';
import { sessionStore } from './session-store.ts';
import { SignInForm } from './sign-in-form.tsx';

export function SignInAgain() {
  const ended = useSyncExternalStore(sessionStore.subscribe, () => sessionStore.hasEnded);
  const name = sessionStore.current?.account.name;
  return (
    <Dialog
      open={ended}
      onClose={() => {}}
      dismissible={false}
      title="Your session has ended"
      text="Sign in again to go on where you were. Nothing that you typed is lost."
    >
      <SignInForm {...(name !== undefined && { username: name })} />
      <DialogActions>
        <Button kind="quiet" small onClick={() => location.assign('/sign-in')}>
          Sign in as somebody else
        </Button>
      </DialogActions>
    </Dialog>
  );
}
