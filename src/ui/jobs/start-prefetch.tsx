/** Having content caches fetch an image before somebody pulls it. */
import { useState } from 'react';
import { formErrors } from '../api/api-error.ts';
import { Dialog, DialogEnd } from '../components/dialog.tsx';
import { Form, TextField } from '../components/field.tsx';
import { CacheChoice } from './cache-choice.tsx';
import { PlatformsField, platformsIn } from './platforms.tsx';
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

function PrefetchForm(given: Props) {
  const [repository, setRepository] = useState(given.repository ?? '');
  const [reference, setReference] = useState(given.reference ?? '');
  const [platforms, setPlatforms] = useState('');
  const [caches, setCaches] = useState<readonly string[] | undefined>(
    given.cacheId === undefined ? undefined : [given.cacheId],
  );
  const start = useStartJob();
  const { errorOf, problem } = formErrors(start.error, [
    'parameters.repository',
    'parameters.reference',
    'parameters.platforms',
  ]);
  const wanted = platformsIn(platforms);
  return (
    <Form
      onSubmit={() =>
        start.mutate({
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
        error={errorOf('parameters.repository')}
        placeholder="acme/web"
        mono
      />
      <TextField
        label="Tag or digest"
        optional
        value={reference}
        onText={setReference}
        error={errorOf('parameters.reference')}
        hint="Without one, every tag."
        mono
      />
      <PlatformsField value={platforms} onText={setPlatforms} error={errorOf('parameters.platforms')} />
      <CacheChoice value={caches} onValue={setCaches} />
      <DialogEnd
        problem={problem}
        action="Prefetch"
        disabled={repository.trim() === '' || caches?.length === 0}
        busy={start.isPending}
      />
    </Form>
  );
}
