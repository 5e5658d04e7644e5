/** Having content caches fetch an image before somebody pulls it. */
import { useState } from 'react';
import { Button } from '../components/button.tsx';
import { Dialog, DialogActions } from '../components/dialog.tsx';
import { Form, TextField } from '../components/field.tsx';
import { Problem } from '../components/states.tsx';
import { CacheChoice } from './cache-choice.tsx';
import { platformsIn } from './platforms.ts';
import { useStartJob } from './use-start-job.ts';

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
  /** What is filled in at first. */
  readonly repository?: string;
  readonly reference?: string;
  readonly cacheId?: string;
}

export function StartPrefetch(props: Props) {
  return (
    <Dialog
      open={props.open}
      onClose={props.onClose}
      title="Prefetch an image"
      text="The caches fetch it now, so that the first pull beside them is as fast as the second."
      dismissible={false}
    >
      <PrefetchForm {...props} />
    </Dialog>
  );
}

function PrefetchForm({ onClose, ...given }: Props) {
  const [repository, setRepository] = useState(given.repository ?? '');
  const [reference, setReference] = useState(given.reference ?? '');
  const [platforms, setPlatforms] = useState('');
  const [caches, setCaches] = useState<readonly string[] | undefined>(
    given.cacheId === undefined ? undefined : [given.cacheId],
  );
  const { start, isStarting, errorOf, problemBeside } = useStartJob();
  const problem = problemBeside('repository', 'reference', 'platforms');
  const wanted = platformsIn(platforms);
  return (
    <Form
      onSubmit={() =>
        start({
          action: 'content-cache-prefetch',
          parameters: {
            repository: repository.trim(),
            ...(reference.trim() !== '' && { reference: reference.trim() }),
            ...(wanted.length > 0 && { platforms: wanted }),
            ...(caches !== undefined && { contentCaches: [...caches] }),
          },
        })
      }
    >
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
      <TextField
        label="Tag or digest"
        optional
        value={reference}
        onText={setReference}
        error={errorOf('reference')}
        hint="Without one, every tag."
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
      {problem !== undefined && <Problem>{problem}</Problem>}
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="primary"
          type="submit"
          disabled={repository.trim() === '' || caches?.length === 0}
          busy={isStarting}
        >
          Prefetch
        </Button>
      </DialogActions>
    </Form>
  );
}
