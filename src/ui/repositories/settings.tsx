/** A repository's descriptions, visibility and rules, and its end. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useNavigate } from 'react-router';
import { ApiError, describeError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Check, Choice } from '../components/choice.tsx';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { Form, FormActions, TextArea, TextField } from '../components/field.tsx';
import { Card, Narrow, Section } from '../components/layout.tsx';
import { plural } from '../components/numbers.ts';
import { Problem } from '../components/states.tsx';
import { Unsaved } from '../components/unsaved.tsx';
import { useDraft } from '../components/use-draft.ts';
import { say } from '../shell/announcements.ts';
import { type RepositoryPath, repositoryQuery, useRepositoryPath } from './repository.ts';
import { visibilities } from './visibilities.ts';

export function RepositorySettings() {
  const path = useRepositoryPath();
  const { data } = useQuery(repositoryQuery(path));
  if (data === undefined) return null;
  return (
    <Narrow>
      <Settings path={path} repository={data.repository} etag={data.etag} />
    </Narrow>
  );
}

function Settings({
  path,
  repository,
  etag,
}: {
  path: RepositoryPath;
  repository: Schemas['Repository'];
  etag: string | undefined;
}) {
  const queryClient = useQueryClient();
  const { shortDescription, longDescription = '', visibility, immutableTags, redirect } = repository;
  const saved = useMemo(
    () => ({ shortDescription, longDescription, visibility, immutableTags, redirect }),
    [shortDescription, longDescription, visibility, immutableTags, redirect],
  );
  const draft = useDraft(`repository:${path.namespace}/${path.name}`, saved);
  const key = repositoryQuery(path).queryKey;
  const save = useMutation({
    mutationFn: () =>
      dataOf(
        api.PATCH('/api/v0/repositories/{namespace}/{reponame}', {
          params: {
            path: { namespace: path.namespace, reponame: path.name },
            header: etag === undefined ? {} : { 'If-Match': etag },
          },
          body: draft.value,
        }),
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: key });
      draft.clear();
      say('Saved');
    },
    onError: (error) => {
      // What is there now is shown; what was typed stays.
      if (error instanceof ApiError && error.status === 412) queryClient.invalidateQueries({ queryKey: key });
    },
  });
  return (
    <>
      <Section title="General">
        <Card>
          <Form onSubmit={() => save.mutate()}>
            <TextField
              label="Short description"
              value={draft.value.shortDescription}
              onText={(text) => draft.change({ shortDescription: text })}
              maxLength={255}
              hint="Shown in lists and by docker search."
            />
            <TextArea
              label="About"
              value={draft.value.longDescription}
              onText={(text) => draft.change({ longDescription: text })}
              maxLength={25_000}
              rows={8}
              hint="In Markdown. Shown below the tags."
              mono
            />
            <Choice
              legend="Visibility"
              options={visibilities}
              value={draft.value.visibility}
              onValue={(value) => draft.change({ visibility: value })}
            />
            <Check
              title="Immutable tags"
              text="A tag that is there cannot be pushed again: what it names never changes."
              checked={draft.value.immutableTags}
              onChecked={(checked) => draft.change({ immutableTags: checked })}
            />
            <Check
              title="Pull through content caches"
              text="Without it, its layers always come from this registry itself."
              checked={draft.value.redirect}
              onChecked={(checked) => draft.change({ redirect: checked })}
            />
            {save.isError && <Problem>{describeError(save.error)}</Problem>}
            <FormActions>
              <Button kind="primary" type="submit" disabled={!draft.isDirty} busy={save.isPending}>
                Save changes
              </Button>
              {draft.isDirty && <Button onClick={draft.clear}>Discard</Button>}
            </FormActions>
          </Form>
        </Card>
      </Section>
      <Unsaved isDirty={draft.isDirty && !save.isPending} onDiscard={draft.clear} />
      <Deletion path={path} pulls={repository.pulls} />
    </>
  );
}

function Deletion({ path, pulls }: { path: RepositoryPath; pulls: number }) {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const name = `${path.namespace}/${path.name}`;
  return (
    <Section title="Delete this repository">
      <Card danger>
        <p>All its images, tags and grants of access go with it. There is no way back.</p>
        <div>
          <Button kind="dangerQuiet" onClick={() => setOpen(true)}>
            Delete repository
          </Button>
        </div>
      </Card>
      <ConfirmByName
        open={open}
        onClose={() => setOpen(false)}
        title={
          <>
            Delete <Name>{name}</Name>
          </>
        }
        name={name}
        action="Delete repository"
        consequences={
          <>
            <li>
              <span>All its images and tags are gone at once, for everybody and through every cache.</span>
            </li>
            <li>
              <span>
                {pulls === 0
                  ? 'It was never pulled.'
                  : `It was pulled ${plural(pulls, 'time')}: whoever still pulls it gets “not found”. What runs goes on running.`}
              </span>
            </li>
            <li>
              <span>
                Who had access must be given it anew, should a repository of this name be created again.
              </span>
            </li>
          </>
        }
        onConfirm={async () => {
          await dataOf(
            api.DELETE('/api/v0/repositories/{namespace}/{reponame}', {
              params: { path: { namespace: path.namespace, reponame: path.name } },
            }),
          );
          say(`Deleted ${name}`);
          navigate('/repositories', { replace: true });
          queryClient.removeQueries({ queryKey: ['repository', path.namespace, path.name] });
          await queryClient.invalidateQueries({ queryKey: ['repositories'] });
        }}
      />
    </Section>
  );
}
