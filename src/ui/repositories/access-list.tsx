/** A list of who has which level of access, where it is given, changed and taken away. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Users, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { describeError } from '../api/api-error.ts';
import { shownAtOnce } from '../api/shown-at-once.ts';
import { AccountPicker } from '../components/account-picker.tsx';
import { Button, IconButton } from '../components/button.tsx';
import { Form, SmallSelect } from '../components/field.tsx';
import { Section } from '../components/layout.tsx';
import { List, Row } from '../components/list.tsx';
import { Empty, Failed, Loading, Problem } from '../components/states.tsx';
import { say } from '../shell/announcements.ts';
import { type Level, levels } from './levels.ts';
import styles from './repositories.module.css';
import { TeamPicker } from './team-picker.tsx';

interface Entry {
  readonly name: string;
  readonly level: Level;
  readonly title: ReactNode;
  readonly text: string;
  readonly lead?: ReactNode;
}

/** Without a level: none any more. */
interface Change {
  readonly name: string;
  readonly level: Level | undefined;
}

/** Who is not in the list comes into it with what the server tells of them. */
function applied(entries: readonly Entry[], { name, level }: Change): readonly Entry[] {
  if (level === undefined) return entries.filter((entry) => entry.name !== name);
  return entries.map((entry) => (entry.name === name ? { ...entry, level } : entry));
}

export function AccessList({
  title,
  text,
  queryKey,
  empty,
  pick,
  list,
  put,
  remove,
}: {
  title: string;
  text?: string;
  queryKey: readonly unknown[];
  empty: string;
  /** Who can be given access; without it, nobody. */
  pick?: { kind: 'user' } | { kind: 'team'; organization: string };
  list: () => Promise<readonly Entry[]>;
  put: (name: string, level: Level) => Promise<unknown>;
  remove: (name: string) => Promise<unknown>;
}) {
  const queryClient = useQueryClient();
  const entries = useQuery({ queryKey, queryFn: list });
  const change = useMutation({
    ...shownAtOnce(queryClient, queryKey, applied),
    mutationFn: async (what: Change) => {
      await (what.level === undefined ? remove(what.name) : put(what.name, what.level));
      say(
        what.level === undefined ? `${what.name} has no access any more` : `Saved the access of ${what.name}`,
      );
    },
  });
  return (
    <Section title={title} text={text}>
      {pick !== undefined && <Add pick={pick} onAdd={(name, level) => change.mutateAsync({ name, level })} />}
      {change.isError && <Problem>{describeError(change.error)}</Problem>}
      {entries.isPending && <Loading rows={2} />}
      {entries.isError && <Failed error={entries.error} onRetry={() => entries.refetch()} />}
      {entries.data?.length === 0 && <Empty icon={Users} title={empty} />}
      {entries.data !== undefined && entries.data.length > 0 && (
        <List label={title}>
          {entries.data.map((entry) => (
            <Row
              key={entry.name}
              lead={entry.lead}
              title={entry.title}
              text={entry.text || undefined}
              side={
                <>
                  <SmallSelect
                    label={`Access of ${entry.name}`}
                    options={levels}
                    value={entry.level}
                    onValue={(level) => change.mutate({ name: entry.name, level })}
                  />
                  <IconButton
                    label={`Take the access of ${entry.name} away`}
                    onClick={() => change.mutate({ name: entry.name, level: undefined })}
                  >
                    <X size={16} aria-hidden="true" />
                  </IconButton>
                </>
              }
            />
          ))}
        </List>
      )}
    </Section>
  );
}

function Add({
  pick,
  onAdd,
}: {
  pick: { kind: 'user' } | { kind: 'team'; organization: string };
  onAdd: (name: string, level: Level) => Promise<unknown>;
}) {
  const [name, setName] = useState('');
  const [level, setLevel] = useState<Level>('read-only');
  return (
    <Form
      onSubmit={() => {
        onAdd(name.trim(), level).then(
          () => setName(''),
          () => {},
        );
      }}
    >
      <div className={styles.levels}>
        {pick.kind === 'user' ? (
          <AccountPicker label="Give access to a user" filter="users" value={name} onValue={setName} />
        ) : (
          <TeamPicker
            label="Give access to a team"
            organization={pick.organization}
            value={name}
            onValue={setName}
          />
        )}
        <SmallSelect label="Level of access" options={levels} value={level} onValue={setLevel} />
        <Button type="submit" disabled={name.trim() === ''}>
          Give access
        </Button>
      </div>
    </Form>
  );
}
