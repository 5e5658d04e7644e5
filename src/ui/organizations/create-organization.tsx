import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { formErrors } from '../api/api-error.ts';
import { api, dataOf } from '../api/client.ts';
import { Dialog, DialogEnd } from '../components/dialog.tsx';
import { Form, TextField } from '../components/field.tsx';

/** A new organization, by a system admin. */
export function CreateOrganization({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="New organization"
      text="Its name is the namespace of its repositories, and cannot be changed."
      dismissible={false}
    >
      <CreateForm onClose={onClose} />
    </Dialog>
  );
}

function CreateForm({ onClose }: { onClose: () => void }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [fullName, setFullName] = useState('');
  const create = useMutation({
    mutationFn: () =>
      dataOf(
        api.POST('/api/v0/accounts', {
          body: { name, fullName, isOrg: true, isAdmin: false, isActive: true, isServiceAccount: false },
        }),
      ),
    onSuccess: (org) => {
      queryClient.invalidateQueries({ queryKey: ['organizations'] });
      onClose();
      navigate(`/organizations/${org.name}/members`);
    },
  });
  const { errorOf, problem } = formErrors(create.error, ['name']);
  return (
    <Form onSubmit={() => create.mutate()}>
      <TextField
        label="Name"
        value={name}
        onText={setName}
        error={errorOf('name')}
        hint={`${location.host}/${name || '…'}/…`}
        autoCapitalize="off"
        spellCheck={false}
        autoFocus
      />
      <TextField label="Full name" optional value={fullName} onText={setFullName} maxLength={255} />
      <DialogEnd
        problem={problem}
        action="Create organization"
        disabled={name === ''}
        busy={create.isPending}
      />
    </Form>
  );
}
