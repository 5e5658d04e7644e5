/** One team: who is in it, and what it may. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Boxes, UserMinus, Users } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { describeError } from '../api/api-error.ts';
import { api, dataOf, pageOf } from '../api/client.ts';
import { AccountPicker } from '../components/account-picker.tsx';
import { Avatar, Badge } from '../components/bits.tsx';
import { Button, IconButton } from '../components/button.tsx';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { Form } from '../components/field.tsx';
import { Page, Section } from '../components/layout.tsx';
import { List, Pager, Row, usePageStart } from '../components/list.tsx';
import { plural } from '../components/numbers.ts';
import { Empty, Failed, Loading, Problem } from '../components/states.tsx';
import { levels } from '../repositories/levels.ts';
import { RepositoryRow } from '../repositories/repository-row.tsx';
import { say } from '../shell/announcements.ts';
import { NamespaceAccess } from './namespace-access.tsx';
import { useMembership } from './organization.ts';
import styles from './organizations.module.css';

export function TeamPage() {
  const { org = '', team = '' } = useParams();
  const isOwner = useMembership(org) === 'owner';
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [deleting, setDeleting] = useState(false);
  const path = { orgname: org, teamname: team };
  const found = useQuery({
    queryKey: ['organization', org, 'team', team],
    queryFn: () => dataOf(api.GET('/api/v0/accounts/{orgname}/teams/{teamname}', { params: { path } })),
  });
  return (
    <Page
      name={team}
      crumbs={
        <>
          <Link to="/organizations">Organizations</Link>
          <span aria-hidden="true">/</span>
          <Link to={`/organizations/${org}/teams`}>{org}</Link>
        </>
      }
      lead={found.data?.description || undefined}
      actions={
        isOwner && (
          <Button kind="dangerQuiet" onClick={() => setDeleting(true)}>
            Delete team
          </Button>
        )
      }
    >
      {found.isPending && <Loading />}
      {found.isError && <Failed error={found.error} onRetry={() => found.refetch()} />}
      {found.data && (
        <>
          <TeamMembers org={org} team={team} mayChange={isOwner} />
          <TeamRepositories org={org} team={team} mayChange={isOwner} />
        </>
      )}
      <ConfirmByName
        open={deleting}
        onClose={() => setDeleting(false)}
        title={
          <>
            Delete the team <Name>{team}</Name>
          </>
        }
        name={team}
        action="Delete team"
        consequences={
          <>
            <li>
              <span>
                {plural(found.data?.membersCount ?? 0, 'member')} lose what only this team may do. They stay
                members of {org}.
              </span>
            </li>
            <li>
              <span>What it was given access to is not remembered.</span>
            </li>
          </>
        }
        onConfirm={async () => {
          await dataOf(api.DELETE('/api/v0/accounts/{orgname}/teams/{teamname}', { params: { path } }));
          say(`Deleted the team ${team}`);
          navigate(`/organizations/${org}/teams`, { replace: true });
          await queryClient.invalidateQueries({ queryKey: ['organization', org] });
        }}
      />
    </Page>
  );
}

interface TeamProps {
  readonly org: string;
  readonly team: string;
  readonly mayChange: boolean;
}

function TeamMembers({ org, team, mayChange }: TeamProps) {
  const start = usePageStart();
  const queryClient = useQueryClient();
  const [name, setName] = useState('');
  const path = { orgname: org, teamname: team };
  const members = useQuery({
    queryKey: ['organization', org, 'team', team, 'members', start],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/accounts/{orgname}/teams/{teamname}/members', {
          params: {
            path,
            query: { pageSize: 50, count: true, ...(start !== undefined && { pageStart: start }) },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const change = useMutation({
    mutationFn: async ({ member, isIn }: { member: string; isIn: boolean }) => {
      const params = { path: { ...path, member } };
      if (isIn)
        await dataOf(api.PUT('/api/v0/accounts/{orgname}/teams/{teamname}/members/{member}', { params }));
      else
        await dataOf(api.DELETE('/api/v0/accounts/{orgname}/teams/{teamname}/members/{member}', { params }));
      say(isIn ? `${member} is in the team` : `${member} is not in the team any more`);
    },
    onSuccess: () => {
      setName('');
      return queryClient.invalidateQueries({ queryKey: ['organization', org] });
    },
  });
  const list = members.data?.data.members;
  return (
    <Section title="Members">
      {mayChange && (
        <Form onSubmit={() => change.mutate({ member: name.trim(), isIn: true })}>
          <div className={styles.add}>
            <AccountPicker label="Add a member" filter="users" value={name} onValue={setName} />
            <Button type="submit" disabled={name.trim() === ''}>
              Add
            </Button>
          </div>
        </Form>
      )}
      {change.isError && <Problem>{describeError(change.error)}</Problem>}
      {members.isPending && <Loading rows={2} />}
      {members.isError && <Failed error={members.error} onRetry={() => members.refetch()} />}
      {list?.length === 0 && <Empty icon={Users} title="Nobody is in this team yet" />}
      {list !== undefined && list.length > 0 && (
        <List label="Members">
          {list.map(({ member }) => (
            <Row
              key={member.id}
              lead={<Avatar name={member.name} />}
              title={member.name}
              text={member.fullName || undefined}
              side={
                mayChange && (
                  <IconButton
                    label={`Take ${member.name} out of the team`}
                    onClick={() => change.mutate({ member: member.name, isIn: false })}
                  >
                    <UserMinus size={16} aria-hidden="true" />
                  </IconButton>
                )
              }
            />
          ))}
        </List>
      )}
      <Pager next={members.data?.next} total={members.data?.total} noun="member" />
    </Section>
  );
}

function TeamRepositories({ org, team, mayChange }: TeamProps) {
  const access = useQuery({
    queryKey: ['organization', org, 'team', team, 'repositories'],
    queryFn: () =>
      pageOf(
        api.GET('/api/v0/accounts/{orgname}/teams/{teamname}/repositoryAccess', {
          params: { path: { orgname: org, teamname: team }, query: { pageSize: 100 } },
        }),
      ),
  });
  const list = access.data?.data.repositoryAccessList;
  return (
    <Section title="Access">
      {mayChange && <NamespaceAccess org={org} team={team} />}
      {access.isPending && <Loading rows={2} />}
      {access.isError && <Failed error={access.error} onRetry={() => access.refetch()} />}
      {list?.length === 0 && (
        <Empty icon={Boxes} title="No access to single repositories">
          It is given at the repository, under Access.
        </Empty>
      )}
      {list !== undefined && list.length > 0 && (
        <List label="Repositories">
          {list.map(({ repository, accessLevel }) => (
            <RepositoryRow
              key={repository.id}
              repository={repository}
              side={<Badge>{levels.find(({ value }) => value === accessLevel)?.label}</Badge>}
            />
          ))}
        </List>
      )}
    </Section>
  );
}
