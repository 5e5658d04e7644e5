/** A new repository in one's own namespace, or in that of an organization that one owns. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { formErrors } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Choice } from '../components/choice.tsx';
import { Dialog, DialogEnd } from '../components/dialog.tsx';
import { Form, SelectField, TextField } from '../components/field.tsx';
import { useAccount } from '../session/session.ts';
import { visibilities } from './visibilities.ts';

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
  /** The only namespace to choose. */
  readonly namespace?: string;
}

export function CreateRepository(props: Props) {
  return (
    <Dialog open={props.open} onClose={props.onClose} title="New repository" dismissible={false}>
      <CreateForm {...props} />
    </Dialog>
  );
}

function CreateForm({ onClose, namespace: only }: Props) {
  const account = useAccount();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [namespace, setNamespace] = useState(only ?? account.name);
  const [name, setName] = useState('');
  const [shortDescription, setShortDescription] = useState('');
  const [visibility, setVisibility] = useState<Schemas['Visibility']>('private');
  const organizations = useQuery({
    queryKey: ['organizations', account.name, 'owned'],
    queryFn: () =>
      dataOf(
        api.GET('/api/v0/accounts/{username}/organizations', {
          params: { path: { username: account.name }, query: { pageSize: 1000 } },
        }),
      ),
    enabled: only === undefined,
  });
  const owned =
    organizations.data?.memberOrgs.filter(({ isAdmin }) => isAdmin).map(({ org }) => org.name) ?? [];
  const create = useMutation({
    mutationFn: () =>
      dataOf(
        api.POST('/api/v0/repositories/{namespace}', {
          params: { path: { namespace } },
          body: { name, shortDescription, visibility, immutableTags: false },
        }),
      ),
    onSuccess: (repository) => {
      queryClient.invalidateQueries({ queryKey: ['repositories'] });
      onClose();
      navigate(`/repositories/${repository.namespace}/${repository.name}/tags`);
    },
  });
  const { errorOf, problem } = formErrors(create.error, ['name']);
  return (
    <Form onSubmit={() => create.mutate()}>
      {only === undefined && owned.length > 0 && (
        <SelectField
          label="Namespace"
          value={namespace}
          onValue={setNamespace}
          options={[account.name, ...owned].map((value) => ({ value, label: value }))}
        />
      )}
      <TextField
        label="Name"
        value={name}
        onText={setName}
        error={errorOf('name')}
        hint={`${location.host}/${namespace}/${name || '…'}`}
        spellCheck={false}
        autoCapitalize="off"
        autoFocus
      />
      <TextField
        label="Description"
        optional
        value={shortDescription}
        onText={setShortDescription}
        maxLength={255}
      />
      <Choice legend="Visibility" options={visibilities} value={visibility} onValue={setVisibility} />
      <DialogEnd
        problem={problem}
        action="Create repository"
        disabled={name === ''}
        busy={create.isPending}
      />
    </Form>
  );
}
