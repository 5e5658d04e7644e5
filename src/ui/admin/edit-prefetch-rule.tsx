/** A prefetch rule, new or changed. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, describeError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Dialog, DialogActions } from '../components/dialog.tsx';
import { Form, TextField } from '../components/field.tsx';
import { Problem } from '../components/states.tsx';
import { CacheChoice } from '../jobs/cache-choice.tsx';
import { platformsIn } from '../jobs/platforms.ts';
import { say } from '../shell/announcements.ts';

type Rule = Schemas['PrefetchRule'];

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
  /** Without it, a new one. */
  readonly rule?: Rule;
}

export function EditPrefetchRule(props: Props) {
  return (
    <Dialog
      open={props.open}
      onClose={props.onClose}
      title={
        props.rule === undefined
          ? 'Add a prefetch rule'
          : `Edit the rule for ${props.rule.repository}:${props.rule.tag}`
      }
      dismissible={false}
    >
      <EditForm {...props} />
    </Dialog>
  );
}

function EditForm({ rule, onClose }: Props) {
  const queryClient = useQueryClient();
  const [repository, setRepository] = useState(rule?.repository ?? '');
  const [tag, setTag] = useState(rule?.tag ?? '*');
  const [platforms, setPlatforms] = useState(rule?.platforms.join(' ') ?? '');
  const [caches, setCaches] = useState<readonly string[] | undefined>(
    rule === undefined || rule.contentCaches.length === 0 ? undefined : rule.contentCaches,
  );
  const save = useMutation({
    mutationFn: () => {
      const body = {
        repository: repository.trim(),
        tag: tag.trim(),
        platforms: platformsIn(platforms),
        contentCaches: [...(caches ?? [])],
      };
      return rule === undefined
        ? dataOf(api.POST('/api/v0/content_cache_prefetch_rules', { body }))
        : dataOf(
            api.PATCH('/api/v0/content_cache_prefetch_rules/{ruleID}', {
              params: { path: { ruleID: rule.id } },
              body,
            }),
          );
    },
    onSuccess: async (saved) => {
      say(`Saved the rule for ${saved.repository}:${saved.tag}`);
      onClose();
      await queryClient.invalidateQueries({ queryKey: ['prefetch-rules'] });
    },
  });
  const field = save.error instanceof ApiError ? save.error.field : undefined;
  const words = save.isError ? describeError(save.error) : undefined;
  const errorOf = (name: string) => (field === name ? words : undefined);
  const hasField = ['repository', 'tag', 'platforms'].includes(field ?? '');
  return (
    <Form onSubmit={() => save.mutate()}>
      <TextField
        label="Repository"
        value={repository}
        onText={setRepository}
        error={errorOf('repository')}
        placeholder="acme/*"
        hint="* stands for any text."
        spellCheck={false}
        autoCapitalize="off"
        mono
        autoFocus
      />
      <TextField
        label="Tag"
        value={tag}
        onText={setTag}
        error={errorOf('tag')}
        placeholder="v*"
        spellCheck={false}
        autoCapitalize="off"
        mono
      />
      <TextField
        label="Platforms"
        optional
        value={platforms}
        onText={setPlatforms}
        error={errorOf('platforms')}
        placeholder="linux/amd64 linux/arm64"
        hint="Without any, all of them."
        spellCheck={false}
        autoCapitalize="off"
        mono
      />
      <CacheChoice value={caches} onValue={setCaches} />
      {words !== undefined && !hasField && <Problem>{words}</Problem>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="primary"
          type="submit"
          disabled={repository.trim() === '' || tag.trim() === '' || caches?.length === 0}
          busy={save.isPending}
        >
          {rule === undefined ? 'Add rule' : 'Save changes'}
        </Button>
      </DialogActions>
    </Form>
  );
}
