/** The system's settings, its version and how it is. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Badge, CopyButton, Time } from '../components/bits.tsx';
import { Check } from '../components/choice.tsx';
import { SelectField } from '../components/field.tsx';
import { Card, Fact, Facts, Page, Section } from '../components/layout.tsx';
import { Failed, Loading, Problem } from '../components/states.tsx';
import { cachesQuery } from '../content-caches/caches.ts';
import { say } from '../shell/announcements.ts';
import styles from './admin.module.css';

const settingsKey = ['system', 'settings'];

export function AdminSystem() {
  const settings = useQuery({
    queryKey: settingsKey,
    queryFn: () => dataOf(api.GET('/api/v0/meta/settings')),
  });
  return (
    <Page name="System">
      {settings.isPending && <Loading />}
      {settings.isError && <Failed error={settings.error} onRetry={() => settings.refetch()} />}
      {settings.data && <Settings settings={settings.data} />}
      <Status />
      {settings.data !== undefined && settings.data.webTLSCA !== '' && <Ca pem={settings.data.webTLSCA} />}
    </Page>
  );
}

function Settings({ settings }: { settings: Schemas['Settings'] }) {
  const queryClient = useQueryClient();
  const change = useMutation({
    mutationFn: (body: Schemas['UpdateSettings']) => dataOf(api.POST('/api/v0/meta/settings', { body })),
    onSuccess: (answer) => {
      queryClient.setQueryData(settingsKey, answer);
      say('Saved');
    },
  });
  const caches = useQuery(cachesQuery);
  const [saving, setSaving] = useState<Schemas['UpdateSettings']>({});
  const save = (body: Schemas['UpdateSettings']) => {
    setSaving(body);
    change.mutate(body, { onSettled: () => setSaving({}) });
  };
  // As it will be, while it is being saved.
  const shown = { ...settings, ...saving };
  return (
    <Section title="Settings">
      <Card>
        <Check
          title="Create repositories on push"
          text="Where there is none yet, unless the namespace says otherwise."
          checked={shown.createRepositoryOnPush}
          disabled={change.isPending}
          onChecked={(createRepositoryOnPush) => save({ createRepositoryOnPush })}
        />
        <Check
          title="Public repositories can be pulled from without signing in"
          checked={shown.anonymousPulls}
          disabled={change.isPending}
          onChecked={(anonymousPulls) => save({ anonymousPulls })}
        />
        <SelectField
          label="Default content cache"
          hint="Where no user, network rule or organization names one."
          value={shown.defaultContentCacheUUID}
          onValue={(defaultContentCacheUUID) => save({ defaultContentCacheUUID })}
          options={[
            { value: '', label: `None: ${location.host} itself` },
            ...(caches.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        {change.isError && <Problem>{describeError(change.error)}</Problem>}
      </Card>
    </Section>
  );
}

function Status() {
  const version = useQuery({
    queryKey: ['system', 'version'],
    queryFn: () => dataOf(api.GET('/api/v0/admin/version')),
  });
  const features = useQuery({
    queryKey: ['system', 'features'],
    queryFn: () => dataOf(api.GET('/api/v0/meta/features')),
  });
  const status = useQuery({
    queryKey: ['system', 'status'],
    queryFn: () => dataOf(api.GET('/api/v0/meta/cluster_status')),
    refetchInterval: 10_000,
  });
  const error = version.error ?? features.error ?? status.error;
  if (error !== null) {
    return (
      <Failed
        error={error}
        onRetry={() => Promise.all([version.refetch(), features.refetch(), status.refetch()])}
      />
    );
  }
  if (version.data === undefined || features.data === undefined || status.data === undefined)
    return <Loading />;
  return (
    <Section title="Status">
      <Card>
        <Facts>
          <Fact name="Version">{version.data.version}</Fact>
          <Fact name="Database">{features.data.db_version} migrations</Fact>
          {Object.entries(status.data.replica_health).map(([name, health]) => (
            <Fact key={name} name={`Origin ${name}`}>
              <Badge kind={health === 'OK' ? 'good' : 'bad'}>{health}</Badge>{' '}
              {status.data.replica_timestamp[name] !== undefined && (
                <Time at={status.data.replica_timestamp[name]} />
              )}
            </Fact>
          ))}
          <Fact name="Collecting garbage">
            {status.data.gc_lock_holder === '' ? 'not at the moment' : status.data.gc_lock_holder}
          </Fact>
        </Facts>
      </Card>
    </Section>
  );
}

/** What caches and clients must trust, where the certificate is of an own CA. */
function Ca({ pem }: { pem: string }) {
  return (
    <Section
      title="Certificate authority"
      text={
        <>
          Clients and caches must trust it. Also at <a href="/ca">/ca</a>.
        </>
      }
      actions={<CopyButton text={pem} what="the certificate" />}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by the keyboard, too */}
      <pre className={styles.pem} tabIndex={0}>
        {pem.trim()}
      </pre>
    </Section>
  );
}
