/** Adding a content cache, or changing one. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, describeError } from '../api/api-error.ts';
import { api, dataOf } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Dialog, DialogActions } from '../components/dialog.tsx';
import { Form, TextField } from '../components/field.tsx';
import { Problem } from '../components/states.tsx';
import { type ContentCache, cachesQuery } from '../content-caches/caches.ts';
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
  const save = useMutation({
    mutationFn: () =>
      cache === undefined
        ? dataOf(api.POST('/api/v0/content_caches', { body: { name, host } }))
        : dataOf(
            api.PATCH('/api/v0/content_caches/{contentcacheuuid}', {
              params: { path: { contentcacheuuid: cache.id } },
              body: { name, host },
            }),
          ),
    onSuccess: async (saved) => {
      say(cache === undefined ? `Added ${saved.name}` : `Saved ${saved.name}`);
      onClose();
      await queryClient.invalidateQueries({ queryKey: cachesQuery.queryKey });
    },
  });
  const field = save.error instanceof ApiError ? save.error.field : undefined;
  const errorOf = (name: string) => (field === name ? describeError(save.error) : undefined);
  return (
    <Form onSubmit={() => save.mutate()}>
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
        placeholder="https://cache.example.com:5000"
        hint="As the users’ machines reach it."
        inputMode="url"
        autoCapitalize="off"
        spellCheck={false}
        mono
      />
      {save.isError && field !== 'name' && field !== 'host' && <Problem>{describeError(save.error)}</Problem>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" type="submit" disabled={name === '' || host === ''} busy={save.isPending}>
          {cache === undefined ? 'Add cache' : 'Save changes'}
        </Button>
      </DialogActions>
    </Form>
  );
}
