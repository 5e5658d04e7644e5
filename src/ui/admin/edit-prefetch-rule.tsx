/** A prefetch rule, new or changed. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { formErrors } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Dialog, DialogEnd } from '../components/dialog.tsx';
import { Form, TextField } from '../components/field.tsx';
import { CacheChoice } from '../jobs/cache-choice.tsx';
import { PlatformsField, platformsIn } from '../jobs/platforms.tsx';
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
  const { errorOf, problem } = formErrors(save.error, ['repository', 'tag', 'platforms']);
  return (
    <Form onSubmit={() => save.mutate()}>
      <TextField
        label="Repository"
        value={repository}
        onText={setRepository}
        error={errorOf('repository')}
        placeholder="acme/*"
        hint="* stands for any text."
        mono
        autoFocus
      />
      <TextField label="Tag" value={tag} onText={setTag} error={errorOf('tag')} placeholder="v*" mono />
      <PlatformsField value={platforms} onText={setPlatforms} error={errorOf('platforms')} />
      <CacheChoice value={caches} onValue={setCaches} />
      <DialogEnd
        problem={problem}
        action={rule === undefined ? 'Add rule' : 'Save changes'}
        disabled={repository.trim() === '' || tag.trim() === '' || caches?.length === 0}
        busy={save.isPending}
      />
    </Form>
  );
}
