/** A new user: a person with a password, or a service account for a machine. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { formErrors } from '../api/api-error.ts';
import { api, dataOf } from '../api/client.ts';
import { Command } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { Choice } from '../components/choice.tsx';
import { Dialog, DialogActions, DialogEnd } from '../components/dialog.tsx';
import { Form, TextField } from '../components/field.tsx';
import { Note } from '../components/states.tsx';

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
}

export function CreateUser(props: Props) {
  return (
    <Dialog open={props.open} onClose={props.onClose} title="New user" dismissible={false}>
      <CreateForm {...props} />
    </Dialog>
  );
}

/** Without letters that are read for others. */
const letters = 'abcdefghijkmnpqrstuvwxyz23456789';

function randomPassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return Array.from(bytes, (byte) => letters[byte % letters.length])
    .join('')
    .replace(/(.{5})(?=.)/g, '$1-');
}

function CreateForm({ onClose }: Props) {
  const queryClient = useQueryClient();
  const [kind, setKind] = useState<'person' | 'machine'>('person');
  const [name, setName] = useState('');
  const [fullName, setFullName] = useState('');
  const [password] = useState(randomPassword);
  const create = useMutation({
    mutationFn: () =>
      dataOf(
        api.POST('/api/v0/accounts', {
          body: {
            name,
            fullName,
            isOrg: false,
            isAdmin: false,
            isActive: true,
            isServiceAccount: kind === 'machine',
            ...(kind === 'person' && { password }),
          },
        }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['accounts'] }),
  });
  if (create.isSuccess) {
    return (
      <>
        {kind === 'person' ? (
          <>
            <Note kind="good">
              {name} may sign in. Pass this password on, and have it changed at the first sign-in: it is not
              shown again.
            </Note>
            <Command text={password} what="the password" />
          </>
        ) : (
          <Note kind="good">{name} is there. It signs in with access tokens: create one on its profile.</Note>
        )}
        <DialogActions>
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </DialogActions>
      </>
    );
  }
  const { errorOf, problem } = formErrors(create.error, ['name']);
  return (
    <Form onSubmit={() => create.mutate()}>
      <Choice
        legend="For"
        value={kind}
        onValue={setKind}
        options={[
          { value: 'person', title: 'A person', text: 'Signs in with a password, which you get next.' },
          {
            value: 'machine',
            title: 'A machine',
            text: 'A service account: signs in with access tokens only.',
          },
        ]}
      />
      <TextField
        label="User name"
        value={name}
        onText={setName}
        error={errorOf('name')}
        hint={`Also the namespace of their own repositories: ${location.host}/${name || '…'}/…`}
        autoCapitalize="off"
        spellCheck={false}
        autoFocus
      />
      <TextField label="Full name" optional value={fullName} onText={setFullName} maxLength={255} />
      <DialogEnd problem={problem} action="Create user" disabled={name === ''} busy={create.isPending} />
    </Form>
  );
}
