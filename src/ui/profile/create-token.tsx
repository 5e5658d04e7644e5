/** A new access token, shown once. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { formErrors } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Command } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { Choice } from '../components/choice.tsx';
import { Dialog, DialogActions, DialogEnd } from '../components/dialog.tsx';
import { Form, SelectField, TextField } from '../components/field.tsx';
import { Note } from '../components/states.tsx';

interface Props {
  readonly username: string;
  readonly open: boolean;
  readonly onClose: () => void;
}

const lifetimes = [
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
  { value: 'never', label: 'Never' },
] as const;

export function CreateToken(props: Props) {
  return (
    <Dialog open={props.open} onClose={props.onClose} title="New access token" dismissible={false} wide>
      <CreateForm {...props} />
    </Dialog>
  );
}

function CreateForm({ username, onClose }: Props) {
  const queryClient = useQueryClient();
  const [tokenLabel, setLabel] = useState('');
  const [access, setAccess] = useState<Schemas['TokenAccess']>('read-only');
  const [lifetime, setLifetime] = useState<(typeof lifetimes)[number]['value']>('90');
  const create = useMutation({
    mutationFn: () =>
      dataOf(
        api.POST('/api/v0/api_tokens', {
          params: { query: { username } },
          body: {
            tokenLabel: tokenLabel.trim(),
            access,
            expiresAt:
              lifetime === 'never'
                ? null
                : new Date(Date.now() + Number(lifetime) * 86_400_000).toISOString(),
          },
        }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['account', username, 'tokens'] }),
  });
  if (create.isSuccess) return <Created username={username} token={create.data.token} onClose={onClose} />;
  const { problem } = formErrors(create.error, []);
  return (
    <Form onSubmit={() => create.mutate()}>
      <TextField
        label="Label"
        value={tokenLabel}
        onText={setLabel}
        maxLength={255}
        hint="What it is for, such as the name of the machine."
        autoFocus
      />
      <Choice
        legend="Access"
        value={access}
        onValue={setAccess}
        options={[
          { value: 'read-only', title: 'Read only', text: 'Pull, and read by the API.' },
          { value: 'read-write', title: 'Read and write', text: `Whatever ${username} may do.` },
        ]}
      />
      <SelectField label="Expires" options={lifetimes} value={lifetime} onValue={setLifetime} />
      <DialogEnd
        problem={problem}
        action="Create access token"
        disabled={tokenLabel.trim() === ''}
        busy={create.isPending}
      />
    </Form>
  );
}

function Created({ username, token, onClose }: { username: string; token: string; onClose: () => void }) {
  return (
    <>
      <Note kind="warn">Copy it now: it is not shown again, and the server keeps only its hash.</Note>
      <Command text={token} what="the access token" />
      <p>To sign in with it, give it as the password to:</p>
      <Command text={`docker login -u ${username} ${location.host}`} />
      <DialogActions>
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </>
  );
}
