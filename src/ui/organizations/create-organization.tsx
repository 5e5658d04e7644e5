import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { ApiError, describeError } from '../api/api-error.ts';
import { api, dataOf } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Dialog, DialogActions } from '../components/dialog.tsx';
import { Form, TextField } from '../components/field.tsx';
import { Problem } from '../components/states.tsx';

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
  const field = create.error instanceof ApiError ? create.error.field : undefined;
  return (
    <Form onSubmit={() => create.mutate()}>
      <TextField
        label="Name"
        value={name}
        onText={setName}
        error={field === 'name' ? describeError(create.error) : undefined}
        hint={`${location.host}/${name || '…'}/…`}
        autoCapitalize="off"
        spellCheck={false}
        autoFocus
      />
      <TextField label="Full name" optional value={fullName} onText={setFullName} maxLength={255} />
      {create.isError && field !== 'name' && <Problem>{describeError(create.error)}</Problem>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" type="submit" disabled={name === ''} busy={create.isPending}>
          Create organization
        </Button>
      </DialogActions>
    </Form>
  );
}
