/** Having content caches remove what they stored. */
import { useState } from 'react';
import { Button } from '../components/button.tsx';
import { Choice } from '../components/choice.tsx';
import { Dialog, DialogActions } from '../components/dialog.tsx';
import { Form, TextArea, TextField } from '../components/field.tsx';
import { Problem } from '../components/states.tsx';
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

function PurgeForm({ onClose, cacheId }: Props) {
  const [what, setWhat] = useState<What>('unreferenced');
  const [repository, setRepository] = useState('');
  const [digests, setDigests] = useState('');
  const [caches, setCaches] = useState<readonly string[] | undefined>(
    cacheId === undefined ? undefined : [cacheId],
  );
  const { start, isStarting, errorOf, problemBeside } = useStartJob();
  const problem = problemBeside('repository', 'digests');
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
        start({
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
          error={errorOf('repository')}
          placeholder="acme/web"
          spellCheck={false}
          autoCapitalize="off"
          mono
        />
      )}
      {what === 'digests' && (
        <TextArea
          label="Digests"
          value={digests}
          onText={setDigests}
          error={errorOf('digests')}
          rows={3}
          placeholder="sha256:…"
          hint="One a line."
          spellCheck={false}
          mono
        />
      )}
      <CacheChoice value={caches} onValue={setCaches} />
      {problem !== undefined && <Problem>{problem}</Problem>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" type="submit" disabled={!isComplete || caches?.length === 0} busy={isStarting}>
          Purge
        </Button>
      </DialogActions>
    </Form>
  );
}
