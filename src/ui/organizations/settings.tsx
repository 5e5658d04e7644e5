/** An organization's name, the cache of its members, and its end. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { describeError } from '../api/api-error.ts';
import { api, dataOf } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { Form, FormActions, SelectField, TextField } from '../components/field.tsx';
import { Card, Narrow, Section } from '../components/layout.tsx';
import { plural } from '../components/numbers.ts';
import { Failed, Loading, Problem } from '../components/states.tsx';
import { Unsaved } from '../components/unsaved.tsx';
import { useDraft } from '../components/use-draft.ts';
import { ChooseCache } from '../content-caches/choose-cache.tsx';
import { cacheChoiceOf, settingOfChoice, settingsQuery } from '../profile/account-settings.ts';
import { useAccount } from '../session/session.ts';
import { say } from '../shell/announcements.ts';
import { organizationQuery } from './organization.ts';

export function OrganizationSettings() {
  const { org = '' } = useParams();
  const organization = useQuery(organizationQuery(org));
  const settings = useQuery(settingsQuery(org));
  const { isAdmin } = useAccount();
  if (settings.isError) return <Failed error={settings.error} onRetry={() => settings.refetch()} />;
  if (settings.data === undefined || organization.data === undefined) return <Loading />;
  return (
    <Narrow>
      <Settings
        org={org}
        fullName={organization.data.fullName}
        cache={cacheChoiceOf(settings.data)}
        createRepositoryOnPush={settings.data.createRepositoryOnPush}
      />
      {isAdmin && <Deletion org={org} members={organization.data.membersCount ?? 0} />}
    </Narrow>
  );
}

interface Values {
  readonly fullName: string;
  readonly cache: string;
  readonly createRepositoryOnPush: boolean | null;
}

function Settings({ org, fullName, cache, createRepositoryOnPush }: Values & { org: string }) {
  const queryClient = useQueryClient();
  const saved = useMemo<Values>(
    () => ({ fullName, cache, createRepositoryOnPush }),
    [fullName, cache, createRepositoryOnPush],
  );
  const draft = useDraft(`organization:${org}`, saved);
  const save = useMutation({
    mutationFn: async () => {
      const { fullName: name, cache: choice, ...settings } = draft.value;
      if (name !== fullName) {
        await dataOf(
          api.PATCH('/api/v0/accounts/{namespace}', {
            params: { path: { namespace: org } },
            body: { fullName: name },
          }),
        );
      }
      await dataOf(
        api.PATCH('/api/v0/accounts/{username}/settings', {
          params: { path: { username: org } },
          body: { ...settings, ...settingOfChoice(choice) },
        }),
      );
    },
    onSuccess: async () => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: ['organization', org] }),
        queryClient.invalidateQueries({ queryKey: settingsQuery(org).queryKey }),
      ]);
      draft.clear();
      say('Saved');
    },
  });
  return (
    <Form onSubmit={() => save.mutate()}>
      <TextField
        label="Full name"
        value={draft.value.fullName}
        onText={(text) => draft.change({ fullName: text })}
        maxLength={255}
      />
      <Section title="Content Cache" text="For members who have not chosen one themselves.">
        <ChooseCache
          value={draft.value.cache}
          onValue={(value) => draft.change({ cache: value })}
          automatic="As for everybody else"
        />
      </Section>
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

function Deletion({ org, members }: { org: string; members: number }) {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  return (
    <Section title="Delete this organization">
      <Card danger>
        <p>Its repositories, teams and settings go with it. There is no way back.</p>
        <div>
          <Button kind="dangerQuiet" onClick={() => setOpen(true)}>
            Delete organization
          </Button>
        </div>
      </Card>
      <ConfirmByName
        open={open}
        onClose={() => setOpen(false)}
        title={
          <>
            Delete <Name>{org}</Name>
          </>
        }
        name={org}
        action="Delete organization"
        consequences={
          <>
            <li>
              <span>All repositories of {org} are gone at once, with all their images.</span>
            </li>
            <li>
              <span>{plural(members, 'member')} lose their access to it. Their own accounts stay.</span>
            </li>
          </>
        }
        onConfirm={async () => {
          await dataOf(api.DELETE('/api/v0/accounts/{namespace}', { params: { path: { namespace: org } } }));
          say(`Deleted ${org}`);
          navigate('/organizations', { replace: true });
          await queryClient.invalidateQueries();
        }}
      />
    </Section>
  );
}
