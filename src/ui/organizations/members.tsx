/** The members of an organization, and who of them owns it. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { UserMinus, Users } from 'lucide-react';
import { useState } from 'react';
import { useParams } from 'react-router';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, type Page as PageOfData, pageOf, type Schemas } from '../api/client.ts';
import { shownAtOnce } from '../api/shown-at-once.ts';
import { AccountPicker } from '../components/account-picker.tsx';
import { Avatar, Badge } from '../components/bits.tsx';
import { Button, IconButton } from '../components/button.tsx';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { Form, SmallSelect } from '../components/field.tsx';
import { Section } from '../components/layout.tsx';
import { List, Pager, Row, usePageStart } from '../components/list.tsx';
import { Empty, Failed, Loading, Problem } from '../components/states.tsx';
import { say } from '../shell/announcements.ts';
import { useMembership } from './organization.ts';
import styles from './organizations.module.css';

const roles = [
  { value: 'member', label: 'Member' },
  { value: 'owner', label: 'Owner' },
] as const;

interface Role {
  readonly name: string;
  readonly isAdmin: boolean;
}

function withRole(page: PageOfMembers, { name, isAdmin }: Role): PageOfMembers {
  const members = page.data.members.map((membership) =>
    membership.member.name === name ? { ...membership, isAdmin } : membership,
  );
  return { ...page, data: { ...page.data, members } };
}

type PageOfMembers = PageOfData<Schemas['Members']>;

export function OrganizationMembers() {
  const { org = '' } = useParams();
  const start = usePageStart();
  const isOwner = useMembership(org) === 'owner';
  const queryClient = useQueryClient();
  const refresh = () => queryClient.invalidateQueries({ queryKey: ['organization', org] });
  const queryKey = ['organization', org, 'members', start];
  const members = useQuery({
    queryKey,
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/accounts/{orgname}/members', {
          params: {
            path: { orgname: org },
            query: { pageSize: 50, count: true, ...(start !== undefined && { pageStart: start }) },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const put = useMutation({
    ...shownAtOnce(queryClient, queryKey, withRole),
    mutationFn: ({ name, isAdmin }: Role) =>
      dataOf(
        api.PUT('/api/v0/accounts/{orgname}/members/{member}', {
          params: { path: { orgname: org, member: name } },
          body: { isAdmin },
        }),
      ),
    onSuccess: ({ member }) => {
      say(`Saved the membership of ${member.name}`);
      return refresh();
    },
  });
  const list = members.data?.data.members;
  return (
    <Section
      title="Members"
      text="Owners manage repositories, teams and members. Members may do what their teams may do."
    >
      {isOwner && <Add onAdd={(name) => put.mutateAsync({ name, isAdmin: false })} />}
      {put.isError && <Problem>{describeError(put.error)}</Problem>}
      {members.isPending && <Loading />}
      {members.isError && <Failed error={members.error} onRetry={() => members.refetch()} />}
      {list?.length === 0 && <Empty icon={Users} title="No members yet" />}
      {list !== undefined && list.length > 0 && (
        <List label="Members">
          {list.map((membership) => (
            <MemberRow
              key={membership.member.id}
              org={org}
              membership={membership}
              mayChange={isOwner}
              onRole={(isAdmin) => put.mutate({ name: membership.member.name, isAdmin })}
              onRemoved={refresh}
            />
          ))}
        </List>
      )}
      <Pager next={members.data?.next} total={members.data?.total} noun="member" />
    </Section>
  );
}

function MemberRow({
  org,
  membership: { member, isAdmin },
  mayChange,
  onRole,
  onRemoved,
}: {
  org: string;
  membership: Schemas['Member'];
  mayChange: boolean;
  onRole: (isAdmin: boolean) => void;
  onRemoved: () => Promise<void>;
}) {
  const [removing, setRemoving] = useState(false);
  return (
    <Row
      lead={<Avatar name={member.name} />}
      title={
        <>
          {member.name}
          {!member.isActive && <Badge kind="bad">deactivated</Badge>}
        </>
      }
      text={member.fullName || undefined}
      side={
        mayChange ? (
          <>
            <SmallSelect
              label={`Role of ${member.name}`}
              options={roles}
              value={isAdmin ? 'owner' : 'member'}
              onValue={(role) => onRole(role === 'owner')}
            />
            <IconButton label={`Remove ${member.name}`} onClick={() => setRemoving(true)}>
              <UserMinus size={16} aria-hidden="true" />
            </IconButton>
          </>
        ) : (
          <Badge {...(isAdmin && { kind: 'accent' })}>{isAdmin ? 'owner' : 'member'}</Badge>
        )
      }
      below={
        <ConfirmByName
          open={removing}
          onClose={() => setRemoving(false)}
          title={
            <>
              Remove <Name>{member.name}</Name> from {org}
            </>
          }
          name={member.name}
          action="Remove member"
          consequences={
            <>
              <li>
                <span>They leave all teams of {org}, and lose what those may do.</span>
              </li>
              <li>
                <span>Access that was given to them alone, at single repositories, stays.</span>
              </li>
            </>
          }
          onConfirm={async () => {
            await dataOf(
              api.DELETE('/api/v0/accounts/{orgname}/members/{member}', {
                params: { path: { orgname: org, member: member.name } },
              }),
            );
            say(`${member.name} is no member any more`);
            await onRemoved();
          }}
        />
      }
    />
  );
}

function Add({ onAdd }: { onAdd: (name: string) => Promise<unknown> }) {
  const [name, setName] = useState('');
  return (
    <Form
      onSubmit={() => {
        onAdd(name.trim()).then(
          () => setName(''),
          () => {},
        );
      }}
    >
      <div className={styles.add}>
        <AccountPicker label="Add a member" filter="users" value={name} onValue={setName} />
        <Button type="submit" disabled={name.trim() === ''}>
          Add
        </Button>
      </div>
    </Form>
  );
}
