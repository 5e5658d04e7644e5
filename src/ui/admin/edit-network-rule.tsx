/** A network rule, new or changed. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { formErrors } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Dialog, DialogEnd } from '../components/dialog.tsx';
import { Form, SelectField, TextField } from '../components/field.tsx';
import { cachesQuery } from '../content-caches/caches.ts';
import { say } from '../shell/announcements.ts';

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
  /** Without it, a new one. */
  readonly rule?: Schemas['ContentCacheRule'];
}

export function EditNetworkRule(props: Props) {
  return (
    <Dialog
      open={props.open}
      onClose={props.onClose}
      title={props.rule === undefined ? 'Add a network rule' : `Edit the rule for ${props.rule.network}`}
      dismissible={false}
    >
      <EditForm {...props} />
    </Dialog>
  );
}

function EditForm({ rule, onClose }: Props) {
  const queryClient = useQueryClient();
  const caches = useQuery(cachesQuery);
  const [network, setNetwork] = useState(rule?.network ?? '');
  const [chosen, setChosen] = useState(rule?.contentCacheUUID);
  const [comment, setComment] = useState(rule?.comment ?? '');
  const contentCacheUUID = chosen ?? caches.data?.[0]?.id ?? '';
  const save = useMutation({
    mutationFn: () => {
      const body = { network: network.trim(), contentCacheUUID, comment };
      return rule === undefined
        ? dataOf(api.POST('/api/v0/content_cache_rules', { body }))
        : dataOf(
            api.PATCH('/api/v0/content_cache_rules/{ruleuuid}', {
              params: { path: { ruleuuid: rule.id } },
              body,
            }),
          );
    },
    onSuccess: async (saved) => {
      say(`Saved the rule for ${saved.network}`);
      onClose();
      await queryClient.invalidateQueries({ queryKey: ['network-rules'] });
    },
  });
  const { errorOf, problem } = formErrors(save.error, ['network']);
  return (
    <Form onSubmit={() => save.mutate()}>
      <TextField
        label="Network"
        value={network}
        onText={setNetwork}
        error={errorOf('network')}
        placeholder="10.20.0.0/16"
        hint="IPv4 or IPv6, as the registry sees the clients. An address alone is a network of one."
        mono
        autoFocus
      />
      <SelectField
        label="Is served by"
        value={contentCacheUUID}
        onValue={setChosen}
        options={[
          ...(caches.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
          { value: '', label: `No cache: ${location.host} itself` },
        ]}
      />
      <TextField label="Comment" optional value={comment} onText={setComment} maxLength={255} />
      <DialogEnd
        problem={problem}
        action={rule === undefined ? 'Add rule' : 'Save changes'}
        disabled={network.trim() === ''}
        busy={save.isPending}
      />
    </Form>
  );
}
