/** What a user chooses: the content cache that serves the pulls, and whether a push creates a repository. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ComponentProps, useMemo } from 'react';
import { useParams } from 'react-router';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Form, FormActions, SelectField } from '../components/field.tsx';
import { Card, Columns, Narrow, Section } from '../components/layout.tsx';
import { Failed, Loading, Problem } from '../components/states.tsx';
import { Unsaved } from '../components/unsaved.tsx';
import { useDraft } from '../components/use-draft.ts';
import { type ContentCache, cachesQuery } from '../content-caches/caches.ts';
import { ChooseCache } from '../content-caches/choose-cache.tsx';
import { Explanation, useExplanation } from '../content-caches/explanation.tsx';
import { PullRoute } from '../content-caches/pull-route.tsx';
import { say } from '../shell/announcements.ts';
import { cacheChoiceOf, settingOfChoice, settingsQuery } from './account-settings.ts';

export function ProfileSettings() {
  const { username = '' } = useParams();
  const settings = useQuery(settingsQuery(username));
  if (settings.isPending) return <Loading />;
  if (settings.isError) return <Failed error={settings.error} onRetry={() => settings.refetch()} />;
  return <Settings username={username} settings={settings.data} />;
}

function Settings({ username, settings }: { username: string; settings: Schemas['UserSettings'] }) {
  const queryClient = useQueryClient();
  const cache = cacheChoiceOf(settings);
  const { createRepositoryOnPush } = settings;
  const saved = useMemo(() => ({ cache, createRepositoryOnPush }), [cache, createRepositoryOnPush]);
  const draft = useDraft(`settings:${username}`, saved);
  const caches = useQuery(cachesQuery);
  const save = useMutation({
    mutationFn: () =>
      dataOf(
        api.PATCH('/api/v0/accounts/{username}/settings', {
          params: { path: { username } },
          body: {
            ...settingOfChoice(draft.value.cache),
            createRepositoryOnPush: draft.value.createRepositoryOnPush,
          },
        }),
      ),
    onSuccess: (answer) => {
      queryClient.setQueryData(settingsQuery(username).queryKey, answer);
      queryClient.invalidateQueries({ queryKey: ['content-cache-choice'] });
      draft.clear();
      say('Saved: the next pull follows it');
    },
  });
  const explanation = useExplanation(username, { enabled: !draft.isDirty });
  const chosen = caches.data?.find(({ id }) => id === draft.value.cache);
  return (
    <Form onSubmit={() => save.mutate()}>
      <Columns>
        <Section
          title="Content Cache"
          text="Layers come from the cache that you choose. What may be pulled, and which image is the newest, the origin always decides itself."
        >
          <ChooseCache
            value={draft.value.cache}
            onValue={(value) => draft.change({ cache: value })}
            automatic="Network rules and defaults decide, so that you need not"
          />
        </Section>
        <Section title={draft.isDirty ? 'Your pulls, once saved' : 'Your next pull'}>
          <Card>
            <PullRoute to={routeOf(draft.value.cache, chosen, draft.isDirty ? undefined : explanation)} />
            {!draft.isDirty && explanation && <Explanation explanation={explanation} />}
          </Card>
        </Section>
      </Columns>
      <Narrow>
        <Section
          title="Repositories"
          text="Whether a push creates a repository in this namespace when there is none."
        >
          <SelectField
            label="Create repositories on push"
            value={String(draft.value.createRepositoryOnPush)}
            onValue={(value) =>
              draft.change({ createRepositoryOnPush: value === 'null' ? null : value === 'true' })
            }
            options={[
              { value: 'null', label: 'As the system’s setting says' },
              { value: 'true', label: 'Yes' },
              { value: 'false', label: 'No: they are created by hand' },
            ]}
          />
        </Section>
      </Narrow>
      {save.isError && <Problem>{describeError(save.error)}</Problem>}
      <FormActions>
        <Button kind="primary" type="submit" disabled={!draft.isDirty} busy={save.isPending}>
          Save changes
        </Button>
        {draft.isDirty && <Button onClick={draft.clear}>Discard</Button>}
      </FormActions>
      <Unsaved isDirty={draft.isDirty && !save.isPending} onDiscard={draft.clear} />
    </Form>
  );
}

/** Where the layers come from: as the origin tells for what is saved, as chosen for what is not. */
function routeOf(
  choice: string,
  chosen: ContentCache | undefined,
  explanation: Schemas['ContentCacheExplanation'] | undefined,
): ComponentProps<typeof PullRoute>['to'] {
  if (explanation !== undefined) return explanation.contentCache ?? 'origin';
  return choice === 'automatic' ? 'automatic' : (chosen ?? 'origin');
}
