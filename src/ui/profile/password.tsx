/** Changing a password: one's own with the one so far, anybody's as a system admin. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'react-router';
import { formErrors } from '../api/api-error.ts';
import { api, dataOf } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Form, FormActions, TextField } from '../components/field.tsx';
import { Card, Narrow, Section } from '../components/layout.tsx';
import { Problem } from '../components/states.tsx';
import { signIn, useAccount } from '../session/session.ts';
import { say } from '../shell/announcements.ts';

const minimumLength = 8;

export function ProfilePassword() {
  const { username = '' } = useParams();
  const isOwn = useAccount().name === username;
  const [oldPassword, setOldPassword] = useState('');
  const [newPassword, setNewPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const change = useMutation({
    mutationFn: async () => {
      await dataOf(
        api.POST('/api/v0/accounts/{username}/changePassword', {
          params: { path: { username } },
          body: { newPassword, ...(isOwn && { oldPassword }) },
        }),
      );
      // It ended every session, this one, too.
      if (isOwn) await signIn(username, newPassword);
    },
    onSuccess: () => {
      say(
        isOwn
          ? 'Your password is changed. You are signed out everywhere else.'
          : `The password of ${username} is changed`,
      );
      setOldPassword('');
      setNewPassword('');
      setRepeated('');
    },
  });
  const { errorOf, problem } = formErrors(change.error, ['oldPassword', 'newPassword']);
  const tooShort = newPassword !== '' && new TextEncoder().encode(newPassword).length < minimumLength;
  const differs = repeated !== '' && repeated !== newPassword;
  return (
    <Narrow>
      <Section
        title="Change the password"
        text={`${isOwn ? 'You are' : `${username} is`} signed out everywhere${isOwn ? ' else' : ''}. Access tokens stay as they are.`}
      >
        <Card>
          <Form onSubmit={() => change.mutate()}>
            <input
              className="visually-hidden"
              autoComplete="username"
              value={username}
              readOnly
              tabIndex={-1}
              aria-hidden="true"
            />
            {isOwn && (
              <TextField
                label="Password so far"
                type="password"
                autoComplete="current-password"
                value={oldPassword}
                onText={setOldPassword}
                error={errorOf('oldPassword')}
              />
            )}
            <TextField
              label="New password"
              type="password"
              autoComplete="new-password"
              value={newPassword}
              onText={setNewPassword}
              hint={`At least ${minimumLength} characters. A few words are easier to remember than signs.`}
              error={errorOf('newPassword')}
            />
            <TextField
              label="New password, once more"
              type="password"
              autoComplete="new-password"
              value={repeated}
              onText={setRepeated}
              error={differs ? 'The two are not the same.' : undefined}
            />
            {problem !== undefined && <Problem>{problem}</Problem>}
            <FormActions>
              <Button
                kind="primary"
                type="submit"
                busy={change.isPending}
                disabled={
                  newPassword === '' || tooShort || repeated !== newPassword || (isOwn && oldPassword === '')
                }
              >
                Change password
              </Button>
            </FormActions>
          </Form>
        </Card>
      </Section>
    </Narrow>
  );
}
