/** Having content caches remove what they stored. */
import { useState } from 'react';
import { formErrors } from '../api/api-error.ts';
import { Choice } from '../components/choice.tsx';
import { Dialog, DialogEnd } from '../components/dialog.tsx';
import { Form, TextArea, TextField } from '../components/field.tsx';
import { CacheChoice } from './cache-choice.tsx';
import { useStartJob } from './use-start-job.ts';

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly cacheId?: string;
}

const whats = [
  {
    value: 'unreferenced',
    title: 'What is not in the registry any more',
    text: 'Blobs of deleted images. Nobody misses them.',
  },
  { value: 'repository', title: 'One repository' },
  { value: 'digests', title: 'Single blobs' },
  { value: 'everything', title: 'Everything', text: 'Each image is fetched once more when it is pulled.' },
] as const;

type What = (typeof whats)[number]['value'];

export function StartPurge(props: Props) {
  return (
    <Dialog
      open={props.open}
      onClose={props.onClose}
      title="Purge content caches"
      text="The caches remove their copies. Nothing leaves the registry; what is pulled again is fetched again. Running downloads are not cut off."
      dismissible={false}
    >
      <PurgeForm {...props} />
    </Dialog>
  );
}

function PurgeForm({ cacheId }: Props) {
  const [what, setWhat] = useState<What>('unreferenced');
  const [repository, setRepository] = useState('');
  const [digests, setDigests] = useState('');
  const [caches, setCaches] = useState<readonly string[] | undefined>(
    cacheId === undefined ? undefined : [cacheId],
  );
  const start = useStartJob();
  const { errorOf, problem } = formErrors(start.error, ['parameters.repository', 'parameters.digests']);
  const blobs = digests.split(/[\s,]+/).filter((digest) => digest !== '');
  const parameters = {
    unreferenced: { unreferenced: true },
    repository: { repository: repository.trim() },
    digests: { digests: blobs },
    everything: { everything: true },
  } as const;
  const isComplete =
    (what !== 'repository' || repository.trim() !== '') && (what !== 'digests' || blobs.length > 0);
  return (
    <Form
      onSubmit={() =>
        start.mutate({
          action: 'content-cache-purge',
          parameters: {
            ...parameters[what],
            ...(caches !== undefined && { contentCaches: [...caches] }),
          },
        })
      }
    >
      <Choice legend="What" options={whats} value={what} onValue={setWhat} />
      {what === 'repository' && (
        <TextField
          label="Repository"
          value={repository}
          onText={setRepository}
          error={errorOf('parameters.repository')}
          placeholder="acme/web"
          mono
        />
      )}
      {what === 'digests' && (
        <TextArea
          label="Digests"
          value={digests}
          onText={setDigests}
          error={errorOf('parameters.digests')}
          rows={3}
          placeholder="sha256:…"
          hint="One a line."
          spellCheck={false}
          mono
        />
      )}
      <CacheChoice value={caches} onValue={setCaches} />
      <DialogEnd
        problem={problem}
        action="Purge"
        kind="danger"
        disabled={!isComplete || caches?.length === 0}
        busy={start.isPending}
      />
    </Form>
  );
}
