/** Adding a content cache, or changing one. What the origin finds there is said at once. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { formErrors } from '../api/api-error.ts';
import { api, dataOf } from '../api/client.ts';
import { Check } from '../components/choice.tsx';
import { Dialog, DialogEnd } from '../components/dialog.tsx';
import { Form, TextArea, TextField } from '../components/field.tsx';
import { Note } from '../components/states.tsx';
import { type ContentCache, cachesQuery } from '../content-caches/caches.ts';
import { describeTrouble } from '../content-caches/health.tsx';
import { say } from '../shell/announcements.ts';

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
  /** Without it, a new one. */
  readonly cache?: ContentCache;
}

export function EditContentCache(props: Props) {
  return (
    <Dialog
      open={props.open}
      onClose={props.onClose}
      title={props.cache === undefined ? 'Add a content cache' : `Edit ${props.cache.name}`}
      dismissible={false}
    >
      <EditForm {...props} />
    </Dialog>
  );
}

function EditForm({ cache, onClose }: Props) {
  const queryClient = useQueryClient();
  const [name, setName] = useState(cache?.name ?? '');
  const [host, setHost] = useState(cache?.host ?? '');
  const [caPem, setCaPem] = useState(cache?.caPem ?? '');
  const [isEnabled, setEnabled] = useState(cache?.isEnabled ?? true);
  const save = useMutation({
    // Once added, what is corrected in the form changes it.
    mutationFn: ({ id }: { id: string | undefined }) => {
      const body = { name, host, caPem: caPem.trim() === '' ? '' : caPem, isEnabled };
      return id === undefined
        ? dataOf(api.POST('/api/v0/content_caches', { body }))
        : dataOf(
            api.PATCH('/api/v0/content_caches/{contentcacheuuid}', {
              params: { path: { contentcacheuuid: id } },
              body,
            }),
          );
    },
    onSuccess: async (saved) => {
      if (describeTrouble(saved.name, saved.health) === undefined) {
        say(cache === undefined ? `Added ${saved.name}` : `Saved ${saved.name}`);
        onClose();
      }
      await queryClient.invalidateQueries({ queryKey: cachesQuery.queryKey });
    },
  });
  const id = save.data?.id ?? cache?.id;
  const trouble = save.data && describeTrouble(save.data.name, save.data.health);
  const { errorOf, problem } = formErrors(save.error, ['name', 'host', 'caPem']);
  return (
    <Form onSubmit={() => save.mutate({ id })}>
      <TextField
        label="Name"
        value={name}
        onText={setName}
        error={errorOf('name')}
        placeholder="region-us"
        hint="What users see when they choose."
        maxLength={128}
        autoFocus
      />
      <TextField
        label="Host"
        value={host}
        onText={setHost}
        error={errorOf('host')}
        placeholder="https://cache.example.com"
        hint="As the users’ machines reach it."
        inputMode="url"
        mono
      />
      {host.startsWith('https:') && (
        <TextArea
          label="Its CA"
          optional
          value={caPem}
          onText={setCaPem}
          error={errorOf('caPem')}
          placeholder="-----BEGIN CERTIFICATE-----"
          hint="In PEM, if its certificate is of a CA that this registry does not know. The users’ machines must trust it, too."
          rows={3}
          spellCheck={false}
          mono
        />
      )}
      <Check
        title="Send pulls to it"
        text="Switched off, it stays in the list, and whoever chose it is served by what comes next."
        checked={isEnabled}
        onChecked={setEnabled}
      />
      <div role="status">
        {trouble !== undefined && (
          <Note kind={save.data?.health?.state === 'degraded' ? 'warn' : 'bad'}>
            It is saved, but this registry{' '}
            {save.data?.health?.state === 'degraded' ? 'noticed' : 'cannot use it yet'}: {trouble} Pulls are
            sent there as soon as that is over.
          </Note>
        )}
      </div>
      <DialogEnd
        problem={problem}
        action={
          trouble !== undefined ? 'Save and look again' : id === undefined ? 'Add cache' : 'Save changes'
        }
        disabled={name === '' || host === ''}
        busy={save.isPending}
        cancel={trouble === undefined ? 'Cancel' : 'Close'}
      />
    </Form>
  );
}
